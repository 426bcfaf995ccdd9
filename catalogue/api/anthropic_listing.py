"""The list of models in Anthropic's form. Source: platform.claude.com/docs/en/api/models-list."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import QueryDict

from catalogue.facts import ModelFacts
from catalogue.listing.parameters import CountField, ParameterField, read_parameter, refuse

BOUND = CountField(1, 1000, default=20)
_DEFAULT = 20


def anthropic_listing(model: ModelFacts) -> dict[str, Any]:
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.name,
        "created_at": _text(model.release_at or model.created_at),
        "max_input_tokens": model.context_length,
        "max_tokens": model.max_output_tokens,
        "deprecated_at": _text(model.deprecation_at),
        "retires_at": _text(model.retirement_at),
    }


def anthropic_page(models: Sequence[ModelFacts], query: QueryDict) -> dict[str, Any]:
    """Those after `after_id`, or the ones just before `before_id`. Raises ApiError."""
    limit = read_parameter(query, "limit", BOUND) or _DEFAULT
    after = read_parameter(query, "after_id", ParameterField())
    before = read_parameter(query, "before_id", ParameterField())
    if after and before:
        raise refuse("before_id", "before_id and after_id exclude each other; send one of them.")
    if before:
        end = _place(models, "before_id", before)
        shown, has_more = models[max(0, end - limit) : end], end > limit
    else:
        begin = _place(models, "after_id", after) + 1 if after else 0
        shown, has_more = models[begin : begin + limit], begin + limit < len(models)
    return {
        "data": [anthropic_listing(model) for model in shown],
        "has_more": has_more,
        "first_id": shown[0].id if shown else None,
        "last_id": shown[-1].id if shown else None,
    }


def _place(models: Sequence[ModelFacts], name: str, public_id: str) -> int:
    for place, model in enumerate(models):
        if model.id == public_id or public_id in model.aliases:
            return place
    raise refuse(name, f"{name} names no model of this list: {public_id!r}.", provided=public_id)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
