"""Named routes: which of a route's members a call goes to, and in which order. Pure."""

from collections.abc import Sequence

from accounts.keys import KeyFacts
from catalogue.facts import MemberConditions, ModelFacts, RouteMember
from providers.operations.base import Requirements

_WHOLE = 100


def members_in_order(
    route: ModelFacts, required: Requirements, facts: KeyFacts, draw: float
) -> list[list[RouteMember]]:
    """The members that a call is for, by rank: whoever comes first is tried first. Empty where it is for none.

    `draw` (0 ≤ draw < 1) decides everything that is left to chance: a canary's turn, then in each tier who comes first
    and who follows, by their weights. A canary whose turn it is not comes last, so that no call is refused that it
    could serve; a member of weight 0 takes none.
    """
    asked = [member for member in route.members if is_for(member.conditions, required, facts)]
    canaries = [member for member in asked if member.canary_percent]
    chosen, draw = _drawn(canaries, [member.canary_percent or 0 for member in canaries], _WHOLE, draw)
    base = [member for member in asked if not member.canary_percent and member.weight]
    ranks = [[chosen]] if chosen else []
    for tier in sorted({member.tier for member in base}):
        ranks += _by_weight([member for member in base if member.tier == tier], draw)
    return ranks + [[member] for member in canaries if member is not chosen]


def is_for(conditions: MemberConditions | None, required: Requirements, facts: KeyFacts) -> bool:
    """Whether a member under these conditions is for a call."""
    if conditions is None:
        return True
    return _suits_request(conditions, required) and (
        conditions.team_id in {None, facts.team_id}
        and conditions.project_id in {None, facts.owners["project_id"]}
    )


def _suits_request(conditions: MemberConditions, required: Requirements) -> bool:
    begins, ends = conditions.input_tokens_from, conditions.input_tokens_below
    return (
        conditions.is_streamed in {None, required.is_streamed}
        and conditions.has_tools in {None, "tools" in required.params}
        and (not conditions.input_types or not conditions.input_types.isdisjoint(_types(required)))
        and (begins is None or required.input_tokens >= begins)
        and (ends is None or required.input_tokens < ends)
        and (not conditions.endpoints or required.endpoint in conditions.endpoints)
    )


def _types(required: Requirements) -> frozenset[str]:
    """Of a request that names none, text."""
    return required.input_types or frozenset({"text"})


def _by_weight(members: Sequence[RouteMember], draw: float) -> list[list[RouteMember]]:
    """One after the other, each drawn by its weight among those that are left."""
    left, ranks = list(members), []
    while left:
        weights = [member.weight for member in left]
        chosen, draw = _drawn(left, weights, sum(weights), draw)
        # A draw that rounding took to its end is the last one's.
        chosen = chosen or left[-1]
        left.remove(chosen)
        ranks.append([chosen])
    return ranks


def _drawn(
    members: Sequence[RouteMember], shares: Sequence[int], whole: int, draw: float
) -> tuple[RouteMember | None, float]:
    """Whose share of the whole the draw falls into, and where in that share, from 0 to 1: a draw of its own.

    None: into what they leave of the whole.
    """
    place, begins = draw * whole, 0
    for member, share in zip(members, shares, strict=True):
        if place < begins + share:
            return member, (place - begins) / share
        begins += share
    return None, (place - begins) / (whole - begins) if whole > begins else 0.0
