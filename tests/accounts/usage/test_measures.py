"""What attempts add to usage is told by their records and by their rows alike."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import LedgerEntry
from accounts.money import units_in, units_of
from accounts.recording import record_attempts
from accounts.usage.measures import MEASURES, add_up, add_up_entries
from tests.gateway.spooling import attempt


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "1",
        "-1",
        "0.1",
        "-0.1",
        ".5",
        "-.5",
        "5.",
        "12.0000000001",
        "-0.0000000001",
        "999999999.9999999999",
    ],
)
def test_plain_amount_is_read_as_a_decimal_is(text: str) -> None:
    assert units_in(text) == units_of(Decimal(text))


@pytest.mark.parametrize("text", ["1e-3", "878170229804e-10", "0.00000000005", "0.00000000004", "1E5"])
def test_amount_in_other_words_is_read_all_the_same(text: str) -> None:
    assert units_in(text) == units_of(Decimal(text))


@pytest.mark.parametrize("text", ["no money", "", "1.2.3", "--1", "NaN"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises((ArithmeticError, ValueError)):
        units_in(text)


@pytest.mark.django_db
def test_rows_add_what_their_records_did() -> None:
    ends: list[dict[str, Any]] = [
        {"usage": {"input_tokens": 3, "reasoning_tokens": 2, "web_searches": 1}, "first_token_ms": 12.3456},
        {"usage": None, "latency_ms": None, "is_estimated": True, "loss_usd": "0.5", "cost_usd": "0"},
        {"outcome": "failed_over"},
    ]
    records = [attempt(end=end, charge_factor="1.2345", lineage_id=7, member_id=2) for end in ends]
    record_attempts(records)
    assert add_up_entries(LedgerEntry.objects.all()) == add_up(records)


def test_entry_that_corrects_another_adds_its_money_alone() -> None:
    at = datetime(2026, 5, 4, 12, 14, 59, 999999, tzinfo=UTC)
    entry = LedgerEntry(
        kind="refund",
        outcome="finished",
        started_at=at,
        latency_ms=5,
        usage={"input_tokens": 9},
        cost_usd=Decimal("-0.2"),
        charge_usd=Decimal("-0.3"),
        loss_usd=Decimal("0.2"),
        team_id=1,
    )
    ((series, quarter),) = (sums := add_up_entries([entry]))
    told = {name: value for name, value in zip(MEASURES, sums[series, quarter], strict=True) if value}
    assert told == {"cost": -2 * 10**9, "charge": -3 * 10**9, "loss": 2 * 10**9}
    assert series[-1] == "refund"
    assert quarter == int(datetime(2026, 5, 4, 12, tzinfo=UTC).timestamp())
