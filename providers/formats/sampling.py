"""Fits how tokens are drawn, and how much is thought, to what a provider's model takes: moved or left out, and told."""

from collections.abc import Set
from dataclasses import replace
from typing import Any

from providers.formats.known_models import known_model
from providers.formats.losses import COMMON
from providers.formats.notes import Notes
from providers.wire.conversation import ReasoningConfig, Sampling
from providers.wire.effort import EFFORT_BUDGETS, effort_for
from providers.wire.upstream import Upstream

TUNING = ("temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed", "logit_bias")
UNSAID = Sampling()
REASONING = frozenset({"reasoning_effort", "reasoning", "thinking", "thinking_budget", "include_reasoning"})
"""An offering that declares any of these reasons as it is told."""


def lacks(upstream: Upstream, name: str) -> bool:
    """Whether the model is known to refuse a setting of sampling, or the offering declares others but not this one."""
    return name in known_model(upstream.name).refuses or bool(upstream.params and name not in upstream.params)


def refused_thinking(upstream: Upstream, effort: str | None) -> frozenset[str]:
    """The settings of sampling that the model is known to refuse at that effort; None: not said."""
    return frozenset() if effort in {None, "none"} else known_model(upstream.name).refuses_thinking


USUAL_EFFORTS = ("minimal", "low", "medium", "high")
"""Of servers that speak one of OpenAI's formats: most refuse others."""


def effort_of(reasoning: ReasoningConfig | None) -> str | None:
    """None where none is said, nor a budget that is one."""
    if reasoning is None:
        return None
    has_budget = reasoning.effort is None and reasoning.budget_tokens
    return effort_for(reasoning.budget_tokens or 0) if has_budget else reasoning.effort


def lacks_reasoning(upstream: Upstream) -> bool:
    return bool(upstream.params) and upstream.params.isdisjoint(REASONING)


def fit_sampling(
    sampling: Sampling, upstream: Upstream, notes: Notes, missing: Set[str] = frozenset()
) -> Sampling:
    """`missing` are those that the format has no words for."""
    if sampling == UNSAID:
        return sampling
    lacking = [
        name
        for name in TUNING
        if getattr(sampling, name) is not None and (name in missing or lacks(upstream, name))
    ]
    for name in lacking:
        sampling = _without(sampling, name, notes, takes_heat=not _lacks_heat(upstream, missing))
    if sampling.top_p is not None and sampling.temperature is not None:
        return _one_sampler(sampling, upstream, notes)
    return sampling


def _lacks_heat(upstream: Upstream, missing: Set[str]) -> bool:
    return "temperature" in missing or lacks(upstream, "temperature")


def _without(sampling: Sampling, name: str, notes: Notes, *, takes_heat: bool) -> Sampling:
    value = getattr(sampling, name)
    if name == "top_k" and value == 1 and takes_heat:
        # The likeliest token is what a temperature of nothing draws, too.
        notes.lose(name, "", "temperature=0")
        return replace(sampling, top_k=None, temperature=0)
    if not is_unsaid(name, value):
        notes.lose(name, "")
    left: Any = {name: None}
    return replace(sampling, **left)


def is_unsaid(name: str, value: object) -> bool:
    """Whether it asks for what a model does anyway."""
    return value in COMMON[name].unsaid or value == {}


def _one_sampler(sampling: Sampling, upstream: Upstream, notes: Notes) -> Sampling:
    if not known_model(upstream.name).takes_one_sampler:
        return sampling
    if sampling.top_p != 1:
        notes.lose("top_p", "")
    return replace(sampling, top_p=None)


def fit_reasoning(
    reasoning: ReasoningConfig | None, upstream: Upstream, notes: Notes, usual: tuple[str, ...] = ()
) -> ReasoningConfig | None:
    """None also where the offering is declared not to reason; an effort beyond what the model has becomes its most.

    `usual` are the efforts of models that are not known; empty: all.
    """
    if reasoning is None:
        return None
    if lacks_reasoning(upstream):
        _leave_reasoning(reasoning, notes)
        return None
    effort, efforts = reasoning.effort, known_model(upstream.name).efforts or usual
    if effort is None or effort not in EFFORT_BUDGETS or not efforts or effort in efforts:
        return reasoning
    nearest = nearest_effort(effort, efforts)
    notes.lose("effort", "", nearest)
    return replace(reasoning, effort=nearest)


def _leave_reasoning(reasoning: ReasoningConfig, notes: Notes) -> None:
    if reasoning.effort not in {None, "none"}:
        notes.lose("effort", "")
    elif reasoning.budget_tokens:
        notes.lose("budget_tokens", "")


def nearest_effort(effort: str, efforts: tuple[str, ...]) -> str:
    """The most that is not over it; the least, where all are."""
    order = list(EFFORT_BUDGETS)
    return next((each for each in reversed(efforts) if order.index(each) <= order.index(effort)), efforts[0])
