"""Anthropic's Messages: `POST /v1/messages` and `/v1/messages/count_tokens`."""

from gateway.proxy.surfaces.base import CountSurface, FormatSurface
from gateway.proxy.surfaces.fields import (
    at_most,
    boolean,
    integer,
    number,
    one_of,
    record,
    text,
    within,
)
from providers.formats.registry import ANTHROPIC
from providers.wire.bounds import LONGEST_USER_ID, MOST_MESSAGES, MOST_STOPS, MOST_TOOLS

_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_check = record(
    {
        "model": text(200, least=1),
        "max_tokens": integer(0),
        "messages": at_most(MOST_MESSAGES),
        "metadata": within({"user_id": text(LONGEST_USER_ID)}),
        "output_config": record({"effort": one_of(*_EFFORTS)}),
        "stop_sequences": at_most(MOST_STOPS),
        "stream": boolean,
        "temperature": number(0, 1),
        "thinking": record({"budget_tokens": integer(1)}),
        "tools": at_most(MOST_TOOLS),
        "top_k": integer(0),
        "top_p": number(0, 1),
    },
    required=("model",),
)


MESSAGES = FormatSurface("/v1/messages", "messages", _check, format="anthropic")
COUNT_TOKENS = CountSurface(
    "/v1/messages/count_tokens",
    "messages",
    _check,
    format="anthropic",
    count_tokens=ANTHROPIC.count_tokens,
)
