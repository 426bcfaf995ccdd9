"""The id of a request: ours, whatever the client sent, and told in every answer."""

from collections.abc import Mapping
from typing import Any

from gateway.proxy.client import Message, Send
from gateway.proxy.ids import mint_id
from gateway.proxy.response_headers import Headers

_NAME = b"x-request-id"


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
