"""Rows written to the ledger read back through the ORM as they were."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.attempts import AttemptClosed, AttemptOpened, AttemptRecord
from accounts.ledger import insert_entries, source_of
from accounts.models import LedgerEntry

pytestmark = pytest.mark.django_db
PARTS = AttemptOpened, AttemptClosed
MONEY = ("cost_usd", "loss_usd", "charge_usd", "charge_factor", "own_cost_usd")
LEFT_TO_THEIR_DEFAULTS = {"kind", "corrects_id", "note"}
AT = datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)


def record(**changes: Any) -> AttemptRecord:
    """`changes` of either part."""
    facts: dict[str, Any] = {
        "attempt_id": uuid.uuid4().hex,
        "call_id": uuid.uuid4().hex,
        "request_id": "req_1",
        "number": 1,
        "lane": "direct",
        "endpoint": "chat.completions",
        "team_id": 1,
        "key_id": 2,
        "project": "p",
        "requested_model": "auto",
        "redirected_from": "acme/old",
        "model": "acme/one",
        "provider": "acme",
        "upstream_name": "one",
        "is_streamed": True,
        "started_at": AT.timestamp(),
        "ended_at": AT.timestamp() + 1,
        "outcome": "finished",
        "status": 200,
        "error_code": "odd",
        "usage": {"input_tokens": 3, "output_tokens": 5},
        "is_estimated": True,
        "prices": [{"meter": "input_text_tokens", "amount": "1"}],
        "cost_usd": "0.0000000123",
        "loss_usd": "0.0000000456",
        "lineage_id": 3,
        "member_id": 4,
        "service_account_id": 5,
        "project_id": 6,
        "own_credential_id": 7,
        "own_cost_usd": "0.0000000789",
        "charge_factor": "0.85",
        "surface": "messages",
        "latency_ms": 12.5,
        "first_token_ms": 2.5,
    } | changes
    opened, closed = (
        {name: facts[name] for name in part.__dataclass_fields__ if name in facts} for part in PARTS
    )
    return AttemptRecord(AttemptOpened(**opened), AttemptClosed(**closed))


def test_a_column_is_kept_from_the_fact_of_its_name() -> None:
    """So a fact that is added to the record is kept by adding its column."""
    kept = {field.attname: source_of(field.attname) for field in LedgerEntry._meta.concrete_fields}
    derived = {"input_tokens", "output_tokens", "usage", "prices", "charge_usd", "recorded_at"}
    assert {name for name, source in kept.items() if source == name} == derived
    assert {name for name, source in kept.items() if source is None} == LEFT_TO_THEIR_DEFAULTS
    assert all(source.rpartition(".")[2] == name for name, source in kept.items() if source)


def test_row_reads_back_as_it_was_written() -> None:
    written = record()
    assert insert_entries([written]) == [written]
    entry = LedgerEntry.objects.get()
    kept = {field.attname: getattr(entry, field.attname) for field in LedgerEntry._meta.concrete_fields}
    told: dict[str, Any] = {"kind": "attempt", "corrects_id": None, "note": ""}
    assert told.keys() == LEFT_TO_THEIR_DEFAULTS
    told |= {name: attrgetter(source)(written) for name in kept if (source := source_of(name))}
    told |= {name: uuid.UUID(told[name]) for name in ("attempt_id", "call_id")}
    told |= {name: datetime.fromtimestamp(told[name], UTC) for name in ("started_at", "ended_at")}
    told |= {name: Decimal(told[name]) for name in MONEY}
    assert kept == told
    assert entry.charged_usd == Decimal("0.0000000105")


def test_attempt_that_is_there_already_is_left_alone() -> None:
    first = record()
    insert_entries([first])
    again, new = record(attempt_id=first.opened.attempt_id, outcome="unknown"), record()
    assert insert_entries([again, new]) == [new]
    assert LedgerEntry.objects.get(attempt_id=first.opened.attempt_id).outcome == "finished"


def test_many_rows_are_written_each_once() -> None:
    rows = [record() for _ in range(300)]
    assert insert_entries(rows) == rows
    assert insert_entries(rows) == []


@pytest.mark.parametrize("text", ["nul \0 inside", "lone \ud800", "x" * 300])
def test_text_that_sql_would_refuse_is_made_storable(text: str) -> None:
    assert insert_entries([record(requested_model=text)])
    assert len(LedgerEntry.objects.get().requested_model) <= 200


def test_absurd_counts_are_clamped() -> None:
    insert_entries([record(usage={"input_tokens": 2**64 - 1, "output_tokens": -1}, status=10**9)])
    entry = LedgerEntry.objects.get()
    assert (entry.input_tokens, entry.output_tokens, entry.status) == (2**63 - 1, 0, 32767)


def test_prices_may_hold_decimals() -> None:
    insert_entries([record(prices=[dict(MappingProxyType({"amount": Decimal("0.15")}))])])
    assert LedgerEntry.objects.get().prices == [{"amount": "0.15"}]


def test_negative_cost_is_refused_of_an_attempt_and_taken_of_what_corrects_one() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_entries([record(cost_usd="-1")])
    insert_entries([record()])
    entry = LedgerEntry.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerEntry.objects.update(charge_usd=-1)
    entry.corrects_id, entry.pk, entry.kind = entry.pk, uuid.uuid4(), LedgerEntry.Kind.REFUND
    entry.cost_usd = entry.charge_usd = Decimal(-1)
    entry.save(force_insert=True)


def test_row_of_a_process_that_knows_no_charge_charges_the_cost() -> None:
    insert_entries([record(charge_factor="1")])
    LedgerEntry.objects.update(charge_usd=None)
    assert LedgerEntry.objects.get().charged_usd == Decimal("0.0000000123")


def test_nothing_to_write_asks_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert insert_entries([]) == ()
