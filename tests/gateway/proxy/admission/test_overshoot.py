"""By how much calls overshoot a budget that holds what is likely: with answers of long-tailed lengths, many at once."""

import random
from collections.abc import Callable
from heapq import heappop, heappush

import pytest

from gateway.core.store.budgets import MemoryBudgets
from gateway.core.store.interface import Ask, BudgetAsk, Charge, WindowLimit
from gateway.proxy.admission.sizes import AnswerSizes

AMOUNT = 10**12
"""Of the budget, where a token costs 100,000: for some 10,000 answers of 1,000 tokens."""
A_TOKEN = 100_000
LONGEST = 32_000
ASKED = (1, "acme/one", "chat.completions")
WINDOW = WindowLimit("lifetime:0", 0, AMOUNT)
Draw = Callable[[random.Random], float]
LENGTHS: dict[str, Draw] = {
    "log-normal": lambda drawn: drawn.lognormvariate(6, 1.5),
    "pareto": lambda drawn: 300 * drawn.paretovariate(1.3),
    "mostly short, at times the longest": lambda drawn: LONGEST if drawn.random() < 0.05 else 50,
}


def spend_all(draw: Draw, at_once: int, seed: int) -> tuple[int, int]:
    """What is spent in the end, and the most that one call cost. Each call lasts as long as its answer is."""
    drawn, budgets, sizes = random.Random(seed), MemoryBudgets(lambda: 0.0), AnswerSizes()
    budgets.install("key:1", 1, {WINDOW.window: 0}, {})
    running: list[tuple[float, int, int]] = []
    now, number, spent, largest = 0.0, 0, 0, 0
    while True:
        while len(running) < at_once:
            likely = A_TOKEN * sizes.expect(ASKED, LONGEST)
            ask = Ask(str(number), budgets=[BudgetAsk("key:1", (WINDOW,), likely, LONGEST * A_TOKEN)])
            refusal, holds = budgets.look(ask)
            if refusal is not None:
                break
            budgets.take(ask.call_id, ["key:1"], holds)
            tokens = max(1, min(LONGEST, round(draw(drawn))))
            heappush(running, (now + tokens, number, tokens))
            number += 1
        if not running:
            return spent, largest
        now, ended, tokens = heappop(running)
        cost = tokens * A_TOKEN
        budgets.settle(str(ended), [Charge("key:1", 0, cost)], "p", ended)
        budgets.release_holds(str(ended), ["key:1"])
        sizes.learn(ASKED, tokens)
        spent, largest = spent + cost, max(largest, cost)


CASES = [(lengths, at_once) for lengths in ("log-normal", "pareto") for at_once in (1, 20, 200)]
CASES += [("mostly short, at times the longest", at_once) for at_once in (1, 20)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("lengths", "at_once"), CASES)
def test_a_budget_is_overshot_by_a_twentieth_or_one_call_at_most(
    lengths: str, at_once: int, seed: int
) -> None:
    spent, largest = spend_all(LENGTHS[lengths], at_once, seed)
    assert AMOUNT <= spent <= AMOUNT + max(AMOUNT // 20, largest)
