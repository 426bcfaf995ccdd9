"""The billing rule, as the table of all endings in docs/architecture.md tells it."""

import asyncio
import re
from decimal import Decimal
from pathlib import Path

import pytest

from accounts.models import LedgerEntry
from catalogue.pricing.cost import cost_usd
from gateway.proxy.errors import WorkerLost
from gateway.proxy.exchange import CLIENT_GONE, KEY_ENDED, read_reason
from gateway.proxy.settle import Payer, find_payer, settle, usage_fields
from providers.wire.usage import Usage
from tests.gateway.proxy.values import a_price
from tests.used import used

ROOT = Path(__file__).parents[3]
PRICES = [a_price("input_text_tokens", "1"), a_price("output_text_tokens", "2")]
ESTIMATE = used(input_tokens=1_000_000, is_estimated=True)
USAGE = used(input_tokens=1_000_000, output_tokens=500_000)


def _cost(usage):
    return cost_usd(usage, PRICES)


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
NONE = "\N{EN DASH}"
LANE = ROOT / "gateway" / "proxy" / "lane"


def _endings() -> list[list[str]]:
    """The rows of the documentation's table: ending, outcome, code, what the team pays, what we lose."""
    table = ARCHITECTURE.partition("| How an attempt ends |")[2].partition("\n\n")[0]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


ENDINGS = _endings()


def _code(shown):
    return {NONE: "", "any": "provider_error"}.get(shown, shown)


@pytest.mark.parametrize(("ending", "outcome", "code", "pays", "loses"), ENDINGS, ids=lambda cell: cell[:40])
def test_each_documented_ending_is_paid_for_by_whom_the_table_says(ending, outcome, code, pays, loses):
    bill = settle(find_payer(outcome, _code(code)), USAGE, None, _cost)
    expected = 0 if pays == NONE else 2, 0 if loses in {NONE, "not counted"} else 2
    assert (bill.cost_usd, bill.loss_usd) == expected


def test_the_table_has_every_outcome_of_the_ledger():
    assert {outcome for _, outcome, *_ in ENDINGS} == set(LedgerEntry.Outcome.values)


def test_the_table_has_every_reason_for_which_the_lane_ends_a_call():
    source = "".join(path.read_text() for path in LANE.glob("*.py"))
    # A call that failed before it was an attempt has no row.
    reasons = set(re.findall(r'code="(\w+)"', source)) - {"worker_failed"}
    assert reasons | {CLIENT_GONE, KEY_ENDED, WorkerLost.code} <= {code for _, _, code, *_ in ENDINGS}


def test_a_call_that_is_cancelled_without_a_reason_is_ours_to_pay():
    assert find_payer("cancelled", read_reason(asyncio.CancelledError())) is Payer.OPERATOR


def test_an_explicit_zero_is_zero_even_where_text_was_streamed():
    assert settle(Payer.TEAM, Usage(), ESTIMATE, _cost).cost_usd == 0


def test_where_nothing_was_reported_the_estimate_counts_and_is_marked():
    bill = settle(Payer.TEAM, None, ESTIMATE, _cost)
    assert (bill.cost_usd, bill.usage.is_estimated) == (1, True)


@pytest.mark.parametrize("payer", Payer)
def test_where_nothing_was_streamed_nobody_pays(payer):
    bill = settle(payer, None, None, _cost)
    assert (bill.cost_usd, bill.loss_usd) == (0, 0)


@pytest.mark.parametrize(("payer", "own_cost_usd"), [(Payer.TEAM, 2), (Payer.OPERATOR, 2), (Payer.NOBODY, 0)])
def test_on_a_credential_of_the_teams_own_nobody_pays_here_and_what_it_would_have_cost_is_told(
    payer, own_cost_usd
):
    bill = settle(payer, USAGE, None, _cost).on_own()
    assert (bill.usage, bill.cost_usd, bill.loss_usd, bill.own_cost_usd) == (USAGE, 0, 0, own_cost_usd)


def test_money_is_rounded_once_to_ten_places():
    bill = settle(
        Payer.TEAM,
        used(input_tokens=1),
        None,
        lambda usage: cost_usd(usage, [a_price("input_text_tokens", "0.123456")]),
    )
    assert bill.cost_usd == Decimal("0.0000001235")


def test_ledger_is_told_the_common_counts_always_and_the_others_where_there_are_any():
    assert usage_fields(
        used(7, 3, cached_write_tokens=2, cached_write_1h_tokens=1, input_audio_tokens=4)
    ) == {
        "input_tokens": 7,
        "output_tokens": 3,
        "cached_read_tokens": 0,
        "cached_write_tokens": 2,
        "reasoning_tokens": 0,
        "cached_write_1h_tokens": 1,
        "input_audio_tokens": 4,
    }
