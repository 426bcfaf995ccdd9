"""Stop 1: the edge. Answers inference itself and hands everything else to the application behind it."""

import asyncio
import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from accounts.keys import KeyFacts
from accounts.permits import judge
from accounts.scopes import INFERENCE
from gateway.core.client_address import client_of_scope
from gateway.proxy.authenticate import authenticate, judge_guess, read_headers
from gateway.proxy.carry import EdgeServices, carry
from gateway.proxy.client import ClientConnection, Receive, Send, read_body
from gateway.proxy.errors import Forbidden, GatewayError, MethodNotAllowed, Unauthorised, Unavailable
from gateway.proxy.exchange import CLIENT_GONE, ClientGone, read_reason
from gateway.proxy.explaining import explain
from gateway.proxy.gate import Gate
from gateway.proxy.ids import id_headers, mint_request_id
from gateway.proxy.observers import CallRecord
from gateway.proxy.ports import KeyDirectory, KeysUnavailable
from gateway.proxy.request_headers import ClientRequest, check_content
from gateway.proxy.settle import CANCELLED, FAILED, FINISHED, GATEWAY_ERROR
from gateway.proxy.surfaces.base import Surface
from gateway.proxy.surfaces.explain import ExplainSurface

logger = logging.getLogger(__name__)

Scope = Mapping[str, Any]

# How often all open calls are looked at: a timer or a task for each of them would cost every call for the few.
_LOOK_S = 0.1


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
    waits_since: float | None = None
    """When its stream was first seen in a lane."""
    _was_seen: bool = False
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

    def look(self, now: float, services: EdgeServices) -> None:
        """Give a client up that takes nothing for too long, and listen for the goodbye of the others.

        From the second look on: most calls are over by then, and to listen is a task of its own.
        """
        since = self.client.writing_since
        if since is not None and now - since > services.write_timeout_s:
            self._lose_client()
        elif not self._was_seen:
            self._was_seen = True
        elif self._watch is None and self.receive is not None:
            self._watch = asyncio.ensure_future(self.receive())
            self._watch.add_done_callback(self._hear)
        if not self.client.has_begun:
            self._open_in_time(now, services.open_after_s)
        elif self.client.is_quiet(now, services.heartbeat_s):
            self._beat = asyncio.ensure_future(self.client.beat(services.heartbeat_s))

    def _open_in_time(self, now: float, open_after_s: float) -> None:
        """A silent stream is begun, before whatever stands between us and the client takes it for a dead one."""
        record = self.client.record
        if record.asked is None or not record.asked.is_streamed or not record.lane or record.outcome:
            return
        if self.waits_since is None:
            self.waits_since = now
        elif now - self.waits_since > open_after_s and self._may_be_ended():
            self._beat = asyncio.ensure_future(self.client.open())

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

    def __init__(self, services: EdgeServices) -> None:
        self._services = services
        self._connect = partial(
            ClientConnection,
            first_byte=services.observers.first_byte,
            write_timeout_s=services.write_timeout_s,
        )
        self._open: set[OpenCall] = set()
        self._gate = Gate(services.most_calls, self._open.__len__)
        self._is_draining = False
        self._timer: asyncio.TimerHandle | None = None

    async def answer(self, surface: Surface, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one inference request, whatever happens."""
        call = self._begin(surface, send)
        client, record = call.client, call.client.record
        try:
            request = await self._read(surface, scope, receive, call)
            try:
                if isinstance(surface, ExplainSurface):
                    await explain(surface, request, client, self._services)
                else:
                    await carry(surface, request, client, self._services)
            finally:
                call.stop_listening()
            record.end(FINISHED)
        except GatewayError as error:
            await self._fail(client, error)
        except ClientGone:
            record.end(CANCELLED, CLIENT_GONE)
        except asyncio.CancelledError as cancelled:
            record.end(CANCELLED, read_reason(cancelled))
            if call.verdict is None and not call.is_client_gone:
                raise
            call.task.uncancel()
            if call.verdict:
                await self._fail(client, call.verdict)
        except Exception:
            logger.exception("Request %s failed.", record.request_id)
            record.end(FAILED, GATEWAY_ERROR)
            await self._fail(
                client, GatewayError("The gateway failed on this request; it was not your mistake.")
            )
        finally:
            self._open.discard(call)
            if self._gate.waiting:
                self._gate.let_in()
            self._services.observers.ended(record)

    def _begin(self, surface: Surface, send: Send) -> OpenCall:
        record = CallRecord(mint_request_id(), surface, time.monotonic())
        client = self._connect(send, id_headers(record.request_id), record)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (an ASGI application always runs in a task)
        call = OpenCall(task, client, self._services.keys.revision)
        self._open.add(call)
        if self._timer is None:
            self._timer = task.get_loop().call_later(_LOOK_S, self._look)
        return call

    @property
    def is_draining(self) -> bool:
        return self._is_draining

    def open_calls(self) -> Collection[OpenCall]:
        """As they are now; safe in any thread."""
        return tuple(self._open)

    async def drain(self, grace_s: float) -> None:
        """Refuse new calls, let open ones end within the grace, then end them with an explicit error."""
        self._is_draining = True
        deadline = time.monotonic() + grace_s
        while self._open and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        for call in list(self._open):
            call.end(_shutting_down())

    def _look(self) -> None:
        services, now, at = self._services, time.monotonic(), time.time()
        for call in self._open:
            call.look(now, services)
            call.end_without_key(services.keys, at)
        self._timer = asyncio.get_running_loop().call_later(_LOOK_S, self._look) if self._open else None

    async def _read(self, surface: Surface, scope: Scope, receive: Receive, call: OpenCall) -> ClientRequest:
        """The request, once it may be answered. Raises GatewayError, ClientGone."""
        services = self._services
        headers = read_headers(scope["headers"])
        if self._is_draining:
            raise _shutting_down()
        if scope["method"] != "POST":
            raise MethodNotAllowed(f"{surface.path} takes POST, not {scope['method'][:20]}.")
        try:
            key = await authenticate(headers, services.keys, time.time())
        except Unauthorised as refusal:
            address = client_of_scope(scope, services.proxies)
            raise await judge_guess(refusal, address, services.store) from None
        record = call.client.record
        call.key = record.key = key
        if key.restrictions is not None:
            address = client_of_scope(scope, services.proxies)
            if denial := judge(key, INFERENCE, surface=surface.endpoint, address=address):
                raise Forbidden(denial.message, code=denial.code, param=denial.param)
        if len(self._open) > self._gate.most:
            record.waited_s = await self._gate.wait(key.team_id)
        check_content(headers, surface.operation.body_kind, services.body_limit_bytes)
        body = await read_body(receive, services.body_limit_bytes)
        call.receive = receive
        return ClientRequest(record.request_id, headers, key, body)

    async def _fail(self, client: ClientConnection, error: GatewayError) -> None:
        try:
            await client.fail(error)
        except ClientGone:
            # Half of a whole answer is out: ending without the rest breaks the connection, which tells the client.
            return


def _shutting_down() -> Unavailable:
    return Unavailable("This gateway is shutting down.", code="server_shutting_down", retry_after_s=1)
