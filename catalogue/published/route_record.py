"""What clients read of a named route: who answers for it, how often, and for which calls. Pure.

Whose calls a member is for, where it is only for one team's, is nobody else's business.
"""

from collections.abc import Iterator
from typing import Any

from catalogue.facts import MemberConditions, ModelFacts, RouteMember

_ANY = MemberConditions()


def route_record(model: ModelFacts) -> dict[str, Any] | None:
    """The member `route` of its record; None of a model."""
    if not model.is_route:
        return None
    return {
        "fallback_on": list(model.fallback_on),
        "members": [_member(each) for each in model.members],
    }


def member_text(member: RouteMember) -> str:
    """Such as “acme/one at fast-cloud: tier 0, weight 3, for streamed calls with tools”."""
    place = f"{member.model_id} at {member.provider_slug}" if member.provider_slug else member.model_id
    calls = conditions_in_words(member)
    return f"{place}: {turn_in_words(member)}{f', {calls}' if calls else ''}"


def turn_in_words(member: RouteMember) -> str:
    if member.canary_percent:
        return f"canary, {member.canary_percent} of 100 calls"
    return f"tier {member.tier}, weight {member.weight}"


def conditions_in_words(member: RouteMember) -> str:
    """Such as “for streamed calls with tools, of one team”; empty of one that is for every call."""
    asked = member.conditions
    if asked is None or asked == _ANY:
        return ""
    kind = {None: "calls", True: "streamed calls", False: "calls that are not streamed"}[asked.is_streamed]
    parts = ", ".join(_parts(asked))
    return f"for {kind} {parts}" if parts else f"for {kind}"


def _parts(asked: MemberConditions) -> Iterator[str]:
    if asked.has_tools is not None:
        yield "with tools" if asked.has_tools else "without tools"
    if asked.input_types:
        words = sorted(asked.input_types - {"text"})
        alone = ["text alone"] if "text" in asked.input_types else []
        yield f"with {' or '.join([*words, *alone])} in their input" if words else "of text alone"
    if asked.input_tokens_from is not None:
        yield f"of at least {asked.input_tokens_from:,} input tokens"
    if asked.input_tokens_below is not None:
        yield f"of fewer than {asked.input_tokens_below:,} input tokens"
    if asked.endpoints:
        yield f"at {' or '.join(sorted(asked.endpoints))}"
    if asked.project_id is not None:
        yield "of one project"
    elif asked.team_id is not None:
        yield "of one team"


def _member(member: RouteMember) -> dict[str, Any]:
    asked = member.conditions or _ANY
    return {
        "model_id": member.model_id,
        "provider_id": member.provider_slug or None,
        "tier": member.tier,
        "weight": member.weight,
        "canary_percent": member.canary_percent,
        "conditions": {
            "is_streamed": asked.is_streamed,
            "has_tools": asked.has_tools,
            "input_types": sorted(asked.input_types),
            "input_tokens_from": asked.input_tokens_from,
            "input_tokens_below": asked.input_tokens_below,
            "endpoints": sorted(asked.endpoints),
            "is_for_some_teams": asked.team_id is not None or asked.project_id is not None,
        },
        "text": member_text(member),
    }
