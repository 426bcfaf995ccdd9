"""What budgets are asked to hold for a call, in 10^-10 USD. Pure, but for what answers it has learned from."""

from collections.abc import Sequence

from accounts.budgets import SubjectBudgets
from accounts.money import units_of
from catalogue.pricing.rate_card import RateCards
from gateway.core.store.interface import BudgetAsk
from gateway.proxy.admission.sizes import AnswerSizes
from gateway.proxy.routing.ways import Candidate
from gateway.proxy.targets import MOST_ATTEMPTS
from providers.operations.registry import operation_of
from providers.wire.call import Call
from providers.wire.usage import Usage, counted

_LONGEST_ANSWER = 128_000
"""Tokens, where neither the client nor the catalogue says how long an answer may be."""


class Holds:
    """Of one process. What a call may cost is that at the most expensive offering that may be tried."""

    def __init__(self, rate_cards: RateCards, sizes: AnswerSizes) -> None:
        self._rate_cards = rate_cards
        self._sizes = sizes

    def ask(
        self,
        call: Call,
        budgets: Sequence[SubjectBudgets],
        candidates: Sequence[Candidate],
        input_tokens: int,
        now: float,
    ) -> list[BudgetAsk]:
        """One for each subject: strict ones hold the most that the call may cost, others what is likely.

        Then the call knows how many output tokens that covers.
        """
        tried = candidates[:MOST_ATTEMPTS]
        allowed = operation_of(call.endpoint).most_output_tokens(call)
        longest = [_longest(candidate, allowed) for candidate in tried]
        most = self._most_expensive(tried, input_tokens, longest, now)
        likely = most
        if not all(each.is_strict for each in budgets):
            asked = call.owners["lineage_id"], tried[0].model.id, call.endpoint
            expected = call.held_output_tokens = self._sizes.expect(asked, allowed)
            likely = self._most_expensive(tried, input_tokens, [expected] * len(tried), now)
        return [
            BudgetAsk(each.subject, each.windows_at(now), most if each.is_strict else likely, most)
            for each in budgets
        ]

    def learn(self, call: Call, model: str, output_tokens: int) -> None:
        if call.held_output_tokens:
            self._sizes.learn((call.owners["lineage_id"], model, call.endpoint), output_tokens)

    def _most_expensive(
        self, candidates: Sequence[Candidate], input_tokens: int, output_tokens: Sequence[int], now: float
    ) -> int:
        costs = [
            self._rate_cards.find(candidate.offering, now).cost_usd(
                Usage(counted(input_tokens=input_tokens, output_tokens=length))
            )
            for candidate, length in zip(candidates, output_tokens, strict=True)
        ]
        return units_of(max(costs))


def _longest(candidate: Candidate, most: int | None) -> int:
    if most is not None:
        return most
    offering, model = candidate.offering, candidate.model
    return offering.max_output_tokens or model.max_output_tokens or _LONGEST_ANSWER
