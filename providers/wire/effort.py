"""How an effort of reasoning and a budget of tokens stand for each other, for every wire format. Pure."""

from collections.abc import Mapping

EFFORT_BUDGETS: Mapping[str, int] = {
    "minimal": 128,
    "low": 1_024,
    "medium": 2_048,
    "high": 4_096,
    "xhigh": 8_192,
    "max": 16_384,
}
"""Tokens by effort, from the least to the most. `none` is no thinking at all."""
_SAFE_EFFORTS = ("minimal", "low", "medium", "high")


def budget_for(effort: str, *, least: int = 0, most: int | None = None) -> int:
    """Tokens for an effort, 0 for `none`; never under `least`, nor over `most`. Raises KeyError."""
    if effort == "none":
        return 0
    budget = max(EFFORT_BUDGETS[effort], least)
    return budget if most is None else min(budget, most)


def effort_for(budget_tokens: int) -> str:
    """The least effort whose budget is not under `budget_tokens`, and at most `high`.

    A budget is a limit and no wish, and most models refuse an effort beyond `high`.
    """
    if budget_tokens <= 0:
        return "none"
    return next((effort for effort in _SAFE_EFFORTS if EFFORT_BUDGETS[effort] >= budget_tokens), "high")
