"""Whether a team, or one of its keys, may call a model, and what stands against it, in sentences. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from accounts.keys import KeyFacts
from accounts.models import Key, Team
from accounts.patterns import matches_any
from accounts.policies import LifecyclePolicy
from accounts.scopes import INFERENCE
from catalogue.facts import ModelFacts, OfferingFacts
from catalogue.lifecycle.status import Status
from catalogue.published.reading import Reading

_FLOORS: Mapping[str, str] = {
    "floor:regions": "none of its offerings runs within the regions that calls keep to",
    "floor:zero_retention": "none of its offerings is known to keep nothing of a call",
    "floor:no_data_collection": "none of its offerings is known to use nothing of a call for its own ends",
    "floor:quantizations": "none of its offerings has a quantization that calls keep to",
}
_ELSEWHERE = "the credentials that calls go by lead elsewhere, or to an address of which nothing is known"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks. `key` None: the team, as a key without terms of its own; `facts` are of either."""

    facts: KeyFacts
    team: Team
    key: Key | None = None

    def rules(self, field_name: str) -> Iterator[tuple[str, Sequence[str]]]:
        """Whose the lists of that name are, and what is on them."""
        yield self.team.name, getattr(self.team, field_name)
        if self.key:
            yield f"the key {self.key.name}", getattr(self.key, field_name)


@dataclass(frozen=True, slots=True)
class Against:
    """One thing that stands against a call. `asked` fills in the request that would change it, where one could.

    `is_rule`: the team's, or the key's, and not the same for everybody.
    """

    text: str
    is_rule: bool = True
    asked: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`notes` are what is good to know beside it."""

    against: Sequence[Against] = ()
    notes: Sequence[str] = ()

    @property
    def may_call(self) -> bool:
        return not self.against

    @property
    def is_closed(self) -> bool:
        """To these eyes, and not to everybody."""
        return any(each.is_rule for each in self.against)

    @property
    def rule(self) -> str:
        """The first rule that stands against it."""
        return next((each.text for each in self.against if each.is_rule), "")

    @property
    def asked(self) -> Mapping[str, str]:
        """What to ask for, where asking would open all that is closed."""
        return self.against[0].asked if len(self.against) == 1 else {}


def judge(viewer: Viewer, model: ModelFacts, reading: Reading) -> Verdict:
    against = [*_by_life(viewer, model, reading), *_by_rules(viewer, model)]
    if not model.is_listed(reading.at):
        return Verdict(against, list(_notes(viewer, model, reading, ())))
    reached = reading.reached(viewer.facts, model)
    if not reached:
        against.append(Against("No provider that offers it is connected to this gateway.", is_rule=False))
    elif model.members and not any(_may_answer(viewer, each.model_id, reading) for each in model.members):
        against.append(Against("None of the models that answer for it may be called."))
    else:
        against += _by_offerings(viewer, model, reading, reached)
    return Verdict(against, list(_notes(viewer, model, reading, reached)))


def _by_life(viewer: Viewer, model: ModelFacts, reading: Reading) -> Iterator[Against]:
    if INFERENCE not in viewer.facts.scopes:
        yield Against("The key may not call models: it lacks the scope inference.")
    status = model.status(reading.at)
    if status is Status.RETIRED:
        yield Against("It is retired.", is_rule=False)
    elif status is Status.ANNOUNCED:
        yield Against("It is not released yet.", is_rule=False)
    elif model.is_blocked(model.id, viewer.facts.lifecycle_policy, reading.at):
        yield Against(f"It is deprecated, and {viewer.team.name} blocks deprecated models.")


def _by_rules(viewer: Viewer, model: ModelFacts) -> Iterator[Against]:
    """As Restrictions.permits_model and KeyFacts.may_call decide, with whose rule it was."""
    names = (model.id, *model.aliases)
    for whose, patterns in viewer.rules("denied_model_patterns"):
        if found := next((each for each in patterns if matches_any(names, [each])), None):
            yield Against(f"{_begin(whose)} denies “{found}”.")
    teams, keys = viewer.team.model_patterns, viewer.key.model_patterns if viewer.key else []
    if teams and not matches_any(names, teams):
        yield Against(
            f"{viewer.team.name} lists the models that it may call, and this is none of them.",
            asked={"kind": "model", "model": model.id},
        )
    rules = viewer.facts.restrictions
    if rules is not None and rules.is_closed and not teams and not keys:
        yield Against(
            f"Models are closed to {viewer.team.name} until somebody lists them.",
            asked={"kind": "model", "model": model.id},
        )
    if viewer.key and keys and not matches_any(names, keys):
        yield Against(
            f"The key {viewer.key.name} lists the models that it may call, and this is none of them.",
            asked={"kind": "model", "model": model.id, "key": viewer.key.public_id},
        )


def _may_answer(viewer: Viewer, member: str, reading: Reading) -> bool:
    model = reading.snapshot.models.get(member)
    return model is not None and judge(viewer, model, reading).may_call


def _by_offerings(
    viewer: Viewer, model: ModelFacts, reading: Reading, reached: Sequence[OfferingFacts]
) -> Sequence[Against]:
    """What stands against each of them; nothing where one is left."""
    found: list[Against] = []
    for offering in reached:
        reason = _by_offering(viewer, model, reading, offering)
        if reason is None:
            return []
        if reason not in found:
            found.append(reason)
    return found


def _by_offering(
    viewer: Viewer, model: ModelFacts, reading: Reading, offering: OfferingFacts
) -> Against | None:
    slug = reading.snapshot.providers[offering.provider_id].slug
    for whose, patterns in viewer.rules("denied_provider_patterns"):
        if matches_any((slug,), patterns):
            return Against(f"{_begin(whose)} denies the provider {slug}.")
    for whose, patterns in viewer.rules("provider_patterns"):
        if patterns and not matches_any((slug,), patterns):
            of_key = {"key": viewer.key.public_id} if viewer.key and whose != viewer.team.name else {}
            return Against(
                f"{_begin(whose)} lists providers, and {slug} is none of them.",
                asked={"kind": "provider", "provider": slug, **of_key},
            )
    floor = viewer.facts.floor
    if floor is None or reading.keeps_to(floor, viewer.facts, model, offering):
        return None
    reason = _FLOORS.get(floor.reason_against(offering), _ELSEWHERE)
    return Against(f"Calls keep to {', '.join(floor.in_words())}: {reason}.")


def _notes(
    viewer: Viewer, model: ModelFacts, reading: Reading, reached: Sequence[OfferingFacts]
) -> Iterator[str]:
    own = sorted({each.provider_name for each in reached if reading.is_by_own(viewer.facts, model, each)})
    if own:
        yield f"By {viewer.team.name}'s own credential at {', '.join(own)}: what it costs is paid there."
    if viewer.facts.lifecycle_policy == LifecyclePolicy.REDIRECT and not model.is_listed(reading.at):
        successor = reading.snapshot.successor(model, reading.at, declared=True)
        if successor and model.status(reading.at) is Status.RETIRED:
            yield f"Calls of it go to {successor.id}, as {viewer.team.name} wants."


def _begin(whose: str) -> str:
    return whose[0].upper() + whose[1:] if whose.startswith("the key ") else whose
