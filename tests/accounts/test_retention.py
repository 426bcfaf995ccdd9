"""The oldest rows go, a batch at a time, and nothing that is still needed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts import retention
from accounts.booking import refund
from accounts.keys import DEPLOYMENT
from accounts.models import Key, LedgerEntry
from accounts.recording import count_missed
from accounts.retention import forget_entries, kept_since
from accounts.spending import spent_in
from accounts.tasks import forget_entries as forget_task
from accounts.windows import LIFETIME, window_at
from tests.make import make_entry, make_key

pytestmark = pytest.mark.django_db
AT = datetime(2026, 6, 20, 12, tzinfo=UTC)


@pytest.fixture
def key() -> Key:
    return make_key()[0]


def entry(key: Key, started_at: datetime, **fields: Any) -> LedgerEntry:
    return make_entry(
        key, **{"cost_usd": Decimal(1), "lineage_id": key.pk, "started_at": started_at} | fields
    )


def forget(days: int = 90, most_s: float = 60.0) -> int:
    return forget_entries(days, at=AT, most_s=most_s)


def left() -> set[Any]:
    return set(LedgerEntry.objects.values_list("pk", flat=True))


def test_row_is_kept_to_the_last_instant_of_its_days(key: Key) -> None:
    edge = AT - timedelta(days=90)
    kept = entry(key, edge)
    entry(key, edge - timedelta(microseconds=1))
    assert forget() == 1
    assert left() == {kept.pk}


@pytest.mark.parametrize(
    ("days", "since"),
    [
        (0, None),
        (1, datetime(2026, 4, 30, tzinfo=UTC)),
        (51, datetime(2026, 4, 30, tzinfo=UTC)),
        (52, datetime(2026, 4, 29, 12, tzinfo=UTC)),
    ],
)
def test_running_month_and_the_one_before_are_kept_in_every_zone(days: int, since: datetime | None) -> None:
    assert kept_since(days, AT) == since


def test_january_keeps_december() -> None:
    assert kept_since(1, datetime(2026, 1, 31, tzinfo=UTC)) == datetime(2025, 11, 30, tzinfo=UTC)


def test_nothing_is_removed_where_all_is_kept(key: Key) -> None:
    entry(key, AT - timedelta(days=4_000))
    assert forget(0) == 0
    assert forget_task() == 0


def test_row_that_is_in_no_sums_yet_stays_until_it_is(key: Key) -> None:
    entry(key, AT - timedelta(days=100), lineage_id=None)
    assert forget() == 0
    count_missed()
    assert forget() == 1
    assert spent_in(DEPLOYMENT, window_at(LIFETIME, "UTC", 0)) == 10**10


def test_what_was_corrected_since_stays_with_what_corrects_it(key: Key) -> None:
    old = entry(key, AT - timedelta(days=100))
    made = refund(entry=old, amount_usd=Decimal(1), note="x")
    LedgerEntry.objects.filter(pk=made.pk).update(ended_at=AT - timedelta(days=90))
    assert forget() == 0
    LedgerEntry.objects.filter(pk=made.pk).update(ended_at=AT - timedelta(days=90, microseconds=1))
    assert forget() == 2


def test_batches_go_on_until_nothing_is_left_or_time_is_up(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_BATCH", 2)
    rows = [entry(key, AT - timedelta(days=100 - number)) for number in range(5)]
    assert forget(most_s=0) == 2
    assert left() == {row.pk for row in rows[2:]}
    assert forget() == 3
