"""Stop 1: the edge. Answers inference itself and hands everything else to the application behind it."""

import asyncio
import logging
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from accounts.keys import KeyFacts
from accounts.limits import whole_seconds
from gateway.client_address import NO_PROXIES, TrustedProxies, client_of_scope
from gateway.proxy.admit import admit, admit_count, limits_of, refuse_unless_admitted
from gateway.proxy.authenticate import authenticate, read_headers
from gateway.proxy.choose import Situation
from gateway.proxy.client import ClientConnection, Receive, Send, read_body
from gateway.proxy.errors import (
    BodyTooLarge,
    GatewayError,
    InvalidRequest,
    MethodNotAllowed,
    Unauthorised,
    Unavailable,
    UnsupportedMediaType,
    read_error,
)
from gateway.proxy.exchange import CLIENT_GONE, ClientGone, Job, without_own_fields
from gateway.proxy.guesses import judge_guess
from gateway.proxy.ids import mint_id
from gateway.proxy.lanes import Lanes, LaneSink
from gateway.proxy.large import LARGE_BYTES, off_loop
from gateway.proxy.notices import Headers
from gateway.proxy.ports import CallRecorder, KeyDirectory, KeysUnavailable, ResponseShelf, Snapshots
from gateway.proxy.request_id import id_headers, mint_request_id
from gateway.proxy.route import RoutePlan, plan_headers, plan_route
from gateway.proxy.stored import Keeper, open_turn
from gateway.proxy.surfaces import surface_at
from gateway.proxy.surfaces.base import Surface
from gateway.proxy.wishes import Wishes, read_wishes
from gateway.store.interface import Store, Verdict
from providers.health import HealthTable
from providers.operations.base import Requirements

logger = logging.getLogger(__name__)

Scope = Mapping[str, Any]

# How often all open calls are looked at: a timer or a task for each of them would cost every call for the few.
_LOOK_S = 0.1
_BETAS = b"anthropic-beta"
_BETA = re.compile(r"[a-zA-Z0-9._:-]{1,64}")
_MOST_BETAS = 20
_SHOW_TRANSLATED = b"x-gateway-show-translated"
_SWITCH = {"": False, "0": False, "1": True}
_PROJECT = re.compile(r"[a-zA-Z0-9._:-]{1,64}")


@dataclass(frozen=True, slots=True)
class EdgeParts:
    """What the edge needs of the process it runs in."""

    keys: KeyDirectory
    snapshots: Snapshots
    store: Store
    recorder: CallRecorder
    health: HealthTable
    lanes: Lanes
    responses: ResponseShelf
    body_limit_bytes: int
    write_timeout_s: float
    heartbeat_s: float
    """A stream that was quiet for so long is sent a sign of life."""
    proxies: TrustedProxies = NO_PROXIES
    """Who may say where a request comes from."""
    counts_per_minute: int = 600
    """How often each key may have tokens counted."""


@dataclass(slots=True, eq=False)
class OpenCall:
    """A call being answered. `verdict` is set where it is ended for a reason of ours.

    `receive` is set once the request is read: what it then still says can only be goodbye. `key` is as it was at the
    revision `keys_seen`.
    """

    task: "asyncio.Task[Any]"
    client: ClientConnection
    keys_seen: int
    key: KeyFacts | None = None
    receive: Receive | None = None
    is_client_gone: bool = False
    verdict: GatewayError | None = None
    _watch: "asyncio.Future[Any] | None" = None
    _beat: "asyncio.Future[Any] | None" = None

    def end(self, verdict: GatewayError) -> None:
        if self._may_be_ended():
            self.verdict = verdict
            self.task.cancel(verdict.error_code)

    def end_without_key(self, keys: KeyDirectory, at: float) -> None:
        """End it if its key is not valid any more; nobody is asked again unless some key has changed."""
        if self.key is None:
            return
        if (revision := keys.revision) != self.keys_seen:
            try:
                self.key = keys.known(self.key.public_id) or self.key
            except KeysUnavailable:
                return
            self.keys_seen = revision
        if not self.key.is_valid(at):
            self.end(
                Unauthorised("This key was revoked or expired, or its team was switched off, meanwhile.")
            )

    def look(self, now: float, write_timeout_s: float, heartbeat_s: float) -> None:
        """Give a client up that takes nothing for too long, and listen for the goodbye of the others."""
        since = self.client.writing_since
        if since is not None and now - since > write_timeout_s:
            self._lose_client()
        elif self._watch is None and self.receive is not None:
            self._watch = asyncio.ensure_future(self.receive())
            self._watch.add_done_callback(self._hear)
        if self.client.is_quiet(now, heartbeat_s):
            self._beat = asyncio.ensure_future(self.client.beat(heartbeat_s))

    def stop_listening(self) -> None:
        self.receive = None
        if self._watch:
            self._watch.cancel()

    def _hear(self, watch: "asyncio.Future[Any]") -> None:
        """A goodbye, or the server's word that the whole answer is out; then what is left to do here goes on."""
        if not watch.cancelled() and not self.client.has_ended:
            self._lose_client()

    def _lose_client(self) -> None:
        if self._may_be_ended():
            self.is_client_gone = True
            self.task.cancel(CLIENT_GONE)

    def _may_be_ended(self) -> bool:
        """Once: a second cancel would interrupt what is said and tidied up after the first."""
        return self.verdict is None and not self.is_client_gone


class Edge:
    """An ASGI application in front of another."""

    def __init__(self, parts: EdgeParts) -> None:
        self._parts = parts
        self._open: set[OpenCall] = set()
        self._is_draining = False
        self._timer: asyncio.TimerHandle | None = None

    async def answer(self, surface: Surface, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one inference request, whatever happens."""
        request_id = mint_request_id()
        client = ClientConnection(
            send, surface, id_headers(request_id), write_timeout_s=self._parts.write_timeout_s
        )
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (an ASGI application always runs in a task)
        call = OpenCall(task, client, self._parts.keys.revision)
        self._open.add(call)
        if self._timer is None:
            self._timer = task.get_loop().call_later(_LOOK_S, self._look)
        try:
            await self._serve(surface, scope, receive, Answering(request_id, call))
        except GatewayError as error:
            await self._fail(client, error)
        except ClientGone:
            return
        except asyncio.CancelledError:
            if call.verdict is None and not call.is_client_gone:
                raise
            task.uncancel()
            if call.verdict:
                await self._fail(client, call.verdict)
        except Exception:
            logger.exception("Request %s failed.", request_id)
            await self._fail(
                client, GatewayError("The gateway failed on this request; it was not your mistake.")
            )
        finally:
            self._open.discard(call)

    async def drain(self, grace_s: float) -> None:
        """Refuse new calls, let open ones end within the grace, then end them with an explicit error."""
        self._is_draining = True
        deadline = time.monotonic() + grace_s
        while self._open and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        for call in list(self._open):
            call.end(_shutting_down())

    def _look(self) -> None:
        now, at = time.monotonic(), time.time()
        for call in self._open:
            call.look(now, self._parts.write_timeout_s, self._parts.heartbeat_s)
            call.end_without_key(self._parts.keys, at)
        self._timer = asyncio.get_running_loop().call_later(_LOOK_S, self._look) if self._open else None

    async def _serve(self, surface: Surface, scope: Scope, receive: Receive, answering: "Answering") -> None:
        headers = read_headers(scope["headers"])
        if self._is_draining:
            raise _shutting_down()
        if scope["method"] != "POST":
            raise MethodNotAllowed(f"{surface.path} takes POST, not {scope['method'][:20]}.")
        try:
            key = await authenticate(headers, self._parts.keys, time.time())
        except Unauthorised as refusal:
            address = client_of_scope(scope, self._parts.proxies)
            raise await judge_guess(refusal, address, self._parts.store) from None
        answering.call.key = key
        _check_headers(headers, self._parts.body_limit_bytes)
        body = await read_body(receive, self._parts.body_limit_bytes)
        answering.call.receive = receive
        try:
            await self._carry(surface, Request(headers, key, body), answering)
        finally:
            answering.call.stop_listening()

    async def _carry(self, surface: Surface, request: "Request", answering: "Answering") -> None:
        parts, client = self._parts, answering.call.client
        is_large = len(request.body) > LARGE_BYTES
        parsed = await off_loop(surface.read, request.body) if is_large else surface.read(request.body)
        sink: LaneSink = client
        if surface.keeps_answers:
            parsed, request, sink = await self._open_turn(parsed, request, client)
            is_large = len(request.body) > LARGE_BYTES
        if surface.only_counts:
            verdict = await admit_count(request.key, parts.counts_per_minute, parts.store)
            client.headers.extend(_limit_headers(verdict))
            counted = await off_loop(surface.count, parsed) if is_large else surface.count(parsed)
            return await client.answer(orjson.dumps(counted))
        at, now = datetime.now(UTC), time.monotonic()
        situation = Situation(
            parts.snapshots.current, request.key, at, lambda id_: parts.health.standing(id_, now)
        )
        wishes = read_wishes(parsed, _slugs(situation))
        asked = without_own_fields(parsed)
        needs = (
            await off_loop(_read_needs, surface, asked, wishes)
            if is_large
            else _read_needs(surface, asked, wishes)
        )
        plan = plan_route(surface.model(parsed), needs, situation, wishes)
        client.headers.extend(plan_headers(plan, situation))
        wish = parts.lanes.wish(request.header(b"x-gateway-lane"), request.key.lane)
        job = _make_job(surface, request, parsed, plan, answering.request_id, situation.snapshot.revision)
        job.input_tokens = needs.input_tokens
        limits = limits_of(request.key)
        verdict = await admit(job.call_id, limits, parts.store, parts.recorder)
        client.headers.extend(_limit_headers(verdict))
        refuse_unless_admitted(request.key, verdict)
        try:
            end = await parts.lanes.carry(job, job.call(asked, needs.request), wish=wish, sink=sink)
        finally:
            parts.store.release(job.call_id, limits)
        if end.error:
            await client.fail(read_error(end.error), attempts=end.attempts)
        else:
            await client.finish()
        return None

    async def _open_turn(
        self, parsed: Mapping[str, Any], request: "Request", client: LaneSink
    ) -> tuple[Mapping[str, Any], "Request", LaneSink]:
        """What is asked with all that went before, and the way back on which it is stored."""
        parts, key = self._parts, request.key
        turn = await open_turn(
            parsed,
            parts.responses,
            team_id=key.team_id,
            may_keep=key.keeps_responses,
            limit_bytes=parts.body_limit_bytes,
        )
        asked = Request(request.headers, key, orjson.dumps(turn.asked))
        return turn.asked, asked, Keeper(client, turn, parts.responses, key.team_id)

    async def _fail(self, client: ClientConnection, error: GatewayError) -> None:
        try:
            await client.fail(error)
        except ClientGone:
            # Half of a whole answer is out: ending without the rest breaks the connection, which tells the client.
            return


@dataclass(slots=True)
class Answering:
    request_id: str
    call: OpenCall


@dataclass(slots=True)
class Request:
    headers: Mapping[bytes, bytes]
    key: KeyFacts
    body: bytes

    def header(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode("latin-1").strip()


def find_surface(scope: Scope) -> Surface | None:
    """The surface that answers this request, None if it is not the edge's."""
    return surface_at(scope["path"]) if scope["type"] == "http" else None


def _check_headers(headers: Mapping[bytes, bytes], limit_bytes: int) -> None:
    kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if kind != b"application/json" and not kind.endswith(b"+json"):
        shown = kind.decode("latin-1")[:60] or "nothing"
        raise UnsupportedMediaType(
            f"Send 'Content-Type: application/json', not {shown}.", param="content-type"
        )
    coding = headers.get(b"content-encoding", b"identity").strip().lower()
    if coding not in {b"identity", b""}:
        raise UnsupportedMediaType("Send the body without a Content-Encoding.", param="content-encoding")
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > limit_bytes:
        raise BodyTooLarge(f"The body is larger than {limit_bytes} bytes, the limit.", param="body")


def _make_job(
    surface: Surface,
    request: Request,
    parsed: Mapping[str, Any],
    plan: RoutePlan,
    request_id: str,
    revision: int,
) -> Job:
    return Job(
        call_id=mint_id(),
        request_id=request_id,
        endpoint=surface.endpoint,
        format=surface.format,
        created=int(time.time()),
        is_streamed=surface.is_streamed(parsed),
        wants_usage=surface.wants_usage(parsed),
        team_id=request.key.team_id,
        key_id=request.key.id,
        project=_read_project(request, parsed),
        requested_model=surface.model(parsed),
        redirected_from=plan.retired.id if plan.retired else "",
        offering_ids=tuple(candidate.offering.id for candidate in plan.candidates),
        revision=revision,
        shows_translated=_wants_translated(request),
        betas=_read_betas(request),
        body=request.body,
    )


def _read_needs(surface: Surface, asked: Mapping[str, Any], wishes: Wishes) -> Requirements:
    needs = surface.needs(asked)
    return needs.requiring(surface.parameters(asked, needs)) if wishes.requires_parameters else needs


def _read_project(request: Request, parsed: Mapping[str, Any]) -> str:
    """The header wins over the body."""
    header = request.header(b"x-gateway-project-id")
    project = header or parsed.get("project_id")
    if project is None:
        return ""
    if not isinstance(project, str) or (project and not _PROJECT.fullmatch(project)):
        raise InvalidRequest(
            "A project is 1 to 64 letters, digits, dots, colons, dashes and underscores.",
            code="invalid_project_id",
            param="x-gateway-project-id" if header else "project_id",
        )
    return project


def _read_betas(request: Request) -> str:
    names = [name.strip() for name in request.header(_BETAS).split(",") if name.strip()]
    if len(names) > _MOST_BETAS or not all(map(_BETA.fullmatch, names)):
        raise InvalidRequest(
            f"'anthropic-beta' must be at most {_MOST_BETAS} names with commas between them.",
            code="invalid_value",
            param="anthropic-beta",
        )
    return ",".join(names)


def _wants_translated(request: Request) -> bool:
    asked = request.header(_SHOW_TRANSLATED)
    if asked not in _SWITCH:
        raise InvalidRequest(
            f"'x-gateway-show-translated' must be 1 or 0, not '{asked[:40]}'.",
            code="invalid_value",
            param="x-gateway-show-translated",
        )
    return _SWITCH[asked]


def _slugs(situation: Situation) -> Iterator[str]:
    return (provider.slug for provider in situation.snapshot.providers.values())


def _limit_headers(verdict: Verdict) -> Headers:
    if verdict.limit is None:
        return []
    return [
        (b"x-ratelimit-limit-requests", str(verdict.limit).encode()),
        (b"x-ratelimit-remaining-requests", str(verdict.remaining or 0).encode()),
        (b"x-ratelimit-reset-requests", b"%ds" % whole_seconds(verdict.reset_s or 0)),
    ]


def _shutting_down() -> Unavailable:
    return Unavailable("This gateway is shutting down.", code="server_shutting_down", retry_after_s=1)
