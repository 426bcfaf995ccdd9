"""Rows written to the ledger read back through the ORM as they were."""

import uuid
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from django.db import IntegrityError

from accounts.ledger import LedgerRow, insert_entries
from accounts.models import LedgerEntry

pytestmark = pytest.mark.django_db
AT = datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)


def row(**changes: Any) -> LedgerRow:
    made = LedgerRow(
        attempt_id=uuid.uuid4().hex,
        call_id=uuid.uuid4().hex,
        request_id="req_1",
        number=1,
        lane="direct",
        endpoint="chat.completions",
        team_id=1,
        key_id=2,
        project="p",
        requested_model="auto",
        redirected_from="",
        model="acme/one",
        provider="acme",
        upstream_name="one",
        is_streamed=True,
        started_at=AT,
        ended_at=AT,
        outcome="finished",
        status=200,
        error_code="",
        input_tokens=3,
        output_tokens=5,
        usage={"input_tokens": 3},
        is_estimated=False,
        prices=[{"meter": "input_text_tokens", "amount": "1"}],
        cost_usd=Decimal("0.0000000123"),
        loss_usd=Decimal(0),
        latency_ms=12.5,
        first_token_ms=None,
    )
    return replace(made, **changes)


def test_row_has_every_field_of_the_entry() -> None:
    assert {field.name for field in fields(LedgerRow)} == {
        field.attname for field in LedgerEntry._meta.concrete_fields
    }


def test_row_reads_back_as_it_was_written() -> None:
    written = row()
    assert insert_entries([written]) == 1
    entry = LedgerEntry.objects.get()
    read = {name: getattr(entry, name) for name in (f.name for f in fields(LedgerRow))}
    ids = {"attempt_id": uuid.UUID(written.attempt_id), "call_id": uuid.UUID(written.call_id)}
    assert read == {name: getattr(written, name) for name in read} | ids


def test_attempt_that_is_there_already_is_left_alone() -> None:
    first = row()
    insert_entries([first])
    assert insert_entries([replace(first, outcome="unknown"), row()]) == 1
    assert LedgerEntry.objects.get(attempt_id=first.attempt_id).outcome == "finished"


def test_many_rows_are_written_in_one_statement_each_once() -> None:
    rows = [row() for _ in range(300)]
    assert insert_entries(rows) == 300
    assert insert_entries(rows) == 0


@pytest.mark.parametrize("text", ["nul \0 inside", "lone \ud800", "x" * 300])
def test_text_that_sql_would_refuse_is_made_storable(text: str) -> None:
    assert insert_entries([row(requested_model=text)]) == 1
    assert len(LedgerEntry.objects.get().requested_model) <= 200


def test_absurd_counts_are_clamped() -> None:
    insert_entries([row(input_tokens=10**40, output_tokens=-1, status=10**9)])
    entry = LedgerEntry.objects.get()
    assert (entry.input_tokens, entry.output_tokens, entry.status) == (2**63 - 1, 0, 32767)


def test_prices_may_hold_decimals() -> None:
    insert_entries([row(prices=[dict(MappingProxyType({"amount": Decimal("0.15")}))])])
    assert LedgerEntry.objects.get().prices == [{"amount": "0.15"}]


def test_negative_cost_is_refused() -> None:
    with pytest.raises(IntegrityError):
        insert_entries([row(cost_usd=Decimal(-1))])


def test_nothing_to_write_asks_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert insert_entries([]) == 0
