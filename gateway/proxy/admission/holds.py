"""What budgets are asked to hold for a call, in 10^-10 USD. Pure, but for what answers it has learned from."""

from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from accounts.budgets import SubjectBudgets
from accounts.keys import DEPLOYMENT
from accounts.money import UNITS_A_USD, charge_of, units_of
from catalogue.pricing.rate_card import RateCard, RateCards
from gateway.core.store.interface import BudgetAsk, Tokens
from gateway.proxy.admission.sizes import AnswerSizes
from gateway.proxy.routing.ways import Candidate
from providers.wire.call import Call
from providers.wire.usage import Usage, counted

_LONGEST_ANSWER = 128_000
"""Tokens, where neither the client nor the catalogue says how long an answer may be."""
_MILLION = 1_000_000
_is_strict = attrgetter("is_strict")


class Holds:
    """Of one process. What a call may cost is that at the most expensive offering that may be tried."""

    def __init__(self, rate_cards: RateCards, sizes: AnswerSizes) -> None:
        self._rate_cards = rate_cards
        self._sizes = sizes
        self._prices: dict[int, _Prices] = {}

    def ask(
        self,
        call: Call,
        tokens: Tokens,
        budgets: Sequence[SubjectBudgets],
        candidates: Sequence[Candidate],
        now: float,
    ) -> list[BudgetAsk]:
        """One for each subject: strict ones hold the most that the call may cost at those candidates, others what is
        likely.

        `tokens` are those that are reserved for it. Teams are charged by their factor, the deployment is not.
        Then the call knows how many output tokens that covers.
        """
        input_tokens, output_tokens, is_guess = tokens
        allowed = None if is_guess else output_tokens
        expected: int | None = None
        if not all(map(_is_strict, budgets)):
            asker = call.owners["lineage_id"], candidates[0].model.id, call.endpoint
            expected = call.held_output_tokens = self._sizes.expect(asker, allowed)
        most = likely = 0
        for candidate in candidates:
            prices = self._prices_at(candidate, now)
            longest = _longest(candidate) if allowed is None else allowed
            most = max(most, prices.cost(input_tokens, longest))
            if expected is not None:
                likely = max(likely, prices.cost(input_tokens, expected))
        asked = []
        for each in budgets:
            hold, ceiling = most if each.is_strict else likely, most
            if call.charge_factor != "1" and each.subject != DEPLOYMENT:
                charged = charge_of(hold, call.charge_factor), charge_of(ceiling, call.charge_factor)
                # On its own credentials a call counts by the price list.
                hold, ceiling = (
                    (max(hold, charged[0]), max(ceiling, charged[1])) if each.counts_own else charged
                )
            asked.append(BudgetAsk(each.subject, each.windows_at(now), hold, ceiling))
        return asked

    def estimate(self, call: Call, tokens: Tokens, candidate: Candidate, now: float) -> tuple[int, int]:
        """What the call is likely to cost there, and at most."""
        input_tokens, output_tokens, is_guess = tokens
        allowed = None if is_guess else output_tokens
        asker = call.owners["lineage_id"], candidate.model.id, call.endpoint
        prices = self._prices_at(candidate, now)
        longest = _longest(candidate) if allowed is None else allowed
        likely = min(self._sizes.expect(asker, allowed), longest)
        return prices.cost(input_tokens, likely), prices.cost(input_tokens, longest)

    def learn(self, call: Call, model: str, output_tokens: int) -> None:
        if call.held_output_tokens:
            self._sizes.learn((call.owners["lineage_id"], model, call.endpoint), output_tokens)

    def _prices_at(self, candidate: Candidate, now: float) -> "_Prices":
        rate_card = self._rate_cards.find(candidate.offering, now)
        known = self._prices.get(candidate.offering.id)
        if known is None or known.rate_card is not rate_card:
            known = self._prices[candidate.offering.id] = _Prices.of(rate_card)
        return known


class _Prices(NamedTuple):
    """What tokens cost at an offering, in 10^-10 USD a million, where that does not depend on how many there are."""

    rate_card: RateCard
    is_even: bool
    a_call: int = 0
    read: int = 0
    written: int = 0

    @classmethod
    def of(cls, rate_card: RateCard) -> "_Prices":
        fixed = rate_card.standard.fixed
        if fixed is None:
            return cls(rate_card, is_even=False)
        rates = fixed.a_call, fixed.rate_of("input_tokens"), fixed.rate_of("output_tokens")
        return cls(rate_card, True, *(round(rate * UNITS_A_USD * _MILLION) for rate in rates))

    def cost(self, input_tokens: int, output_tokens: int) -> int:
        """In 10^-10 USD. As the ledger will have it, without the Decimals that each call would pay for."""
        if self.is_even:
            millionths = self.a_call + self.read * input_tokens + self.written * output_tokens
            return (millionths + _MILLION // 2) // _MILLION
        usage = Usage(counted(input_tokens=input_tokens, output_tokens=output_tokens))
        return units_of(self.rate_card.cost_usd(usage))


def _longest(candidate: Candidate) -> int:
    """Its answers, where the client does not say."""
    offering, model = candidate.offering, candidate.model
    return offering.max_output_tokens or model.max_output_tokens or _LONGEST_ANSWER
