"""Writes how much the model should think; see wire.effort for how efforts and budgets stand for each other."""

from typing import Any

from providers.formats.anthropic.notes import Notes
from providers.formats.anthropic.seal import ORIGIN
from providers.wire.conversation import Thinking
from providers.wire.effort import EFFORT_BUDGETS, budget_for, effort_for

_LEAST_BUDGET = 1_024
_EFFORTS = frozenset({"low", "medium", "high", "xhigh", "max"})


class ThinkingWriter:
    """`has_budgets`: the model is an older one, which takes a budget and no effort."""

    def __init__(self, notes: Notes, max_tokens: int, *, has_budgets: bool) -> None:
        self._notes = notes
        self._max_tokens = max_tokens
        self._has_budgets = has_budgets

    def write(self, thinking: Thinking) -> tuple[dict[str, Any] | None, str | None]:
        """The member `thinking` and the effort for `output_config`. Raises CannotTranslate."""
        if thinking.effort == "none" or thinking.budget_tokens == 0:
            return {"type": "disabled"}, None
        if self._notes.source == ORIGIN and not (self._has_budgets and thinking.budget_tokens is None):
            return self._as_said(thinking), thinking.effort
        if not (thinking.effort or thinking.budget_tokens or thinking.is_adaptive or thinking.is_shown):
            return None, None
        return self._as_budget(thinking) if self._has_budgets else self._as_effort(thinking)

    def _as_said(self, thinking: Thinking) -> dict[str, Any] | None:
        if thinking.budget_tokens is not None:
            return self._with_display({"type": "enabled", "budget_tokens": thinking.budget_tokens}, thinking)
        return self._with_display({"type": "adaptive"}, thinking) if thinking.is_adaptive else None

    def _as_effort(self, thinking: Thinking) -> tuple[dict[str, Any], str | None]:
        # Without being asked for, the thoughts of newer models come back empty.
        display = "omitted" if thinking.is_shown is False else "summarized"
        effort = self._effort(thinking)
        if effort is not None:
            said = "effort" if thinking.effort else "budget_tokens"
            self._notes.note(said, f"output_config.effort={effort}")
        return {"type": "adaptive", "display": display}, effort

    def _effort(self, thinking: Thinking) -> str | None:
        effort = thinking.effort
        if effort is None and thinking.budget_tokens is not None:
            effort = effort_for(thinking.budget_tokens)
        if effort == "minimal":
            return "low"
        if effort is not None and effort not in _EFFORTS:
            raise self._notes.refuse("effort", f"The chosen provider has no effort '{effort}'.")
        return effort

    def _as_budget(self, thinking: Thinking) -> tuple[dict[str, Any], None]:
        if self._max_tokens <= _LEAST_BUDGET:
            message = (
                f"The chosen model thinks with {_LEAST_BUDGET} tokens or more, and its answer may have fewer."
            )
            raise self._notes.refuse("max_output_tokens", message)
        budget = self._budget(thinking)
        if budget != thinking.budget_tokens:
            said = "budget_tokens" if thinking.budget_tokens else "effort"
            self._notes.note(said, f"thinking.budget_tokens={budget}")
        return self._with_display({"type": "enabled", "budget_tokens": budget}, thinking), None

    def _budget(self, thinking: Thinking) -> int:
        most = self._max_tokens - 1
        if thinking.budget_tokens is not None and thinking.budget_tokens > 0:
            return min(max(thinking.budget_tokens, _LEAST_BUDGET), most)
        effort = thinking.effort or "high"
        if effort not in EFFORT_BUDGETS:
            raise self._notes.refuse("effort", f"The chosen provider has no effort '{effort}'.")
        return budget_for(effort, least=_LEAST_BUDGET, most=most)

    def _with_display(self, written: dict[str, Any], thinking: Thinking) -> dict[str, Any]:
        if thinking.is_shown is None:
            return written
        return written | {"display": "summarized" if thinking.is_shown else "omitted"}
