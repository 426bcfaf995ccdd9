"""Writes how much the model should reason; see wire.effort for how efforts and budgets stand for each other."""

from typing import Any

from providers.formats.anthropic.signatures import ORIGIN
from providers.formats.known_models import known_model
from providers.formats.notes import Notes
from providers.wire.conversation import ReasoningConfig
from providers.wire.effort import EFFORT_BUDGETS, budget_for, effort_for
from providers.wire.upstream import Upstream

_LEAST_BUDGET = 1_024
_EFFORTS = frozenset({"low", "medium", "high", "xhigh", "max"})


class ReasoningWriter:
    """Older models take a budget and no effort, the newest an effort and no budget."""

    def __init__(self, notes: Notes, max_tokens: int, upstream: Upstream) -> None:
        self._notes = notes
        self._max_tokens = max_tokens
        self._has_budgets = upstream.takes_thinking_budget
        self._refuses_budget = known_model(upstream.name).refuses_budget

    def write(self, reasoning: ReasoningConfig) -> tuple[dict[str, Any] | None, str | None]:
        """The member `thinking` and the effort for `output_config`. Raises CannotTranslate."""
        if reasoning.effort == "none" or reasoning.budget_tokens == 0:
            return {"type": "disabled"}, None
        if self._refuses_budget and reasoning.budget_tokens is not None:
            return self._as_effort(reasoning)
        if self._notes.source == ORIGIN and not (self._has_budgets and reasoning.budget_tokens is None):
            return self._as_said(reasoning), reasoning.effort
        if not (
            reasoning.effort or reasoning.budget_tokens or reasoning.is_adaptive or reasoning.is_included
        ):
            return None, None
        return self._as_budget(reasoning) if self._has_budgets else self._as_effort(reasoning)

    def _as_said(self, reasoning: ReasoningConfig) -> dict[str, Any] | None:
        if reasoning.budget_tokens is not None:
            return self._with_display(
                {"type": "enabled", "budget_tokens": reasoning.budget_tokens}, reasoning
            )
        return self._with_display({"type": "adaptive"}, reasoning) if reasoning.is_adaptive else None

    def _as_effort(self, reasoning: ReasoningConfig) -> tuple[dict[str, Any], str | None]:
        # Without being asked for, the thoughts of newer models come back empty.
        display = "omitted" if reasoning.is_included is False else "summarized"
        effort = self._effort(reasoning)
        if effort is not None:
            said = "effort" if reasoning.effort else "budget_tokens"
            self._notes.note(said, f"output_config.effort={effort}")
        return {"type": "adaptive", "display": display}, effort

    def _effort(self, reasoning: ReasoningConfig) -> str | None:
        effort = reasoning.effort
        if effort is None and reasoning.budget_tokens is not None:
            effort = effort_for(reasoning.budget_tokens)
        if effort == "minimal":
            return "low"
        if effort is not None and effort not in _EFFORTS:
            self._notes.lose("effort", "")
            return None
        return effort

    def _as_budget(self, reasoning: ReasoningConfig) -> tuple[dict[str, Any] | None, None]:
        if self._max_tokens <= _LEAST_BUDGET:
            # It thinks with so many tokens or more, and its answer may have fewer.
            self._notes.lose("budget_tokens" if reasoning.budget_tokens else "effort", "")
            return None, None
        budget = self._budget(reasoning)
        if budget != reasoning.budget_tokens:
            said = "budget_tokens" if reasoning.budget_tokens else "effort"
            self._notes.note(said, f"thinking.budget_tokens={budget}")
        return self._with_display({"type": "enabled", "budget_tokens": budget}, reasoning), None

    def _budget(self, reasoning: ReasoningConfig) -> int:
        most = self._max_tokens - 1
        if reasoning.budget_tokens is not None and reasoning.budget_tokens > 0:
            return min(max(reasoning.budget_tokens, _LEAST_BUDGET), most)
        effort = reasoning.effort or "high"
        if effort not in EFFORT_BUDGETS:
            effort = "high"
        return budget_for(effort, least=_LEAST_BUDGET, most=most)

    def _with_display(self, written: dict[str, Any], reasoning: ReasoningConfig) -> dict[str, Any]:
        if reasoning.is_included is None:
            return written
        return written | {"display": "summarized" if reasoning.is_included else "omitted"}
