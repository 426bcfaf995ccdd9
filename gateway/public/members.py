"""Who answers for a named route, as its page shows it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalogue.facts import ModelFacts, RouteMember
from catalogue.published.reading import Reading
from catalogue.published.route_record import conditions_in_words, turn_in_words


@dataclass(frozen=True, slots=True)
class MemberEntry:
    """`model` is None where it is not published; `share` is of the calls of its tier, or of all for a canary."""

    facts: RouteMember
    model: ModelFacts | None
    status: str
    share: str

    @property
    def turn(self) -> str:
        return turn_in_words(self.facts)

    @property
    def calls(self) -> str:
        return conditions_in_words(self.facts) or "for every call"


def member_entries(route: ModelFacts, reading: Reading) -> Sequence[MemberEntry]:
    """Canaries first, then in the order of tiers."""
    ordered = sorted(route.members, key=lambda each: (not each.canary_percent, each.tier))
    return [_entry(each, route, reading) for each in ordered]


def _entry(member: RouteMember, route: ModelFacts, reading: Reading) -> MemberEntry:
    model = reading.snapshot.models.get(member.model_id)
    status = model.status(reading.at).value if model else "not published"
    return MemberEntry(member, model, status, _share(member, route))


def _share(member: RouteMember, route: ModelFacts) -> str:
    """Of the calls that all of its tier are for."""
    if member.canary_percent:
        return f"{member.canary_percent} %"
    base = [each for each in route.members if each.tier == member.tier and not each.canary_percent]
    whole = sum(each.weight for each in base)
    return f"{100 * member.weight / whole:.3g} %" if member.weight else "none"
