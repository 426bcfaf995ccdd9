"""Efforts and budgets of thinking stand for each other."""

import pytest

from providers.wire.effort import EFFORT_BUDGETS, budget_for, effort_for


@pytest.mark.parametrize(
    ("budget", "effort"),
    [
        (0, "none"),
        (1, "minimal"),
        (128, "minimal"),
        (129, "low"),
        (1_024, "low"),
        (1_025, "medium"),
        (2_048, "medium"),
        (2_049, "high"),
        (4_096, "high"),
        (4_097, "high"),
        (8_192, "high"),
        (31_999, "high"),
    ],
)
def test_budget_is_told_as_an_effort_that_every_model_knows(budget, effort):
    assert effort_for(budget) == effort


@pytest.mark.parametrize("effort", ["minimal", "low", "medium", "high"])
def test_effort_that_became_a_budget_becomes_itself_again(effort):
    assert effort_for(budget_for(effort)) == effort


def test_budget_stays_within_its_bounds():
    assert budget_for("none", least=1_024) == 0
    assert budget_for("minimal", least=1_024) == 1_024
    assert budget_for("max", most=999) == 999
    assert budget_for("max") == EFFORT_BUDGETS["max"]
