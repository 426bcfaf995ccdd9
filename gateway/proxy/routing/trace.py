"""What can be told of a plan, for whoever asks why: receipts, explanations and tests. Made where it is read, never on
a call's way. Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.proxy.routing.plan import NoRoute, RoutePlan
from gateway.proxy.routing.ways import Candidate, Dropped

STAGES = (
    *("names", "operational", "price", "capability", "parameters"),
    *("floor", "preferences", "health", "translation", "quota"),
)
"""In which offerings fall out."""
_STAGE_OF: Mapping[str, str] = {
    **dict.fromkeys(("not_pinned", "model_not_released", "model_retired", "model_deprecated"), "names"),
    **dict.fromkeys(("unpriced", "not_free"), "price"),
    **dict.fromkeys(("lacks:stream", "cannot_read", "context_too_small", "reasons_below"), "capability"),
    "lacks": "parameters",
    **dict.fromkeys(("floor", "forbidden_to_key"), "floor"),
    "excluded": "preferences",
    "breaker_open": "health",
    **dict.fromkeys(("cannot_generate", "cannot_embed"), "translation"),
    "no_room": "quota",
}
SHOWN = 60
"""Of the order, and of those that fell out, unless all are asked for."""


def stage_of(reason: str) -> str:
    """The stage in which a reason takes offerings out: one that is not known otherwise says how things stand there."""
    return _STAGE_OF.get(reason) or _STAGE_OF.get(reason.partition(":")[0]) or "operational"


def trace_of(plan: RoutePlan | NoRoute, most: int = SHOWN) -> Mapping[str, Any]:
    """JSON-ready: the draw, the choices, each stage with who fell out of it and why, and the order with its scores."""
    return {
        "draw": plan.draw,
        "choices": [
            {
                "name": choice.name,
                "model": choice.model.id if choice.model else None,
                "redirected_from": choice.retired.id if choice.retired else None,
            }
            for choice in plan.choices
        ],
        "passed_over": [{"name": each.name, "reason": each.refusal.error_code} for each in plan.passed_over],
        "stages": _stages(plan.dropped[:most]),
        "order": [_scored(candidate) for candidate in plan.candidates[:most]],
        "more": {
            "order": max(0, len(plan.candidates) - most) + plan.more,
            "dropped": max(0, len(plan.dropped) - most),
        },
        "affinity": None if plan.kept_at is None else str(plan.kept_at),
    }


def _stages(dropped: Sequence[Dropped]) -> list[Mapping[str, Any]]:
    """Those in which somebody fell out, in their order."""
    by_stage: dict[str, list[Mapping[str, Any]]] = {}
    for drop in dropped:
        by_stage.setdefault(stage_of(drop.reason), []).append(
            {**_place(drop.candidate), "reason": drop.reason}
        )
    return [{"stage": stage, "dropped": by_stage[stage]} for stage in STAGES if stage in by_stage]


def _scored(candidate: Candidate) -> Mapping[str, Any]:
    health = candidate.health
    return {
        **_place(candidate),
        "rank": candidate.rank,
        "turn": candidate.turn,
        "loss": candidate.loss.name.lower(),
        "position": candidate.offering.position,
        "success_rate": None if health is None else round(health.success_rate, 3),
        "latency_ms": None if health is None or health.latency_ms is None else round(health.latency_ms, 1),
    }


def _place(candidate: Candidate) -> Mapping[str, Any]:
    offering = candidate.offering
    return {
        "model": candidate.model.id,
        "provider": offering.provider_slug,
        "upstream_name": offering.upstream_name,
        "way": str(candidate.way),
    }
