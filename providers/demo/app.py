"""The demo provider as a plain ASGI callable: chat, embeddings, a model list and a control."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gateway.core.envelopes import openai_envelope
from providers.demo.behaviour import BadBehaviour, Behaviour
from providers.demo.chat import BadRequest, ChatAnswer, answer_chat
from providers.demo.embed import answer_embeddings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answer = TypeVar("Answer")

NAMES = ("demo-a", "demo-b")
CHAT_MODEL, EMBEDDING_MODEL = "demo-chat", "demo-embed"
_BODY_MOST = 20 * 1024 * 1024
_JSON = [(b"content-type", b"application/json")]
_EVENTS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]


class ClientGone(Exception):
    """Whoever asked is no longer there."""


@dataclass(slots=True)
class Counts:
    """What has happened since the server started."""

    calls: int = 0
    cancelled: int = 0


@dataclass(slots=True)
class Provider:
    """One of the providers on this server."""

    name: str
    behaviour: Behaviour
    counts: Counts = field(default_factory=Counts)


class Failure(Exception):
    """Answered in OpenAI's envelope."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param

    def envelope(self) -> dict[str, Any]:
        told = {"message": self.message, "status": self.status, "param": self.param, "code": self.code}
        return openai_envelope(told)


class DemoApp:
    """Paths: /{name}/v1/chat/completions, /{name}/v1/embeddings, /{name}/v1/models, /{name}/control."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._providers = {name: Provider(name, behaviour) for name in NAMES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        name, _, path = scope["path"].lstrip("/").partition("/")
        provider = self._providers.get(name)
        try:
            if provider is None:
                raise Failure(404, f"There is no provider “{name}”; there are {', '.join(NAMES)}.")
            await _answer(provider, (scope["method"], path), receive, send)
        except Failure as failure:
            await _send_json(send, failure.status, failure.envelope())
        except ClientGone:
            return


async def _answer(provider: Provider, target: tuple[str, str], receive: Receive, send: Send) -> None:
    match target:
        case ("GET", "v1/models"):
            await _send_json(send, 200, _models())
        case ("GET", "control"):
            await _send_json(send, 200, _state(provider))
        case ("POST", "control"):
            provider.behaviour = _adjusted(provider.behaviour, await _read_object(receive))
            await _send_json(send, 200, _state(provider))
        case ("POST", "v1/chat/completions" | "v1/embeddings" as path):
            await _infer(provider, path, receive, send)
        case _:
            raise Failure(404, f"There is no {target[0]} /{provider.name}/{target[1]}.")


async def _infer(provider: Provider, path: str, receive: Receive, send: Send) -> None:
    body = await _read_object(receive)
    provider.counts.calls += 1
    call = _Call(provider, _adjusted(provider.behaviour, body.get("demo") or {}), receive, send)
    try:
        await call.begin()
        if path == "v1/embeddings":
            await call.send_whole(
                _made(lambda: answer_embeddings(provider.name, body), body, EMBEDDING_MODEL)
            )
            return
        chunks = call.behaviour.chunks
        answer = _made(lambda: answer_chat(provider.name, body, chunks), body, CHAT_MODEL)
        await (call.stream(answer, body) if body.get("stream") else call.send_whole(answer.whole()))
    except ClientGone:
        provider.counts.cancelled += 1
        raise
    finally:
        call.close()


class _Call:
    """One inference call: it waits as the behaviour says, and ends at once when the client goes."""

    def __init__(self, provider: Provider, behaviour: Behaviour, receive: Receive, send: Send) -> None:
        self.behaviour = behaviour
        self._name = provider.name
        self._send = send
        self._gone = asyncio.ensure_future(_disconnected(receive))

    async def begin(self) -> None:
        await self._pause(self.behaviour.delay_ms)
        failure = self.behaviour.failure
        if failure == "hang":
            await self._gone
            raise ClientGone
        if failure and failure.isdecimal():
            raise Failure(int(failure), f"{self._name} was told to fail.", code="demo_failure")

    async def send_whole(self, value: dict[str, Any]) -> None:
        if self.behaviour.failure == "garbage":
            await _send_body(self._send, 200, _JSON, b"<p>This is not JSON.</p>")
        elif self.behaviour.failure in {"cut", "error_event"}:
            data = json.dumps(value).encode()
            length = [(b"content-length", str(len(data)).encode())]
            await self._start([*_JSON, *length])
            await self._part(data[: len(data) // 2])
        else:
            await _send_json(self._send, 200, value)

    async def stream(self, answer: ChatAnswer, body: Mapping[str, Any]) -> None:
        """A body that was cut is left unfinished: the server then drops the connection."""
        options = body.get("stream_options")
        wants_usage = isinstance(options, Mapping) and bool(options.get("include_usage"))
        breaks_at = (
            len(answer.pieces) // 2 + 1 if self.behaviour.failure in {"cut", "error_event", "garbage"} else -1
        )
        await self._start(_EVENTS)
        for index, chunk in enumerate(answer.chunks(wants_usage=wants_usage)):
            if index == breaks_at:
                return await self._break_off()
            await self._pause(self.behaviour.chunk_delay_ms)
            await self._part(_event(chunk))
        await self._send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})
        return None

    def close(self) -> None:
        self._gone.cancel()

    async def _break_off(self) -> None:
        if self.behaviour.failure == "cut":
            return
        failure = Failure(500, f"{self._name} was told to fail in its stream.", code="demo_failure")
        event = (
            _event(failure.envelope())
            if self.behaviour.failure == "error_event"
            else b"data: {not json\n\n" * 3
        )
        await self._send({"type": "http.response.body", "body": event})

    async def _pause(self, milliseconds: int) -> None:
        """Raises ClientGone."""
        if milliseconds:
            await asyncio.wait({self._gone}, timeout=milliseconds / 1000)
        if self._gone.done():
            raise ClientGone

    async def _start(self, headers: list[tuple[bytes, bytes]]) -> None:
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _part(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read_object(receive: Receive) -> dict[str, Any]:
    data = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        data += message.get("body", b"")
        if len(data) > _BODY_MOST:
            raise Failure(413, "The body is too large.")
        if not message.get("more_body"):
            return _parsed(bytes(data))


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise Failure(400, "The body is not JSON.") from None
    if not isinstance(value, dict):
        raise Failure(400, "The body is not a JSON object.")
    return value


def _made(make: Callable[[], Answer], body: Mapping[str, Any], model: str) -> Answer:
    if body.get("model") != model:
        message = f"There is no model “{body.get('model')}” here; there is {model}."
        raise Failure(404, message, code="model_not_found", param="model")
    try:
        return make()
    except BadRequest as error:
        raise Failure(400, str(error), param=error.param) from None


def _adjusted(behaviour: Behaviour, changes: object) -> Behaviour:
    try:
        return behaviour.adjusted(changes)
    except BadBehaviour as error:
        raise Failure(400, str(error), param=error.param) from None


def _state(provider: Provider) -> dict[str, Any]:
    counts = {"calls": provider.counts.calls, "cancelled": provider.counts.cancelled}
    return {**provider.behaviour.shown(), **counts}


def _models() -> dict[str, Any]:
    owned = [
        {"id": model, "object": "model", "created": 1_767_225_600, "owned_by": "demo"}
        for model in (CHAT_MODEL, EMBEDDING_MODEL)
    ]
    return {"object": "list", "data": owned}


def _event(value: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n\n"


async def _send_json(send: Send, status: int, value: Mapping[str, Any]) -> None:
    await _send_body(send, status, _JSON, json.dumps(value).encode())


async def _send_body(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
