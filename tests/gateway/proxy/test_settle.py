"""The billing rule, one line of it a test."""

from decimal import Decimal

import pytest

from catalogue.pricing import cost_usd
from gateway.proxy.settle import settle, usage_fields
from providers.wire.usage import Usage
from tests.gateway.proxy.values import a_price

PRICES = [a_price("input_text_tokens", "1"), a_price("output_text_tokens", "2")]
ESTIMATE = Usage(input_tokens=1_000_000, is_estimated=True)
USAGE = Usage(input_tokens=1_000_000, output_tokens=500_000)


def _cost(usage):
    return cost_usd(usage, PRICES)


def test_a_finished_answer_costs_what_the_provider_reported():
    assert settle("finished", USAGE, None, _cost).cost_usd == 2


def test_an_explicit_zero_is_zero_even_where_text_was_streamed():
    assert settle("finished", Usage(), ESTIMATE, _cost).cost_usd == 0


def test_where_nothing_was_reported_the_estimate_counts_and_is_marked():
    bill = settle("finished", None, ESTIMATE, _cost)
    assert (bill.cost_usd, bill.usage.is_estimated) == (1, True)


def test_a_client_that_left_pays_for_what_was_streamed():
    assert settle("cancelled", None, ESTIMATE, _cost).cost_usd == 1


def test_a_client_that_left_before_the_first_token_pays_nothing():
    assert settle("cancelled", None, None, _cost).cost_usd == 0


def test_what_a_provider_cut_is_the_operators_loss():
    bill = settle("cut", USAGE, None, _cost)
    assert (bill.cost_usd, bill.loss_usd) == (0, 2)


@pytest.mark.parametrize("outcome", ["failed", "failed_over"])
def test_failed_attempts_cost_nobody_anything(outcome):
    bill = settle(outcome, USAGE, None, _cost)
    assert (bill.cost_usd, bill.loss_usd) == (0, 0)


def test_money_is_rounded_once_to_ten_places():
    bill = settle(
        "finished",
        Usage(input_tokens=1),
        None,
        lambda usage: cost_usd(usage, [a_price("input_text_tokens", "0.123456")]),
    )
    assert bill.cost_usd == Decimal("0.0000001235")


def test_ledger_is_told_the_common_counts_always_and_the_others_where_there_are_any():
    assert usage_fields(
        Usage(7, 3, cached_write_tokens=2, cached_write_1h_tokens=1, input_audio_tokens=4)
    ) == {
        "input_tokens": 7,
        "output_tokens": 3,
        "cached_read_tokens": 0,
        "cached_write_tokens": 2,
        "reasoning_tokens": 0,
        "cached_write_1h_tokens": 1,
        "input_audio_tokens": 4,
    }
