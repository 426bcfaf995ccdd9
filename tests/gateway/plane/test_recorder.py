"""From the spool to the ledger: each attempt exactly once, whatever happens in between."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import OperationalError, connection, connections

from accounts.models import LedgerEntry, Spend
from gateway.plane.recorder import Recorder
from gateway.plane.spool import Spool
from providers.models import Alarm, ProviderCredential
from tests.gateway.spooling import PRICE, attempt, begun, die_with, record_call
from tests.make import make_provider
from tests.patience import HANG_S

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool")
    yield made
    made.close()


def wait_for(condition: Callable[[], bool], timeout_s: float = HANG_S) -> bool:
    until = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    return condition()


def test_finished_attempt_becomes_one_row(spool: Spool) -> None:
    attempt_id = record_call(spool)
    Recorder(spool).drain()
    entry = LedgerEntry.objects.get()
    assert entry.attempt_id == uuid.UUID(attempt_id)
    assert (entry.input_tokens, entry.output_tokens, entry.cost_usd) == (3, 5, Decimal("0.000008"))
    assert entry.started_at == datetime.fromtimestamp(1_780_000_000.5, UTC)
    assert entry.prices == [PRICE]


@pytest.mark.parametrize(("waiting", "waited_s", "left"), [(19, 0.0, 0), (20, 0.5, 20), (20, 0.75, 0)])
def test_few_attempts_are_carried_over_at_once_and_more_wait_for_each_other(
    tmp_path: Path, waiting: int, waited_s: float, left: int
) -> None:
    now = 100.0
    with closing(Spool(tmp_path, clock=lambda: now)) as spool:
        for _ in range(waiting):
            record_call(spool)
        now += waited_s
        Recorder(spool).drain_due()
        assert (spool.waiting, LedgerEntry.objects.count()) == (left, waiting - left)


def test_full_batches_wait_for_nothing_and_what_is_left_waits_for_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.plane.recorder._BATCH", 25)
    with closing(Spool(tmp_path, clock=lambda: 100.0)) as spool:
        for _ in range(60):
            record_call(spool)
        Recorder(spool).drain_due()
        assert (spool.waiting, LedgerEntry.objects.count()) == (10, 50)


def test_prices_of_another_service_tier_are_those_that_are_kept(spool: Spool) -> None:
    record_call(spool, end={"prices": [{"meter": "input_text_tokens", "amount": "2", "plan": "priority"}]})
    Recorder(spool).drain()
    assert [price["plan"] for price in LedgerEntry.objects.get().prices] == ["priority"]


def test_open_attempt_waits(spool: Spool) -> None:
    waiting = attempt()
    spool.attempt_opened(waiting)
    recorder = Recorder(spool)
    recorder.drain()
    assert not LedgerEntry.objects.exists()
    spool.attempt_closed(waiting)
    recorder.drain()
    assert LedgerEntry.objects.count() == 1


def test_unknown_usage_stays_unknown(spool: Spool) -> None:
    record_call(spool, end={"usage": None})
    Recorder(spool).drain()
    entry = LedgerEntry.objects.get()
    assert (entry.input_tokens, entry.usage) == (None, {})


REFUSED = {"outcome": "failed", "status": 401, "error_code": "provider_auth_error", "about_us": "Wrong key."}


def test_refused_credential_raises_an_alarm_and_the_next_good_call_ends_it(spool: Spool) -> None:
    make_provider("acme")
    recorder = Recorder(spool)
    recorder.start()
    record_call(spool, end=REFUSED)
    assert wait_for(lambda: Alarm.objects.open().filter(calls=1, message="Wrong key.").exists())
    record_call(spool, started_at=1_780_000_002.0)
    assert wait_for(lambda: not Alarm.objects.open().exists())
    recorder.stop()


def test_alarm_of_a_process_that_died_is_raised_by_whoever_drains_its_spool(spool: Spool) -> None:
    make_provider("acme")
    record_call(spool, end=REFUSED)
    spool.close()
    with closing(Spool(spool.folder)) as other:
        recorder = Recorder(other)
        assert recorder.drain_orphans() == 1
        recorder.tell_alarms()
        recorder.tell_alarms()
    assert Alarm.objects.get().calls == 1


def test_an_attempt_of_a_killed_process_is_our_loss_as_far_as_its_prompt_is_known(spool: Spool) -> None:
    first = Spool(spool.folder)
    first.attempt_opened(begun(input_tokens=2_000_000))
    first.close()
    Recorder(spool).drain_orphans()
    entry = LedgerEntry.objects.get()
    assert (entry.outcome, entry.error_code) == ("unknown", "process_lost")
    assert (entry.cost_usd, entry.loss_usd) == (0, 2)
    assert (entry.input_tokens, entry.is_estimated, entry.ended_at) == (2_000_000, True, None)


def test_a_call_on_a_teams_own_credential_is_kept_with_what_it_would_have_cost(spool: Spool) -> None:
    end = {"cost_usd": "0", "own_cost_usd": "0.000008"}
    record_call(spool, end=end, own_credential_id=7)
    record_call(spool)
    Recorder(spool).drain()
    rows = LedgerEntry.objects.order_by("own_cost_usd").values_list(
        "own_credential_id", "own_cost_usd", "cost_usd"
    )
    assert list(rows) == [(None, 0, Decimal("0.000008")), (7, Decimal("0.000008"), 0)]
    assert sum(row.cost for row in Spend.objects.filter(subject="deployment", grain="total")) == 80_000


def test_one_of_a_killed_process_on_a_teams_own_credential_is_nobodys_loss_here(spool: Spool) -> None:
    first = Spool(spool.folder)
    first.attempt_opened(begun(input_tokens=2_000_000, own_credential_id=7))
    first.close()
    Recorder(spool).drain_orphans()
    entry = LedgerEntry.objects.get()
    assert (entry.cost_usd, entry.loss_usd, entry.own_cost_usd) == (0, 0, 2)


@pytest.mark.parametrize("whose", ["own_credential_id", "operator_credential_id"])
def test_a_further_credential_neither_raises_its_providers_alarm_nor_ends_it(
    spool: Spool, whose: str
) -> None:
    credential = ProviderCredential.objects.create(provider=make_provider("acme"), label="spare", hint="a1b2")
    recorder = Recorder(spool)
    record_call(spool, end=REFUSED, **{whose: credential.pk})
    recorder.drain()
    recorder.tell_alarms()
    assert not Alarm.objects.exists()
    credential.refresh_from_db()
    assert credential.failure == "Wrong key."
    record_call(spool, end=REFUSED)
    recorder.drain()
    recorder.tell_alarms()
    record_call(spool, started_at=1_780_000_002.0, **{whose: credential.pk})
    recorder.drain()
    recorder.tell_alarms()
    assert Alarm.objects.open().count() == 1


def test_a_spool_of_a_later_version_is_left_to_it_and_holds_up_no_other(spool: Spool) -> None:
    die_with(spool.folder, finished=2, unfinished=0)
    [path] = [path for path in spool.folder.iterdir() if path.stat().st_size]
    later = path.with_name("0-of-tomorrow.spool")
    later.write_bytes(path.read_bytes().replace(b'"v":1', b'"v":99'))
    recorder = Recorder(spool)
    assert (recorder.drain_orphans(), recorder.drain_orphans()) == (2, 0)
    assert later.exists()
    assert not list(spool.folder.glob("*.rejected"))


def test_killed_process_leaves_one_row_an_attempt(spool: Spool) -> None:
    die_with(spool.folder, finished=250, unfinished=4)
    assert Recorder(spool).drain_orphans() == 254
    assert LedgerEntry.objects.filter(outcome="finished").count() == 250
    unknown = LedgerEntry.objects.filter(
        outcome="unknown", error_code="process_lost", ended_at=None, usage={}
    )
    assert unknown.filter(cost_usd=0).count() == 4


def test_drained_orphan_is_gone(spool: Spool) -> None:
    die_with(spool.folder, finished=3, unfinished=0)
    recorder = Recorder(spool)
    recorder.drain_orphans()
    assert recorder.drain_orphans() == 0


def test_rows_that_reached_sql_before_a_death_are_not_doubled(spool: Spool) -> None:
    die_with(spool.folder, finished=5, unfinished=0)
    [path] = [path for path in spool.folder.iterdir() if path.stat().st_size]
    lines = path.read_bytes()
    Recorder(spool).drain_orphans()
    path.write_bytes(lines)
    Recorder(spool).drain_orphans()
    assert LedgerEntry.objects.count() == 5


def test_two_recorders_race_for_one_orphan(spool: Spool) -> None:
    die_with(spool.folder, finished=400, unfinished=3)
    other = Spool(spool.folder)
    totals: list[int] = []

    def race(mine: Spool) -> None:
        totals.append(Recorder(mine).drain_orphans())
        connections.close_all()

    threads = [threading.Thread(target=race, args=[mine]) for mine in (spool, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG_S)
    other.close()
    assert sum(totals) == 403
    assert LedgerEntry.objects.count() == 403


def test_poison_row_is_put_aside_and_holds_up_nobody(spool: Spool) -> None:
    record_call(spool)
    record_call(spool, end={"cost_usd": "not money"})
    record_call(spool, end={"cost_usd": "-1"})
    record_call(spool)
    assert Recorder(spool).drain() == 4
    assert LedgerEntry.objects.count() == 2
    [path] = spool.folder.glob("*.rejected")
    assert len(path.read_text().splitlines()) == 2


@pytest.mark.parametrize("text", ["nul \0", "lone \ud800", "x" * 5_000])
def test_text_that_sql_would_refuse_is_recorded_all_the_same(spool: Spool, text: str) -> None:
    record_call(spool, requested_model=text, project=text)
    Recorder(spool).drain()
    assert LedgerEntry.objects.count() == 1


def test_started_recorder_writes_by_itself(spool: Spool) -> None:
    recorder = Recorder(spool)
    recorder.start()
    record_call(spool)
    assert wait_for(lambda: LedgerEntry.objects.count() == 1)
    assert wait_for(lambda: spool.lag_s == 0)
    assert recorder.stop(timeout_s=HANG_S)


def test_stop_drains_what_is_finished(spool: Spool) -> None:
    recorder = Recorder(spool)
    recorder.start()
    for _ in range(500):
        record_call(spool)
    assert recorder.stop(timeout_s=HANG_S)
    assert LedgerEntry.objects.count() == 500


def test_stopped_recorder_leaves_no_file_behind(spool: Spool) -> None:
    recorder = Recorder(spool)
    recorder.start()
    record_call(spool)
    recorder.stop()
    assert list(spool.folder.iterdir()) == []


def test_recorder_stopped_while_the_ledger_is_locked_keeps_the_files(spool: Spool) -> None:
    recorder = Recorder(spool)
    with locked_ledger():
        recorder.start()
        record_call(spool)
        assert not recorder.stop(timeout_s=0.5)
    recorder.stop()
    with closing(Spool(spool.folder)) as other:
        Recorder(other).drain_orphans()
    assert LedgerEntry.objects.count() == 1


def test_started_recorder_takes_over_from_the_dead(spool: Spool) -> None:
    recorder = Recorder(spool)
    recorder.start()
    die_with(spool.folder, finished=2, unfinished=1)
    assert wait_for(lambda: LedgerEntry.objects.count() == 3)
    recorder.stop()


def test_last_use_of_keys_is_flushed_at_the_end(spool: Spool) -> None:
    flushed = threading.Event()
    recorder = Recorder(spool, flush_touched=flushed.set)
    recorder.start()
    recorder.stop()
    assert flushed.is_set()


def test_failing_flush_of_last_use_does_not_stop_the_ledger(spool: Spool) -> None:
    def fail() -> None:
        raise OperationalError("away")

    recorder = Recorder(spool, flush_touched=fail)
    recorder.start()
    record_call(spool)
    assert wait_for(lambda: LedgerEntry.objects.count() == 1)
    recorder.stop()


def test_locked_database_makes_it_wait_and_loses_nothing(spool: Spool) -> None:
    recorder = Recorder(spool)
    with locked_ledger():
        recorder.start()
        record_call(spool)
        assert wait_for(lambda: spool.lag_s > 0.6)
    assert wait_for(lambda: spool.lag_s == 0)
    assert recorder.stop(timeout_s=HANG_S)
    assert LedgerEntry.objects.count() == 1


def test_lost_database_makes_it_wait_and_come_back(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(spool)
    with monkeypatch.context() as away:
        away.setitem(connections.settings["default"], "NAME", "/nowhere/at/all")
        away.setitem(connections.settings["default"], "PORT", "1")
        recorder.start()
        record_call(spool)
        assert wait_for(lambda: spool.lag_s > 0.6)
    assert wait_for(lambda: spool.lag_s == 0)
    assert recorder.stop(timeout_s=HANG_S)
    assert LedgerEntry.objects.count() == 1


@contextmanager
def locked_ledger() -> Iterator[None]:
    """Somebody else holds the database (SQLite) or the table (PostgreSQL)."""
    other = connection.copy()
    with other.cursor() as cursor:
        if other.vendor == "sqlite":
            cursor.execute("BEGIN EXCLUSIVE")
        else:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE accounts_ledgerentry IN ACCESS EXCLUSIVE MODE")
        yield
        cursor.execute("ROLLBACK")
    other.close()
