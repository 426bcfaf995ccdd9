"""Where each wire format lists its models, which costs nothing to ask for."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ModelList:
    """`path` is seen from the base URL. `prefix` is what the list puts before names that are called without it."""

    path: str = "models"
    headers: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""


MODEL_LISTS: Mapping[str, ModelList] = {
    "openai": ModelList(),
    "responses": ModelList(),
    "anthropic": ModelList(headers={"anthropic-version": "2023-06-01"}),
    "gemini": ModelList("models?pageSize=1000", prefix="models/"),
    "cohere": ModelList("../v1/models?page_size=1000"),
}
"""By wire format. Voyage documents none, and whatever else it answers is billed: its health stays unknown.

Source: https://ai.google.dev/api/models#method:-models.list, https://docs.cohere.com/reference/list-models (version 1
for every version of its API), https://github.com/voyage-ai/openapi.
"""
