"""Stop 4, first half: what a name means to a key: a model, the successor that its policy names, or a refusal. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from accounts.keys import KeyFacts
from accounts.policies import POLICIES, LifecyclePolicy
from catalogue.facts import ModelFacts, OfferingFacts
from catalogue.lifecycle.status import Status
from catalogue.published.snapshot import Snapshot
from gateway.proxy.errors import ModelRetired, NotFound
from providers.facts import Way
from providers.health import HealthStatus
from providers.operations.registry import operation_of


@dataclass(slots=True)
class RoutingContext:
    """Everything that a plan depends on besides the request."""

    snapshot: Snapshot
    key: KeyFacts
    at: datetime
    health_of: Callable[[Way], HealthStatus]
    """Health of an offering as this process saw it, by the way to it."""
    is_priced: Callable[[OfferingFacts], bool] | None = None
    """Whether it is known what an offering costs: asked where a budget refuses, which could not be held otherwise."""
    counts_own: bool = False
    """Such a budget counts calls on the team's own credentials, too."""


@dataclass(slots=True)
class ResolvedModel:
    """The model that is to answer. `retired` is the one that was asked for, where another stands in for it."""

    model: ModelFacts
    policy: LifecyclePolicy = LifecyclePolicy.ADVISE
    retired: ModelFacts | None = None


def resolve_model(requested: str, endpoint: str, context: RoutingContext) -> ResolvedModel:
    """For an id or an alias. Raises NotFound or ModelRetired."""
    model = _find(requested, context)
    policy = policy_for(requested, model, context.key)
    match model.status(context.at):
        case Status.ANNOUNCED:
            raise NotFound(
                f"Model '{model.id}' is announced for {model.release_at:%Y-%m-%d} and cannot be called before.",
                code="model_not_released",
                param="model",
            )
        case Status.DEPRECATED if policy is LifecyclePolicy.BLOCK:
            raise _blocked(model, requested, context)
        case Status.RETIRED:
            return _stand_in(model, requested, endpoint, policy, context)
    return ResolvedModel(model, policy)


def policy_for(requested: str, model: ModelFacts, key: KeyFacts) -> LifecyclePolicy:
    """The alias' own policy goes before the team's."""
    return POLICIES[model.alias_policies.get(requested) or key.lifecycle_policy]


def retired(model: ModelFacts, requested: str, context: RoutingContext, *, why: str = "") -> ModelRetired:
    """The refusal, with the way out; `why` tells that a redirect was due and what stood against it."""
    day = f" on {model.retirement_at:%Y-%m-%d}" if model.retirement_at else ""
    successor = context.snapshot.successor(model, context.at)
    return ModelRetired(
        f"Model '{requested}' was retired{day}{_advice(successor)}{why}",
        param="model",
        successor_id=successor.id if successor else None,
    )


def _stand_in(
    model: ModelFacts, requested: str, endpoint: str, policy: LifecyclePolicy, context: RoutingContext
) -> ResolvedModel:
    """The declared successor of a retired model. Raises ModelRetired where it may not answer."""
    if policy is not LifecyclePolicy.REDIRECT:
        raise retired(model, requested, context)
    if why_named := operation_of(endpoint).why_named:
        why = f" Calls for {endpoint} are not redirected: {why_named}."
        raise retired(model, requested, context, why=why)
    successor = context.snapshot.successor(model, context.at, declared=True)
    if successor is None or not context.key.may_call(successor.id, successor.aliases):
        why = " It could not be redirected: there is no declared successor that this key may call."
        raise retired(model, requested, context, why=why)
    return ResolvedModel(successor, policy, retired=model)


def _find(requested: str, context: RoutingContext) -> ModelFacts:
    model = context.snapshot.find(requested)
    if model is None or not context.key.may_call(model.id, model.aliases):
        raise NotFound(_unknown_model_message(requested, context), code="model_not_found", param="model")
    return model


def _blocked(model: ModelFacts, requested: str, context: RoutingContext) -> ModelRetired:
    successor = context.snapshot.successor(model, context.at)
    return ModelRetired(
        f"Model '{requested}' has been deprecated since {model.deprecation_at:%Y-%m-%d}, and the lifecycle policy "
        f"blocks deprecated models{_advice(successor)}",
        code="model_deprecated",
        param="model",
        successor_id=successor.id if successor else None,
    )


def _advice(successor: ModelFacts | None) -> str:
    return f"; use '{successor.id}'." if successor else "."


def _unknown_model_message(requested: str, context: RoutingContext) -> str:
    snapshot = context.snapshot
    names = [*snapshot.models, *(a for a, target in snapshot.aliases.items() if target in snapshot.models)]
    near = [
        name
        for name in get_close_matches(requested[:200], names, n=5, cutoff=0.6)
        if (model := snapshot.find(name)) and context.key.may_call(model.id, model.aliases)
    ]
    hint = (
        f" Did you mean {' or '.join(repr(name) for name in near[:3])}?"
        if near
        else " GET /v1/models lists them."
    )
    return f"Model '{requested[:200]}' does not exist, or this key may not call it.{hint}"
