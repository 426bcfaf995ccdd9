"""The list of models in Google's form. Source: ai.google.dev/api/models.

A model's resource name is `models/` and its id here, which has a slash of its own: `models/acme/one`.
"""

from collections.abc import Sequence
from typing import Any

from django.http import QueryDict

from catalogue.endpoints import GENERATION
from catalogue.facts import ModelFacts
from catalogue.listing.parameters import CountField, ParameterField, read_parameter, refuse

_DEFAULT, _MOST = 50, 1000
# Google gives the most that it has where more is asked for.
SIZE = CountField(1, 1_000_000_000, default=_DEFAULT)
_METHODS = ("generateContent", "streamGenerateContent", "countTokens")


def google_listing(model: ModelFacts) -> dict[str, Any]:
    """What is unknown is left out, as Google does."""
    generates = any(offering.endpoints & GENERATION for offering in model.offerings)
    known = {
        "name": f"models/{model.id}",
        "baseModelId": model.id,
        "version": model.release_at.date().isoformat() if model.release_at else "1",
        "displayName": model.name,
        "description": model.description or None,
        "inputTokenLimit": model.context_length,
        "outputTokenLimit": model.max_output_tokens,
        "supportedGenerationMethods": list(_METHODS) if generates else [],
        "thinking": True if model.reasoning_tier else None,
    }
    return {name: value for name, value in known.items() if value is not None}


def google_page(models: Sequence[ModelFacts], query: QueryDict) -> dict[str, Any]:
    """`pageToken` is the id of the last model of the page before. Raises ApiError."""
    size = min(read_parameter(query, "pageSize", SIZE) or _DEFAULT, _MOST)
    after = read_parameter(query, "pageToken", ParameterField())
    begin = _place(models, after) + 1 if after else 0
    shown = models[begin : begin + size]
    page: dict[str, Any] = {"models": [google_listing(model) for model in shown]}
    if begin + size < len(models):
        page["nextPageToken"] = shown[-1].id
    return page


def _place(models: Sequence[ModelFacts], public_id: str) -> int:
    for place, model in enumerate(models):
        if model.id == public_id:
            return place
    raise refuse("pageToken", "pageToken is not from this list; start again without it.", provided=public_id)
