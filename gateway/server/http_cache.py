"""An HTTP cache of answers of the catalogue that Django built, for as long as they stay true. Builds none itself."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from accounts.floors import Floor
from accounts.permits import judge
from accounts.restrictions import Restrictions
from accounts.scopes import CATALOGUE
from catalogue.instants import OF_DAY, day_text
from gateway.core.client_address import NO_PROXIES, TrustedProxies, client_of_scope
from gateway.core.envelopes import spoken_form
from gateway.core.packing import takes_gzip
from gateway.proxy.authenticate import authenticate, read_headers
from gateway.proxy.client import Message, Receive, Send
from gateway.proxy.errors import GatewayError
from gateway.proxy.ids import id_headers, identified, mint_request_id
from gateway.proxy.ports import KeyDirectory, Snapshots
from gateway.proxy.response_headers import Headers

Scope = Mapping[str, Any]
Application = Callable[[Any, Receive, Send], Awaitable[None]]

_PATHS = ("/v1/models", "/v1beta/models", "/v1/gateway/")
_KEPT_BYTES = 64 * 1024 * 1024
_ANSWER_BYTES = 8 * 1024 * 1024
# A key of its own, in the address: Django knows what it opens.
_TOKEN = b"token"
# A name of a host has no more; Django lets none in that it does not know, but where it was told to know all.
_LONGEST_HOST = 255 + len(":65535")
# Of an answer and its key, besides what clients send and read.
_EACH_BYTES = 1024
_NOT_CACHED = frozenset({b"x-request-id", b"request-id", b"date"})
_NAMED_IN_304 = frozenset({b"etag", b"cache-control", b"last-modified", b"vary", b"link"})


def is_cacheable(scope: Scope) -> bool:
    """Whether Django's answer may be one that is kept."""
    is_get = scope["type"] == "http" and scope["method"] == "GET"
    return is_get and str(scope["path"]).startswith(_PATHS)


class CacheKey(NamedTuple):
    """What an answer depends on: its address, its form, the scheme and host of its links, and who may see the same."""

    path: str
    query: bytes
    host: bytes
    is_https: bool
    form: str
    is_packed: bool
    model_patterns: tuple[str, ...]
    restrictions: Restrictions | None
    floor: Floor | None
    lineage_id: int
    """0 where there is neither a floor nor a credential of its team's own: those may be for some keys only."""
    blocks_deprecated: bool

    @property
    def size(self) -> int:
        return len(self.path) + len(self.query) + len(self.host) + sum(map(len, self.model_patterns))


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A whole 200, without what belongs to one request. `tag` is its ETag; it is true in `state`, on that `day`.

    A day is told by the tags of answers that depend on it: it is empty for all others.
    """

    state: str
    day: str
    tag: bytes
    headers: Headers
    body: bytes

    @property
    def size(self) -> int:
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers)

    def is_true(self, state: str, at: datetime) -> bool:
        return self.state == state and self.day in {"", day_text(at)}

    def is_known_to(self, headers: Mapping[bytes, bytes]) -> bool:
        """Whether the client has it already. Source: RFC 9110, weak comparison."""
        shown = headers.get(b"if-none-match")
        if shown is not None:
            known = {_opaque(self.tag), b"*"}
            return any(_opaque(each.strip()) in known for each in shown.split(b","))
        modified, since = (
            # Django spells the names of its headers with capitals.
            _moment({name.lower(): value for name, value in self.headers}, b"last-modified"),
            _moment(headers, b"if-modified-since"),
        )
        return modified is not None and since is not None and modified <= since


@dataclass(slots=True)
class _Copy:
    """An answer on its way out, gathered while it passes."""

    send: Send
    headers: Headers = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    is_whole: bool = False
    is_ok: bool = False

    async def pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.is_ok = message["status"] == 200
            self.headers = [pair for pair in message["headers"] if pair[0].lower() not in _NOT_CACHED]
        elif self.is_ok:
            self._gather(message)
        await self.send(message)

    def _gather(self, message: Message) -> None:
        part = message.get("body", b"")
        self.size += len(part)
        self.is_ok = self.size <= _ANSWER_BYTES
        self.parts.append(part)
        self.is_whole = not message.get("more_body", False)

    def answer(self) -> CachedResponse | None:
        """None where it may not be kept: it was no 200, too large, or names no state of the catalogue."""
        tag = next((value for name, value in self.headers if name.lower() == b"etag"), b"")
        state, _, day = tag.removeprefix(b'W/"').rpartition(b"-")[0].decode("latin-1").partition(OF_DAY)
        if not (self.is_ok and self.is_whole and state):
            return None
        return CachedResponse(state, day, tag, self.headers, b"".join(self.parts))


class ResponseCache:
    """Answers kept by address, by who may see the same, and by how they are packed."""

    def __init__(
        self,
        keys: KeyDirectory,
        snapshots: Snapshots,
        behind: Application,
        *,
        proxies: TrustedProxies = NO_PROXIES,
        kept_bytes: int = _KEPT_BYTES,
    ) -> None:
        self._proxies = proxies
        self._kept_bytes = kept_bytes
        self._keys = keys
        self._snapshots = snapshots
        self._behind = behind
        self._answers: OrderedDict[CacheKey, CachedResponse] = OrderedDict()
        self._size = 0

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = read_headers(scope["headers"])
        cache_key = await self._cache_key(scope, headers)
        kept = self._answers.get(cache_key) if cache_key else None
        now = datetime.now(UTC)
        if cache_key and kept and kept.is_true(self._snapshots.current.state(now), now):
            self._answers.move_to_end(cache_key)
            return await _repeat(kept, headers, send)
        identified_scope, identified_send = identified(scope, send)
        copy = _Copy(identified_send)
        await self._behind(identified_scope, receive, copy.pass_on)
        answer = copy.answer()
        if cache_key and answer:
            self._keep(cache_key, answer)
        return None

    async def _cache_key(self, scope: Scope, headers: Mapping[bytes, bytes]) -> CacheKey | None:
        """None for a request that Django has to refuse, or to let in, itself."""
        query, host = scope["query_string"], headers.get(b"host", b"")
        if _TOKEN in unquote_to_bytes(query) or len(host) > _LONGEST_HOST:
            return None
        try:
            key = await authenticate(headers, self._keys, time.time())
        except GatewayError:
            return None
        if judge(key, CATALOGUE, address=client_of_scope(scope, self._proxies)):
            return None
        return CacheKey(
            scope["path"],
            query,
            host,
            _is_https(scope, headers),
            spoken_form(lambda name: name.encode() in headers),
            takes_gzip(headers.get(b"accept-encoding", b"").decode("latin-1")),
            key.model_patterns,
            key.restrictions,
            key.floor,
            key.lineage_id if key.floor or key.team_id in self._snapshots.current.credentials else 0,
            key.blocks_deprecated,
        )

    def _keep(self, cache_key: CacheKey, answer: CachedResponse) -> None:
        self._forget(cache_key)
        self._answers[cache_key] = answer
        self._size += _size(cache_key, answer)
        while self._size > self._kept_bytes:
            self._forget(next(iter(self._answers)))

    def _forget(self, cache_key: CacheKey) -> None:
        if answer := self._answers.pop(cache_key, None):
            self._size -= _size(cache_key, answer)


def _opaque(tag: bytes) -> bytes:
    """What of a tag is compared where weak ones are as good as strong ones."""
    return tag.removeprefix(b"W/")


def _moment(headers: Mapping[bytes, bytes], name: bytes) -> datetime | None:
    """None where there is none, or it is no date of HTTP."""
    try:
        moment = parsedate_to_datetime(headers[name].decode("latin-1"))
    except (KeyError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _size(cache_key: CacheKey, answer: CachedResponse) -> int:
    return cache_key.size + answer.size + _EACH_BYTES


def _is_https(scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
    """As Django reads it, where it believes the header."""
    said = headers.get(b"x-forwarded-proto")
    return scope.get("scheme") == "https" if said is None else said.split(b",")[0].strip() == b"https"


async def _repeat(answer: CachedResponse, headers: Mapping[bytes, bytes], send: Send) -> None:
    is_known = answer.is_known_to(headers)
    said = (
        [pair for pair in answer.headers if pair[0].lower() in _NAMED_IN_304] if is_known else answer.headers
    )
    start = {
        "type": "http.response.start",
        "status": 304 if is_known else 200,
        "headers": [*said, *id_headers(mint_request_id())],
    }
    await send(start)
    await send({"type": "http.response.body", "body": b"" if is_known else answer.body})
