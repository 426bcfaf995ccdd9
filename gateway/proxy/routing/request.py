"""What a client asks a route for. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.proxy.errors import InvalidRequest
from gateway.proxy.routing.preferences import NO_PREFERENCES, ProviderPreferences
from gateway.proxy.surfaces.fields import list_of, refuse, text
from providers.operations.base import Requirements
from providers.operations.registry import operation_of
from providers.wire.conversation import Conversation

MODELS, LEVEL = "models", "min_reasoning_level"
"""Members of a body that are ours."""
LEVELS = ("low", "medium", "high")
"""Of reasoning, the lowest first; a model that does not reason has none."""
MOST_MODELS = 16
_LONGEST_NAME = 500
_check_models = list_of(text(_LONGEST_NAME, least=1), least=1, most=MOST_MODELS)
_LEVEL_OF_EFFORT: Mapping[str, str] = {
    **{level: level for level in LEVELS},
    "minimal": "low",
    "xhigh": "high",
    "max": "high",
}


@dataclass(slots=True)
class RouteRequest:
    """`names` are tried in their order: what the body's `model` says, then its `models`.

    `min_reasoning_level` is a floor for whatever answers; `reasoning_effort` orders what `auto` may choose, and is its
    floor where there is no other. Both are one of LEVELS, or empty. `prompt_mark` is the same for prompts that begin
    alike: see gateway.proxy.routing.affinity.
    """

    names: tuple[str, ...]
    required: Requirements
    preferences: ProviderPreferences = NO_PREFERENCES
    min_reasoning_level: str = ""
    reasoning_effort: str = ""
    prompt_mark: bytes | None = None
    chooses: bool = False
    """`auto` may be among the names."""
    is_plain: bool = True
    """Nothing that was learnt from other calls matters to it, and it is small."""
    is_large: bool = False


def read_names(body: Mapping[str, Any], model: str, endpoint: str) -> tuple[str, ...]:
    """The body's `model` and, where one has to be named, no more than that. Raises InvalidRequest."""
    further = body.get(MODELS)
    if further is None:
        return (model,)
    _check_models(further, MODELS)
    if why_named := operation_of(endpoint).why_named:
        raise InvalidRequest(
            f"'{MODELS}' cannot be used for {endpoint}: {why_named}. Name one model, in 'model'.",
            code="model_required",
            param=MODELS,
        )
    return tuple(dict.fromkeys((model, *further)))


def read_level(body: Mapping[str, Any]) -> str:
    """The floor of reasoning that the body names; empty where it names none. Raises InvalidRequest."""
    level = body.get(LEVEL)
    if level is None:
        return ""
    if level not in LEVELS:
        raise refuse(LEVEL, f"one of {', '.join(LEVELS)}", level)
    return str(level)


def read_effort(required: Requirements, body: Mapping[str, Any]) -> str:
    """How much a request of any format wants its model to think, as a level; empty where it leaves that open."""
    request = required.request
    if isinstance(request, Conversation):
        effort = request.reasoning.effort if request.reasoning else None
    else:
        effort = body.get("reasoning_effort")
    return _LEVEL_OF_EFFORT.get(effort, "") if isinstance(effort, str) else ""
