"""OpenAI's Responses: `POST /v1/responses` and `/v1/responses/input_tokens`.

Answers are stored by the gateway: see gateway.proxy.stored.
"""

from typing import Any

from gateway.proxy.surfaces.base import CountSurface, FormatSurface
from gateway.proxy.surfaces.fields import (
    at_most,
    either,
    integer,
    list_of,
    one_of,
    record,
    refuse,
    text,
    within,
)
from gateway.proxy.surfaces.settings import SETTINGS, check_stream_options
from providers.formats.registry import RESPONSES as FORMAT
from providers.wire.bounds import MOST_LABELS, MOST_MESSAGES, MOST_TOOLS

_FIELDS = {
    **SETTINGS,
    "include": list_of(text(), most=MOST_LABELS),
    "input": either("a string or a list of items", text(), list_of(record({}), most=MOST_MESSAGES)),
    "max_output_tokens": integer(1),
    "max_tool_calls": integer(1),
    "previous_response_id": text(128, least=1),
    "text": record({"verbosity": one_of("low", "medium", "high")}),
    "tool_choice": within({"tools": at_most(MOST_TOOLS)}),
    "tools": at_most(MOST_TOOLS),
}
_fields, _counted_fields = record(_FIELDS, required=("model",)), record(_FIELDS)
_NOT_YET = ("conversation", "background")


def _check(body: Any, param: str) -> None:
    _fields(body, param)
    check_stream_options(body)
    _refuse_missing(body)


def _check_counted(body: Any, param: str) -> None:
    """It may name no model: the estimate is the same for all."""
    _counted_fields(body, param)
    _refuse_missing(body)


def _refuse_missing(body: Any) -> None:
    for name in _NOT_YET:
        if body.get(name):
            raise refuse(name, "left out: go on from an answer by 'previous_response_id'", body[name])


RESPONSES = FormatSurface("/v1/responses", "responses", _check, format="responses", keeps_answers=True)
INPUT_TOKENS = CountSurface(
    "/v1/responses/input_tokens",
    "responses",
    _check_counted,
    format="responses",
    keeps_answers=True,
    count_tokens=FORMAT.count_tokens,
)
