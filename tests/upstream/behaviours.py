"""What the scripted provider can do with a request, by name."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from tests.upstream import answers
from tests.upstream.exchange import Exchange

Behaviour = Callable[[Exchange], Awaitable[None]]
NAMED: dict[str, Behaviour] = {}

_STATUSES = {
    400: ("Invalid value for 'temperature'.", "invalid_value", "temperature"),
    401: ("Incorrect API key provided: sk-scripted-0123456789.", "invalid_api_key", None),
    402: ("No credit left.", None, None),
    403: ("Your account may not use this model.", None, None),
    404: ("The model does not exist.", "model_not_found", "model"),
    408: ("Request timed out.", None, None),
    413: ("The request is too large.", None, None),
    422: ("Unprocessable.", None, None),
    429: ("Rate limit reached.", "rate_limit_exceeded", None),
    500: ("Internal error at http://10.1.2.3:8000 in /srv/app/serve.py", None, None),
    502: ("Bad gateway.", None, None),
    503: ("Overloaded.", None, None),
    504: ("Gateway timeout.", None, None),
    529: ("Overloaded.", "overloaded_error", None),
}
_BODIES: dict[str, tuple[int, str, bytes]] = {
    "html-200": (200, "text/html", b"<html><body>Sign in</body></html>"),
    "empty-200": (200, "application/json", b""),
    "null-200": (200, "application/json", b"null"),
    "list-200": (200, "application/json", b"[]"),
    "choices-empty": (200, "application/json", b'{"id":"x","choices":[]}'),
    "choices-missing": (200, "application/json", b'{"id":"x"}'),
    "error-in-200": (
        200,
        "application/json",
        json.dumps(answers.error("It broke.", kind="server_error")).encode(),
    ),
    "redirect": (302, "text/plain", b""),
    "html-503": (503, "text/html", b"<html><h1>503</h1></html>"),
    "context-length": (
        400,
        "application/json",
        json.dumps(
            answers.error(
                "This model's maximum context length is 8 tokens.",
                code="context_length_exceeded",
                param="messages",
            )
        ).encode(),
    ),
    "429-quota": (
        429,
        "application/json",
        json.dumps(
            answers.error(
                "You exceeded your current quota.", kind="insufficient_quota", code="insufficient_quota"
            )
        ).encode(),
    ),
}
_USAGES: dict[str, Any] = {
    "usage-null": None,
    "usage-zero": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    "usage-negative": {"prompt_tokens": -3, "completion_tokens": -4, "total_tokens": -7},
    "usage-huge": {"prompt_tokens": 10**15, "completion_tokens": 10**15, "total_tokens": 2 * 10**15},
    "usage-string": {"prompt_tokens": "3", "completion_tokens": "4", "total_tokens": "7"},
    "usage-list": [3, 4, 7],
    "usage-cached": {
        "prompt_tokens": 88,
        "completion_tokens": 2,
        "total_tokens": 90,
        "prompt_tokens_details": {"cached_tokens": 80},
    },
}


def behaviour(name: str) -> Callable[[Behaviour], Behaviour]:
    def register(function: Behaviour) -> Behaviour:
        NAMED[name] = function
        return function

    return register


@behaviour("ok")
async def serve(exchange: Exchange) -> None:
    """Options: `chunks`, `delay` (seconds before each piece), `first` (before the first), `hold` (see `go_on`)."""
    if not exchange.is_streamed:
        await asyncio.sleep(exchange.number("first", 0))
        await exchange.hold(0)
        return await exchange.json(200, answers.chat(exchange.body, exchange.id))
    await stream(exchange)
    await exchange.event(b"[DONE]")
    return await exchange.close_stream()


NAMED["slow"] = serve


async def stream(exchange: Exchange, *, finishes: bool = True) -> None:
    """A stream without its end."""
    await asyncio.sleep(exchange.number("first", 0))
    await exchange.hold(0)
    chunks = exchange.options.get("chunks")
    pieces = answers.words(exchange.body, int(chunks) if chunks else None)
    await exchange.open_stream()
    for place, choice in enumerate(answers.deltas(exchange.body, pieces), 1):
        if finishes or not choice["finish_reason"]:
            await exchange.choice(choice)
            await asyncio.sleep(exchange.number("delay", 0))
            await exchange.hold(place)
    if exchange.wants_usage:
        usage = answers.usage(exchange.body, pieces)
        await exchange.event(answers.chunk(exchange.body, exchange.id, [], usage=usage))


async def begin(exchange: Exchange, text: str = "Hel") -> None:
    """Headers and a first piece of text; none at all for an empty text."""
    await exchange.open_stream()
    await exchange.choice(answers.delta({"role": "assistant", "content": text}))


def _serve_status(status: int) -> Behaviour:
    async def refuse(exchange: Exchange) -> None:
        message, code, param = _STATUSES[status]
        await exchange.json(status, answers.error(message, code=code, param=param), **exchange.options)

    return refuse


def _serve_body(status: int, kind: str, body: bytes) -> Behaviour:
    async def answer(exchange: Exchange) -> None:
        headers = {"location": "http://127.0.0.1:9/elsewhere"} if status == 302 else {}
        await exchange.answer(status, body, kind=kind, headers=headers)

    return answer


def _serve_usage(usage: Any, *, is_left_out: bool = False) -> Behaviour:
    async def answer(exchange: Exchange) -> None:
        whole = answers.chat(exchange.body, exchange.id) | {"usage": usage}
        if is_left_out:
            del whole["usage"]
        if not exchange.is_streamed:
            return await exchange.json(200, whole)
        await exchange.open_stream()
        for choice in answers.deltas(exchange.body, answers.words(exchange.body)):
            await exchange.choice(choice)
        if not is_left_out:
            await exchange.event(answers.chunk(exchange.body, exchange.id, [], usage=usage))
        await exchange.event(b"[DONE]")
        return await exchange.close_stream()

    return answer


NAMED |= {str(status): _serve_status(status) for status in _STATUSES}
NAMED |= {name: _serve_body(*parts) for name, parts in _BODIES.items()}
NAMED |= {name: _serve_usage(usage) for name, usage in _USAGES.items()}
NAMED["usage-missing"] = _serve_usage(None, is_left_out=True)


@behaviour("204")
async def no_content(exchange: Exchange) -> None:
    await exchange.answer(204, b"")


@behaviour("hang")
async def hang(exchange: Exchange) -> None:
    await asyncio.sleep(exchange.number("seconds", 3600))


@behaviour("slow-headers")
async def slow_headers(exchange: Exchange) -> None:
    await asyncio.sleep(exchange.number("seconds", 2))
    await serve(exchange)


@behaviour("rst-before")
async def reset_before_headers(exchange: Exchange) -> None:
    exchange.reset()


@behaviour("rst-first")
async def reset_before_first_token(exchange: Exchange) -> None:
    await exchange.open_stream()
    await asyncio.sleep(0.02)
    exchange.reset()


@behaviour("rst-mid")
async def reset_after_first_token(exchange: Exchange) -> None:
    await begin(exchange)
    await asyncio.sleep(0.05)
    exchange.reset()


@behaviour("eof-before")
async def hang_up_before_headers(exchange: Exchange) -> None:
    exchange.hang_up()


@behaviour("eof-first")
async def hang_up_before_first_token(exchange: Exchange) -> None:
    await exchange.open_stream()
    exchange.hang_up()


@behaviour("eof-mid")
async def hang_up_after_first_token(exchange: Exchange) -> None:
    await begin(exchange)
    exchange.hang_up()


@behaviour("eof-no-done")
async def end_after_text(exchange: Exchange) -> None:
    """Text, and a tidy end of the body: no finish, no terminator."""
    await begin(exchange)
    await exchange.close_stream()


@behaviour("no-finish")
async def leave_finish_out(exchange: Exchange) -> None:
    await stream(exchange, finishes=False)
    await exchange.event(b"[DONE]")
    await exchange.close_stream()


@behaviour("no-done")
async def leave_terminator_out(exchange: Exchange) -> None:
    await stream(exchange)
    await exchange.close_stream()


@behaviour("dup-finish")
async def finish_twice(exchange: Exchange) -> None:
    await stream(exchange)
    await exchange.choice(answers.delta({}, "stop"))
    await exchange.event(b"[DONE]")
    await exchange.close_stream()


@behaviour("after-done")
async def go_on_after_terminator(exchange: Exchange) -> None:
    await stream(exchange)
    await exchange.event(b"[DONE]")
    await asyncio.sleep(exchange.number("seconds", 0))
    await exchange.choice(answers.delta({"content": "too late"}))
    await exchange.close_stream()


@behaviour("bad-json")
async def send_one_bad_frame(exchange: Exchange) -> None:
    """Option: `frames`, how many of them."""
    await begin(exchange)
    for _ in range(int(exchange.number("frames", 1))):
        await exchange.event(b'{"choices": [')
    await exchange.choice(answers.delta({}, "stop"))
    await exchange.event(b"[DONE]")
    await exchange.close_stream()


@behaviour("garbage")
async def send_garbage(exchange: Exchange) -> None:
    await exchange.open_stream()
    for _ in range(20):
        await exchange.send(b"\x00\xff\xfe not an event at all\r\n")
    await exchange.close_stream()


@behaviour("error-first")
async def send_error_first(exchange: Exchange) -> None:
    await exchange.open_stream()
    await exchange.event(answers.error("It broke at once.", kind="server_error"))
    await exchange.close_stream()


@behaviour("error-mid")
async def send_error_later(exchange: Exchange) -> None:
    await begin(exchange)
    await exchange.event(answers.error("It broke in the middle.", kind="server_error"))
    await exchange.close_stream()


@behaviour("huge-body")
async def send_huge_body(exchange: Exchange) -> None:
    """Option: `mb`."""
    size = int(exchange.number("mb", 100)) << 20
    exchange.head(200, {"content-type": "application/json", "content-length": str(size)})
    for _ in range(size >> 16):
        exchange.writer.write(b" " * (1 << 16))
        await exchange.writer.drain()


@behaviour("huge-line")
async def send_huge_line(exchange: Exchange) -> None:
    await exchange.open_stream()
    await exchange.send(b"data: ")
    for _ in range(64):
        await exchange.send(b"x" * (1 << 16))
    await exchange.close_stream()


@lru_cache(maxsize=2)
def _bomb(size_mb: int) -> bytes:
    """Packed a thousand times smaller. One block is repeated, because packing all of it takes seconds."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08" + bytes(7) + block * size_mb + packer.flush() + bytes(8)


@behaviour("gzip-bomb")
async def send_gzip_bomb(exchange: Exchange) -> None:
    """Option: `mb`, unpacked."""
    await exchange.answer(200, _bomb(int(exchange.number("mb", 200))), headers={"content-encoding": "gzip"})


@behaviour("gzip")
async def send_packed(exchange: Exchange) -> None:
    body = gzip.compress(json.dumps(answers.chat(exchange.body, exchange.id)).encode())
    await exchange.answer(200, body, headers={"content-encoding": "gzip"})


@behaviour("stall")
async def stall_in_the_middle(exchange: Exchange) -> None:
    """Option: `seconds`."""
    await begin(exchange)
    await asyncio.sleep(exchange.number("seconds", 3600))


@behaviour("keepalive-only")
async def send_comments_only(exchange: Exchange) -> None:
    await exchange.open_stream()
    while True:
        await exchange.send(b": still here\n\n")
        await asyncio.sleep(exchange.number("delay", 0.05))


@behaviour("never-ending")
async def never_end(exchange: Exchange) -> None:
    await begin(exchange)
    text = "more " * int(exchange.number("size", 5) / 5)
    while True:
        await exchange.choice(answers.delta({"content": text}))
        await asyncio.sleep(exchange.number("delay", 0.005))


async def framed(exchange: Exchange, frame: Callable[[bytes], bytes], *, one_byte: bool = False) -> None:
    """A whole stream in another framing."""
    await exchange.open_stream()
    for choice in answers.deltas(exchange.body, ["Grüße ", "aus ", "Łódź ", "🎈"]):
        chunk = answers.chunk(exchange.body, exchange.id, [choice])
        data = frame(json.dumps(chunk, ensure_ascii=False).encode())
        for part in [bytes([byte]) for byte in data] if one_byte else [data]:
            await exchange.send(part)
    await exchange.send(frame(b"[DONE]"))
    await exchange.close_stream()


@behaviour("sse-one-byte")
async def send_single_bytes(exchange: Exchange) -> None:
    await framed(exchange, lambda data: b"data: %b\n\n" % data, one_byte=True)


@behaviour("sse-crlf")
async def send_crlf(exchange: Exchange) -> None:
    await framed(exchange, lambda data: b"data: %b\r\n\r\n" % data)


@behaviour("sse-comments")
async def send_comments(exchange: Exchange) -> None:
    await framed(exchange, lambda data: b": ping\n\nevent: message\ndata:%b\n\n" % data)
