"""Answers of the Responses surface that can be gone on from: what is asked in full, and what is kept. No SQL here."""

import logging
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from gateway.proxy.errors import BodyTooLarge, InvalidRequest, Unavailable
from gateway.proxy.exchange import ResponseHead, ResponseSink
from gateway.proxy.ports import StoredResponses, StoredResponsesUnavailable, StoredTurn
from providers.formats.responses.repeated import whole_response
from providers.wire.bounds import MOST_MESSAGES
from providers.wire.json_text import is_too_deep
from providers.wire.sse import SseSplitter

_log = logging.getLogger(__name__)
_ENDS = frozenset({"response.completed", "response.incomplete"})
ENCRYPTED = "reasoning.encrypted_content"


@dataclass(frozen=True, slots=True)
class Turn:
    """`asked` is the request with all earlier items in its input; `input` the same items, as a list."""

    asked: Mapping[str, Any]
    input: list[Any]
    previous_id: str | None
    is_kept: bool


async def open_turn(
    parsed: Mapping[str, Any], responses: StoredResponses, *, team_id: int, may_keep: bool, limit_bytes: int
) -> Turn:
    """Raises InvalidRequest, BodyTooLarge, Unavailable."""
    previous_id = parsed.get("previous_response_id")
    items = input_items(parsed.get("input"))
    if previous_id is not None:
        items = [*await _earlier(previous_id, responses, team_id), *items]
    is_kept = may_keep and parsed.get("store") is not False
    asked = {name: value for name, value in parsed.items() if name != "previous_response_id"}
    asked["store"] = is_kept
    if previous_id is not None:
        asked["input"] = items
        if len(items) > MOST_MESSAGES:
            message = (
                f"With what went before, the input has {len(items)} items; at most {MOST_MESSAGES} are taken."
            )
            raise InvalidRequest(message, code="invalid_value", param="previous_response_id")
        if len(orjson.dumps(asked)) > limit_bytes:
            message = f"With what went before, the request is larger than {limit_bytes} bytes, the limit."
            raise BodyTooLarge(message, param="previous_response_id")
    if is_kept and asked.get("reasoning"):
        # Nobody else keeps the thoughts, and the next turn may need them.
        asked["include"] = list(dict.fromkeys([*(asked.get("include") or ()), ENCRYPTED]))
    return Turn(asked, items, previous_id, is_kept)


async def _earlier(response_id: str, responses: StoredResponses, team_id: int) -> list[Any]:
    try:
        kept = await responses.find(team_id, response_id)
    except StoredResponsesUnavailable:
        raise Unavailable(
            "Stored responses cannot be read at the moment; send the whole input, or try again.",
            code="responses_unavailable",
            retry_after_s=5,
        ) from None
    if kept is None:
        raise InvalidRequest(
            f"There is no stored response '{response_id[:80]}': it was not stored, has expired, or is another team's.",
            code="previous_response_not_found",
            param="previous_response_id",
        )
    return [*kept.input, *filter(_can_be_sent, kept.response.get("output") or ())]


def _can_be_sent(item: Any) -> bool:
    """Thoughts go back as their provider signed them, or not at all."""
    return not (
        isinstance(item, dict) and item.get("type") == "reasoning" and not item.get("encrypted_content")
    )


def input_items(value: Any) -> list[Any]:
    """An input as a list of items."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": value}]}]
    return list(value)


class StoringSink:
    """A sink before the client's: tells the answer as this gateway stores it, and stores it before its end is out.

    See gateway.proxy.exchange.ResponseSink. Where it cannot be stored, the client has its answer all the same.
    """

    def __init__(
        self, sink: ResponseSink, turn: Turn, responses: StoredResponses, team_id: int, *, response_id: str
    ) -> None:
        """What is stored has that id: those of providers are unique at the provider alone, and not at all of them."""
        self._own = {"id": response_id} if turn.is_kept else {}
        self._sink = sink
        self._turn = turn
        self._responses = responses
        self._team_id = team_id
        self._created = int(time.time())
        self._head: ResponseHead | None = None
        # The last event holds the whole answer, whose size was watched already.
        self._splitter = SseSplitter(limit_bytes=sys.maxsize)
        self._whole = bytearray()

    async def begin(self, head: ResponseHead) -> None:
        """A whole answer's length is known once it is rewritten."""
        if head.length is None:
            await self._sink.begin(head)
        else:
            self._head = head

    async def send(self, data: bytes, *, is_last: bool = False) -> None:
        if self._head is None:
            return await self._sink.send(await self._relay(data), is_last=is_last)
        self._whole += data
        if len(self._whole) == self._head.length:
            body = await self._tell(orjson.loads(self._whole))
            await self._sink.begin(replace(self._head, length=len(body)))
            await self._sink.send(body, is_last=True)
        return None

    async def _relay(self, data: bytes) -> bytes:
        """Whole events; what is none, such as a heartbeat, goes on as it is."""
        events = self._splitter.feed(data)
        if not events and not data.strip():
            return data
        return b"".join([await self._rewrite(event) for event in events])

    async def _rewrite(self, source: bytes) -> bytes:
        try:
            event = orjson.loads(source)
            kind, response = event["type"], event.get("response")
        except (orjson.JSONDecodeError, TypeError, KeyError):
            return b"data: %b\n\n" % source
        if isinstance(response, dict) and not is_too_deep(event, source):
            told = await self._keep(response) if kind in _ENDS else self._open(response)
            event["response"] = told
            source = orjson.dumps(event)
        return b"event: %b\ndata: %b\n\n" % (str(kind).encode(), source)

    async def _tell(self, response: dict[str, Any]) -> bytes:
        return orjson.dumps(await self._keep(response))

    def _open(self, response: dict[str, Any]) -> dict[str, Any]:
        """As not stored: that it is, is told at its end, when it is true."""
        return self._named(response, is_stored=False)

    async def _keep(self, response: dict[str, Any]) -> dict[str, Any]:
        """The response as the client is told it: not as stored where that failed."""
        named = self._named(response, is_stored=self._turn.is_kept)
        if not self._turn.is_kept:
            return named
        try:
            await self._responses.keep(self._team_id, StoredTurn(named, self._turn.input))
        except StoredResponsesUnavailable:
            _log.error("Response %s could not be stored.", named["id"])
            return self._named(response, is_stored=False)
        return named

    def _named(self, response: dict[str, Any], *, is_stored: bool) -> dict[str, Any]:
        told = {"store": is_stored, "previous_response_id": self._turn.previous_id}
        whole = whole_response(response, self._turn.asked, created=self._created, now=int(time.time()))
        return {**whole, **self._own, **told}
