"""Well-meaning providers that leave out or misplace what OpenAI's own SDK needs."""

from typing import Any

from tests.upstream import answers
from tests.upstream.behaviours import behaviour
from tests.upstream.exchange import Exchange

_USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
# Without id, type and index, and the arguments are no text.
_BARE_CALL = {"function": {"name": "look", "arguments": {"at": "sea"}}}


@behaviour("no-usage")
async def tell_no_usage(exchange: Exchange) -> None:
    if exchange.body.get("input"):
        return await exchange.json(200, {**answers.embeddings(exchange.body), "usage": None})
    if not exchange.is_streamed:
        return await exchange.json(200, {**answers.chat(exchange.body, exchange.id), "usage": None})
    return await _stream(exchange, [_delta({"content": "Ahoy"}), _delta({}, "stop")])


@behaviour("usage-beside-choices")
async def tell_usage_beside_choices(exchange: Exchange) -> None:
    """The sum so far in each chunk, as several servers have it."""
    chunks = [_delta({"content": "Ahoy"}), _delta({}, "stop")]
    return await _stream(exchange, [chunk | {"usage": _USAGE} for chunk in chunks])


@behaviour("float-vectors")
async def ignore_the_encoding(exchange: Exchange) -> None:
    body = {**exchange.body, "encoding_format": "float"}
    await exchange.json(200, answers.embeddings(body))


@behaviour("bare-calls")
async def call_tools_barely(exchange: Exchange) -> None:
    if exchange.is_streamed:
        deltas = [_delta({"tool_calls": [_BARE_CALL]}), _delta({"tool_calls": [_BARE_CALL]})]
        return await _stream(exchange, [*deltas, _delta({}, "tool_calls")])
    message = {"content": None, "tool_calls": [_BARE_CALL, _BARE_CALL]}
    choice = {"message": message, "finish_reason": "tool_calls"}
    return await exchange.json(200, {"choices": [choice], "usage": _USAGE})


def _delta(fields: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"delta": fields, "finish_reason": finish}]}


async def _stream(exchange: Exchange, chunks: list[dict[str, Any]]) -> None:
    await exchange.open_stream()
    for chunk in chunks:
        await exchange.event(chunk)
    await exchange.event(b"[DONE]")
    await exchange.close_stream()
