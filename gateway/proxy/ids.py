"""Ids of requests, calls and attempts. A request's is ours, whatever the client sent, and told in every answer."""

import os
import time
from collections.abc import Mapping
from typing import Any

from gateway.proxy.client import Message, Send
from gateway.proxy.response_headers import Headers

_NAME = b"x-request-id"
_RANDOM_DIGITS = 20
_MINTED_AT_ONCE = 256
_waiting: list[str] = []
# A child must not give out what its parent gives out too.
os.register_at_fork(after_in_child=_waiting.clear)


def mint_id() -> str:
    """The time in ms, then 80 random bits, in hex: fits a UUID column, and rows of one time lie together in an index.

    Minted many at once, with one time: to ask the system for random bits is what costs.
    """
    try:
        return _waiting.pop()
    except IndexError:
        digits = os.urandom(_RANDOM_DIGITS // 2 * _MINTED_AT_ONCE).hex()
        moment = f"{time.time_ns() // 1_000_000:012x}"
        parts = range(_RANDOM_DIGITS, len(digits), _RANDOM_DIGITS)
        _waiting.extend(moment + digits[start : start + _RANDOM_DIGITS] for start in parts)
        return moment + digits[:_RANDOM_DIGITS]


def mint_request_id() -> str:
    return f"req_{mint_id()}"


def id_headers(request_id: str) -> Headers:
    """Under both names that SDKs read: OpenAI's and Anthropic's."""
    told = request_id.encode()
    return [(_NAME, told), (b"request-id", told)]


def identified(scope: Mapping[str, Any], send: Send) -> tuple[Mapping[str, Any], Send]:
    """For an application behind the edge: the request with a new id, and a `send` that tells it to the client."""
    added = id_headers(mint_request_id())
    names = {name for name, _ in added}

    async def send_identified(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message["headers"] if pair[0].lower() not in names]
            message = {**message, "headers": [*kept, *added]}
        await send(message)

    others = [pair for pair in scope["headers"] if pair[0] not in names]
    return {**scope, "headers": [*others, added[0]]}, send_identified
