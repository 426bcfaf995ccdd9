"""What is missing or wrong in the catalogue, and why it matters. Pure: rules over facts, one function each."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from catalogue.endpoints import CALLED, GENERATION, answers
from catalogue.facts import ModelFacts, OfferingFacts, RouteMember
from catalogue.lifecycle.status import Status
from catalogue.pricing.cost import current_prices, is_valid
from catalogue.pricing.meters import INPUT_TEXT, OUTPUT_TEXT
from catalogue.published.snapshot import Snapshot
from catalogue.words import unknown

Identity = tuple[str, int | None, int | None, int | None, str]
"""Kind, and the keys of the model, the offering and the provider that it is about; then its text."""
WHAT_KEPT = 500
# A licence under which people may have the weights, whatever else it forbids them.
_OPEN_LICENCE = re.compile(
    r"\b(mit|apache|bsd|isc|mpl|[al]?gpl|cc[- ]by|cc0|openmdw|openrail|gemma|open model|community licen[cs]e)\b",
    re.IGNORECASE,
)
_CLOSED_LICENCE = re.compile(r"\bproprietary\b", re.IGNORECASE)


class Kind(StrEnum):
    QUARANTINED = "quarantined"
    EDITED = "edited"
    UNCALLABLE = "uncallable"
    NO_PRICE = "no_price"
    HALF_PRICE = "half_price"
    STALE_PRICE = "stale_price"
    NO_CONTEXT = "no_context"
    WEIGHTS = "weights"
    NO_SUCCESSOR = "no_successor"
    LOST_SUCCESSOR = "lost_successor"
    NO_RETIREMENT = "no_retirement"
    ENDED = "ended"
    DEAD_ALIAS = "dead_alias"
    UNSEEN_UPSTREAM = "unseen_upstream"
    UNCONNECTED = "unconnected"
    MEMBER_LEAVES = "member_leaves"
    EMPTY_TIER = "empty_tier"


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a kind is called, and why somebody should care."""

    title: str
    why: str


EXPLANATIONS: Mapping[Kind, Explanation] = {
    Kind.QUARANTINED: Explanation(
        "Quarantined", "It breaks a rule, so clients still see its last good record."
    ),
    Kind.EDITED: Explanation("Edited since published", "Clients do not see what this page says."),
    Kind.UNCALLABLE: Explanation(
        "Cannot be called",
        "No call can go there, whatever is connected: clients see what they cannot call.",
    ),
    Kind.NO_PRICE: Explanation("No price", "A meter without a price costs nothing: calls there are free."),
    Kind.HALF_PRICE: Explanation("Half a price", "One direction has a price and the other is free."),
    Kind.STALE_PRICE: Explanation(
        "Stale price", "Nobody has checked it for a long time; the provider may charge something else."
    ),
    Kind.NO_CONTEXT: Explanation(
        "No context length", "Long requests cannot be routed to a model that takes them."
    ),
    Kind.WEIGHTS: Explanation(
        "Weights against licence",
        "One says that they can be downloaded and the other that they cannot: people filter by the wrong one.",
    ),
    Kind.NO_SUCCESSOR: Explanation(
        "No successor", "Whoever has to leave this model is not told where to go."
    ),
    Kind.LOST_SUCCESSOR: Explanation(
        "Successor leads nowhere",
        "Its successor is retired or not published, so clients are sent to nothing.",
    ),
    Kind.NO_RETIREMENT: Explanation(
        "No retirement date", "Deprecated without an end: nobody knows how long it works."
    ),
    Kind.ENDED: Explanation(
        "Ended without retirement", "No offering serves it any more, and yet it is not retired."
    ),
    Kind.DEAD_ALIAS: Explanation(
        "Dead alias", "The name leads to a model that nobody can call any more, and to nothing instead."
    ),
    Kind.UNSEEN_UPSTREAM: Explanation(
        "Unseen upstream", "The provider's own list does not have this name, so calls may fail there."
    ),
    Kind.UNCONNECTED: Explanation(
        "Not connected",
        "This provider has no usable credential, so models that only it offers cannot be called.",
    ),
    Kind.MEMBER_LEAVES: Explanation(
        "Member leaves", "A model that a route goes to ends, and its share falls to the others."
    ),
    Kind.EMPTY_TIER: Explanation(
        "Tier that nothing serves",
        "Calls pass it over: who is to answer there, or in its place, is not there.",
    ),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """One model as edited. `priced_at` says by offering when its prices were last looked at."""

    pk: int
    model: ModelFacts
    priced_at: Mapping[int, datetime] = field(default_factory=dict)
    quarantine_reason: str = ""
    is_published: bool = True
    is_live_as_edited: bool = True


@dataclass(frozen=True, slots=True)
class World:
    """What a model is judged against: all working models, what providers list, and the time.

    `upstream_names` has only providers whose list is known.
    """

    snapshot: Snapshot
    at: datetime
    upstream_names: Mapping[int, frozenset[str]] = field(default_factory=dict)
    stale_after: timedelta = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Finding:
    """`model_pk`, and `offering_id` where it is about one offering, say the page where it is fixed.

    One about a provider has its `provider_id` instead, and neither of the model's.
    """

    kind: Kind
    model_pk: int
    model_id: str
    what: str
    offering_id: int | None = None
    provider_id: int | None = None

    @property
    def organisation_id(self) -> str:
        return self.model_id.partition("/")[0]

    @property
    def identity(self) -> Identity:
        """Of the same finding at another time. What is said of a provider counts models, which come and go."""
        what = "" if self.provider_id else self.what[:WHAT_KEPT]
        return (self.kind, self.model_pk or None, self.offering_id, self.provider_id, what)


Findings = Iterator[tuple[Kind, str, int | None]]
"""Kind, what, and the offering's id."""
Rule = Callable[[Subject, World], Findings]


def examine(subject: Subject, world: World) -> Iterator[Finding]:
    """Everything that is to be fixed of one model, the worst first."""
    rules: Sequence[Rule] = (
        _ALWAYS if subject.model.status(world.at) is Status.RETIRED else (*_ALWAYS, *_WHILE_CALLED)
    )
    if subject.model.is_route:
        rules = [rule for rule in rules if rule not in _OF_OFFERINGS]
    for rule in rules:
        for kind, what, offering_id in rule(subject, world):
            yield Finding(kind, subject.pk, subject.model.id, what, offering_id)


def publication(subject: Subject, world: World) -> Findings:  # noqa: ARG001 - every rule takes both
    if subject.quarantine_reason:
        yield Kind.QUARANTINED, subject.quarantine_reason, None
    elif not subject.is_live_as_edited:
        what = "Saved, but not published in this form." if subject.is_published else "Never published."
        yield Kind.EDITED, what, None


def callable_(subject: Subject, world: World) -> Findings:
    """Switches, credentials and health do not count: what is asked is whether anybody could be called at all."""
    offerings = _running(subject.model, world.at)
    wrong = {each.id: reason for each in offerings if (reason := _against_calls(each, world))}
    if not subject.model.offerings:
        if subject.model.is_listed(world.at):
            what = "None of its members is offered." if subject.model.is_route else "It has no offering."
            yield Kind.UNCALLABLE, what, None
    elif subject.model.is_route and (not offerings or len(wrong) < len(offerings)):
        # What is wrong with one of them is told of the member that has it.
        return
    elif offerings and len(wrong) == len(offerings):
        yield Kind.UNCALLABLE, " ".join(dict.fromkeys(wrong.values())), None
    else:
        yield from ((Kind.UNCALLABLE, reason, id_) for id_, reason in wrong.items())


def unconnected(models: Iterable[ModelFacts], world: World) -> Iterator[Finding]:
    """One line a provider that nothing opens: those models wait for it, and nothing is wrong with them."""
    waiting: Counter[int] = Counter()
    for model in models:
        if model.is_route:
            continue
        listed = _running(model, world.at) if model.is_listed(world.at) else []
        waiting.update({each.provider_id for each in listed if not _against_calls(each, world)})
    for id_, count in waiting.most_common():
        provider = world.snapshot.providers.get(id_)
        if provider is not None and provider.is_enabled and not provider.is_usable:
            models_ = "1 model" if count == 1 else f"{count} models"
            what = f"{provider.name} waits for a credential; {models_} could be called there."
            yield Finding(Kind.UNCONNECTED, 0, "", what, provider_id=id_)


def prices(subject: Subject, world: World) -> Findings:
    for offering in _running(subject.model, world.at):
        meters = {price.meter for price in current_prices(offering.prices, world.at)}
        missing = {INPUT_TEXT, OUTPUT_TEXT} - meters
        if not meters:
            yield Kind.NO_PRICE, f"{_place(offering)} {_without_price(offering, world.at)}.", offering.id
        elif len(missing) == 1 and _generates(offering):
            word = "input" if INPUT_TEXT in missing else "output"
            yield Kind.HALF_PRICE, f"{_place(offering)} has no {word} price.", offering.id


def price_age(subject: Subject, world: World) -> Findings:
    for offering in _running(subject.model, world.at):
        looked = subject.priced_at.get(offering.id)
        if offering.prices and looked is not None and looked <= world.at - world.stale_after:
            what = f"Prices at {_place(offering)} were last checked on {looked:%Y-%m-%d}."
            yield Kind.STALE_PRICE, what, offering.id


def context(subject: Subject, world: World) -> Findings:
    takes_text = "text" in subject.model.input_types
    offerings = _running(subject.model, world.at)
    if takes_text and subject.model.context_length is None and not all(o.context_length for o in offerings):
        yield Kind.NO_CONTEXT, "Neither the model nor all of its offerings say how much they take.", None
    elif takes_text and subject.model.context_length is None and not offerings:
        yield Kind.NO_CONTEXT, "The model does not say how much it takes.", None


def weights(subject: Subject, world: World) -> Findings:  # noqa: ARG001 - every rule takes both
    model, licence = subject.model, subject.model.licence or ""
    if model.open_weights is False and _OPEN_LICENCE.search(licence):
        yield Kind.WEIGHTS, f"Its weights are closed, and {licence} is a licence of open ones.", None
    elif model.open_weights and _CLOSED_LICENCE.search(licence):
        yield Kind.WEIGHTS, f"Its weights are open, and its licence is {licence}.", None


def successor(subject: Subject, world: World) -> Findings:
    model = subject.model
    if model.status(world.at) not in {Status.DEPRECATED, Status.RETIRED}:
        return
    if world.snapshot.successor(model, world.at) is not None:
        return
    if model.successor_id:
        yield Kind.LOST_SUCCESSOR, f"From {model.successor_id} no step leads to a model that is listed.", None
    else:
        yield Kind.NO_SUCCESSOR, f"It is {model.status(world.at)}, and nothing is named to follow it.", None


def retirement(subject: Subject, world: World) -> Findings:
    model = subject.model
    if model.retirement_at is not None:
        return
    if model.offerings and not _running(model, world.at):
        yield Kind.ENDED, f"All of its {len(model.offerings)} offerings have ended.", None
    elif model.status(world.at) is Status.DEPRECATED:
        yield Kind.NO_RETIREMENT, f"Deprecated since {model.deprecation_at:%Y-%m-%d}, without an end.", None


def aliases(subject: Subject, world: World) -> Findings:
    """Switches do not count: they are turned for a while, and a name is not dead for that."""
    model = subject.model
    if model.status(world.at) is Status.RETIRED:
        reason = "its model is retired, and nothing listed is named instead"
        if world.snapshot.successor(model, world.at) is not None:
            # Calls hear what to use instead, or are led there: that is what the name is for by now.
            return
    elif not _running(model, world.at):
        reason = "its model has no offering that is not over"
    else:
        return
    yield from ((Kind.DEAD_ALIAS, f"{name}: {reason}.", None) for name in model.aliases)


def upstream(subject: Subject, world: World) -> Findings:
    for offering in _running(subject.model, world.at):
        names = world.upstream_names.get(offering.provider_id)
        # Some providers list their names below a folder that calls do not need.
        if names and not {offering.upstream_name, f"models/{offering.upstream_name}"} & names:
            yield Kind.UNSEEN_UPSTREAM, f"{_place(offering)} is not in the provider's list.", offering.id


def members(subject: Subject, world: World) -> Findings:
    """Of a route: those that end, or will, and those that are not there."""
    for name in dict.fromkeys(member.model_id for member in subject.model.members):
        model = world.snapshot.models.get(name)
        status = model.status(world.at) if model else None
        if model is None or status is Status.ANNOUNCED:
            yield Kind.MEMBER_LEAVES, f"{name} is not there yet: it is not published, or not released.", None
        elif status is Status.RETIRED:
            yield Kind.MEMBER_LEAVES, f"{name} is retired{_instead(model, world)}.", None
        elif ends := model.retirement_at:
            yield Kind.MEMBER_LEAVES, f"{name} retires on {ends:%Y-%m-%d}{_instead(model, world)}.", None
        elif status is Status.DEPRECATED:
            yield Kind.MEMBER_LEAVES, f"{name} is deprecated{_instead(model, world)}.", None


def tiers(subject: Subject, world: World) -> Findings:
    """Of a route: those of which no member is offered anywhere, whatever is switched on."""
    of_tier: dict[int, list[RouteMember]] = {}
    for member in subject.model.members:
        if member.weight and not member.canary_percent:
            of_tier.setdefault(member.tier, []).append(member)
    for tier, listed in sorted(of_tier.items()):
        if not any(_is_offered(member, world) for member in listed):
            names = ", ".join(dict.fromkeys(member.model_id for member in listed))
            yield Kind.EMPTY_TIER, f"Tier {tier}: nobody offers {names}.", None


def _is_offered(member: RouteMember, world: World) -> bool:
    model = world.snapshot.models.get(member.model_id)
    if model is None or not model.is_listed(world.at):
        return False
    return any(
        member.provider_slug in {"", each.provider_slug} and not _against_calls(each, world)
        for each in _running(model, world.at)
    )


def _instead(model: ModelFacts, world: World) -> str:
    following = world.snapshot.successor(model, world.at)
    return f"; {following.id} follows it" if following else ""


_ALWAYS: tuple[Rule, ...] = (publication, weights, successor, aliases)
_WHILE_CALLED: tuple[Rule, ...] = (
    *(callable_, members, tiers),
    *(prices, price_age, context, retirement, upstream),
)
_OF_OFFERINGS: tuple[Rule, ...] = (weights, prices, price_age, context, upstream)
"""About what a route has of its members, where it is told."""


def _running(model: ModelFacts, at: datetime) -> list[OfferingFacts]:
    """Those that are not over; some may yet begin."""
    return [o for o in model.offerings if o.effective_to is None or o.effective_to > at]


def _against_calls(offering: OfferingFacts, world: World) -> str:
    """Why no call could go there, in a sentence; empty if one could."""
    provider = world.snapshot.providers.get(offering.provider_id)
    if answers(provider.wire_format if provider else "", offering.endpoints):
        return ""
    place, names = _place(offering), ", ".join(sorted(offering.endpoints))
    if not offering.endpoints:
        return f"{place} names no endpoint."
    if strange := unknown("endpoints", sorted(offering.endpoints)):
        called = f"This gateway calls {', '.join(CALLED)}."
        return f"{place} has the endpoint {', '.join(strange)}, which nobody knows. {called}"
    if offering.endpoints.isdisjoint(CALLED):
        return f"{place} is for {names}, which this gateway lists but does not call."
    return f"{place}: its wire format has no {names}."


def _generates(offering: OfferingFacts) -> bool:
    """Whether text comes out of it that somebody pays for."""
    return not offering.endpoints.isdisjoint(GENERATION)


def _without_price(offering: OfferingFacts, at: datetime) -> str:
    if any(is_valid(price, at) for price in offering.prices):
        return "has prices only in other plans, currencies or under conditions"
    return "has no price now"


def _place(offering: OfferingFacts) -> str:
    return f"{offering.upstream_name} at {offering.provider_name}"
