"""Stop 4, first half: what names mean to a key: models, the successors that policies name, or a refusal. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from accounts.keys import KeyFacts
from accounts.policies import POLICIES, LifecyclePolicy
from catalogue.facts import ModelFacts, OfferingFacts
from catalogue.lifecycle.status import Status
from catalogue.published.snapshot import Snapshot
from gateway.proxy.errors import GatewayError, InvalidRequest, ModelRetired, NotFound
from gateway.proxy.routing.names import AUTO, Asked, read_name
from gateway.proxy.routing.preferences import ProviderPreferences
from providers.facts import Way
from providers.health import HealthStatus
from providers.operations.registry import operation_of
from providers.tallies import Tally


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
    draw: float = 0.0
    """All that is left to chance: 0 ≤ draw < 1. At 0 the best comes first wherever there is one."""
    headroom_of: Callable[[OfferingFacts], float] | None = None
    """How much of its quotas is left, from 0 to 1, as it was at most a second ago. None: nobody has any."""
    affinity: Callable[[bytes], Way | None] | None = None
    """Which way holds the cache of prompts with such a mark, if any is known to."""
    tally_of: Callable[[Way], Tally] | None = None
    """What was counted of a way in the last 5 minutes: asked where the client prefers a speed."""
    counts_own: bool = False
    """Such a budget counts calls on the team's own credentials, too."""
    places: ProviderPreferences | None = None
    """What each credential is held to where not all of them lead to the same place; None: as its offering is."""


@dataclass(slots=True)
class ResolvedModel:
    """One of the choices for a call: a model that is to answer, or any where `model` is None.

    `name` is what the client asked for. `retired` is the model of that name, where another stands in for it; `provider`
    the only one that may answer, empty where all may. For `sort` and `is_free` see gateway.proxy.routing.names.
    """

    model: ModelFacts | None
    policy: LifecyclePolicy
    name: str
    retired: ModelFacts | None = None
    provider: str = ""
    sort: str = ""
    is_free: bool = False
    route: ModelFacts | None = None
    """The named route of which it is a member."""


@dataclass(slots=True)
class PassedOver:
    """A choice that cannot be called at this time, and what is said of it where there is no other."""

    name: str
    refusal: GatewayError


class OutOfLife(Exception):
    """Of a model that exists, and is not out yet or retired."""

    def __init__(self, refusal: GatewayError) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def resolve_models(
    names: tuple[str, ...], endpoint: str, context: RoutingContext
) -> tuple[list[ResolvedModel], list[PassedOver]]:
    """The choices in their order, and those that their models' lives do not allow.

    Raises NotFound, also for the last name: whoever mistyped it would hear of it only when it was needed. Raises
    ModelRetired, NotFound or InvalidRequest where no choice is left.
    """
    choices: list[ResolvedModel] = []
    passed: list[PassedOver] = []
    for name in names:
        try:
            choices.append(resolve_model(name, endpoint, context))
        except OutOfLife as error:
            passed.append(PassedOver(name, error.refusal))
        except NotFound as error:
            if name != names[0]:
                error.param = "models"
            raise
    if not choices:
        raise passed[0].refusal
    return choices, passed


def resolve_model(name: str, endpoint: str, context: RoutingContext) -> ResolvedModel:
    """For an id, an alias or `auto`, with what may stand around it. Raises NotFound, InvalidRequest, OutOfLife."""
    model = context.snapshot.find(name)
    if model is not None:
        if not context.key.may_call(model.id, model.aliases):
            raise _unknown_model(name, context)
        return in_its_life(model, name, name, endpoint, context)
    asked = read_name(name, lambda text: context.snapshot.find(text) is not None)
    if asked.model == AUTO:
        _check_auto(endpoint)
        _check_provider(asked, None, context)
        found = ResolvedModel(None, POLICIES[context.key.lifecycle_policy], name)
    else:
        found = in_its_life(_find(asked, context), name, asked.model, endpoint, context)
    found.provider, found.sort, found.is_free = asked.provider, asked.sort, asked.is_free
    return found


def in_its_life(
    model: ModelFacts, name: str, called: str, endpoint: str, context: RoutingContext
) -> ResolvedModel:
    """The model, or its successor. `called`: the id or alias in `name`. Raises OutOfLife."""
    policy = policy_for(called, model, context.key)
    match model.status(context.at):
        case Status.ANNOUNCED:
            message = f"Model '{model.id}' is announced for {model.release_at:%Y-%m-%d} and cannot be called before."
            raise OutOfLife(NotFound(message, code="model_not_released", param="model"))
        case Status.DEPRECATED if policy is LifecyclePolicy.BLOCK:
            raise OutOfLife(_blocked(model, name, context))
        case Status.RETIRED:
            successor = _stand_in(model, name, endpoint, policy, context)
            return ResolvedModel(successor, policy, name, retired=model)
    return ResolvedModel(model, policy, name)


def _check_auto(endpoint: str) -> None:
    if why_named := operation_of(endpoint).why_named:
        message = f"'{AUTO}' cannot be used for {endpoint}: {why_named}. Name the model."
        raise InvalidRequest(message, code="model_required", param="model")


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
) -> ModelFacts:
    """The declared successor of a retired model. Raises OutOfLife where it may not answer."""
    if policy is not LifecyclePolicy.REDIRECT:
        raise OutOfLife(retired(model, requested, context))
    if why_named := operation_of(endpoint).why_named:
        why = f" Calls for {endpoint} are not redirected: {why_named}."
        raise OutOfLife(retired(model, requested, context, why=why))
    successor = context.snapshot.successor(model, context.at, declared=True)
    if successor is None or not context.key.may_call(successor.id, successor.aliases):
        why = " It could not be redirected: there is no declared successor that this key may call."
        raise OutOfLife(retired(model, requested, context, why=why))
    return successor


def _find(asked: Asked, context: RoutingContext) -> ModelFacts:
    """A model that is named with more than its name. Raises NotFound."""
    model = context.snapshot.find(asked.model)
    if model is None or not context.key.may_call(model.id, model.aliases):
        is_provider = not asked.provider or asked.provider in _open_providers(context)
        # Where neither is known, it was one name with a colon, most likely.
        raise _unknown_model(
            asked.model if is_provider else asked.name, context, pin=_meant_pin(asked, context)
        )
    _check_provider(asked, model, context)
    return model


def _check_provider(asked: Asked, model: ModelFacts | None, context: RoutingContext) -> None:
    """That the provider that has to answer exists, is open to the key, and offers the model. Raises NotFound."""
    if not asked.provider:
        return
    known = _open_providers(context)
    having = known & _providers_of(model, context) if model else known
    if asked.provider in having:
        return
    if model is None or asked.provider not in known:
        message = f"Provider '{asked.provider[:60]}' does not exist, or this key may not use it."
    else:
        message = f"Provider '{asked.provider}' does not offer model '{model.id}'."
    near = get_close_matches(asked.provider[:60], sorted(having), n=3, cutoff=0.6)
    if model:
        near = near or sorted(having)[:3]
    hint = f" Did you mean {' or '.join(repr(f'{slug}:{asked.model}') for slug in near)}?" if near else ""
    raise NotFound(message + hint, code="provider_not_found", param="model")


def _meant_pin(asked: Asked, context: RoutingContext) -> str:
    """The pin that a name stands for in which a slash is where its colon should be, or empty."""
    slug, _, name = asked.model.partition("/")
    model = context.snapshot.find(name)
    if model is None or not context.key.may_call(model.id, model.aliases):
        return ""
    return f"{slug}:{name}" if slug in _open_providers(context) & _providers_of(model, context) else ""


def _open_providers(context: RoutingContext) -> set[str]:
    rules = context.key.restrictions
    return {
        provider.slug
        for provider in context.snapshot.providers.values()
        if rules is None or rules.permits_provider(provider.slug)
    }


def _providers_of(model: ModelFacts, context: RoutingContext) -> set[str]:
    providers = context.snapshot.providers
    ids = {offering.provider_id for offering in model.offerings}
    return {providers[id_].slug for id_ in ids if id_ in providers}


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


def _unknown_model(requested: str, context: RoutingContext, *, pin: str = "") -> NotFound:
    """`pin`: what was meant, where that is known."""
    snapshot = context.snapshot
    names = [*snapshot.models, *(a for a, target in snapshot.aliases.items() if target in snapshot.models)]
    near = (
        [pin]
        if pin
        else [
            name
            for name in get_close_matches(requested[:200], names, n=5, cutoff=0.6)
            if (model := snapshot.find(name)) and context.key.may_call(model.id, model.aliases)
        ]
    )
    hint = (
        f" Did you mean {' or '.join(repr(name) for name in near[:3])}?"
        if near
        else " GET /v1/models lists them."
    )
    message = f"Model '{requested[:200]}' does not exist, or this key may not call it.{hint}"
    return NotFound(message, code="model_not_found", param="model")
