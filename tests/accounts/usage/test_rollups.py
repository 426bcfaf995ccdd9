"""Usage is what the ledger says, to the last digit, whatever happened on the way there."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from accounts import tasks
from accounts.attempts import AttemptRecord
from accounts.booking import Kind, book, correction_of
from accounts.models import (
    Alert,
    LedgerEntry,
    Team,
    UsageBackfill,
    UsageClosed,
    UsageDay,
    UsageQuarter,
    UsageSeries,
)
from accounts.recording import Amounts, count_missed, record_attempts
from accounts.retention import forget_entries
from accounts.usage import closing, repair
from accounts.usage.measures import MOST
from accounts.usage.proof import prove, prove_days, prove_quarters
from accounts.usage.question import Question
from accounts.usage.reader import read_total, read_usage
from accounts.windows import DAY_S
from gateway.plane.recorder import Recorder
from tests.accounts.test_spending import NOON, Host
from tests.gateway.spooling import attempt
from tests.make import make_key, make_team

pytestmark = pytest.mark.django_db
LOW, HIGH = int(NOON) // DAY_S * DAY_S - 60 * DAY_S, int(NOON) // DAY_S * DAY_S + 60 * DAY_S
ALL = Question(LOW, HIGH)
BERLIN, KOLKATA = "Europe/Berlin", "Asia/Kolkata"


def of(end: dict[str, Any] | None = None, **opened: Any) -> AttemptRecord:
    return attempt(end=end or {}, **{"started_at": NOON, "lineage_id": 7} | opened)


def assert_usage_is_that_of_the_ledger() -> None:
    assert prove_quarters(LOW, HIGH) == []
    for zone in ("UTC", BERLIN, KOLKATA):
        assert prove_days(zone, LOW, HIGH) == []


def test_attempt_is_counted_in_all_its_measures() -> None:
    usage = {
        "input_tokens": 30,
        "output_tokens": 5,
        "cached_read_tokens": 20,
        "web_searches": 2,
        "unknown": 9,
    }
    end = {
        "cost_usd": "0.1",
        "loss_usd": "0.02",
        "own_cost_usd": "0.003",
        "usage": usage,
        "latency_ms": 12.3456,
        "is_estimated": True,
    }
    record_attempts([of(end)])
    told = {name: value for name, value in read_total(ALL).items() if value}
    assert told == {
        "calls": 1,
        "attempts": 1,
        "input_tokens": 30,
        "output_tokens": 5,
        "cached_read_tokens": 20,
        "web_searches": 2,
        "cost": 10**9,
        "charge": 10**9,
        "loss": 2 * 10**8,
        "own_cost": 3 * 10**7,
        "latency_us": 12_345,
        "latency_told": 1,
        "estimated": 1,
    }
    assert_usage_is_that_of_the_ledger()


def test_call_that_was_failed_over_counts_once_and_its_attempts_each() -> None:
    record_attempts([of({"outcome": "failed_over"}), of({"outcome": "failed_over"}), of()])
    total = read_total(ALL)
    assert (total["calls"], total["attempts"]) == (1, 3)


def test_series_is_all_that_tells_attempts_apart() -> None:
    record_attempts(
        [of(), of(), of(model="acme/two"), of(project="blue"), of({"outcome": "cut"}), of(member_id=3)]
    )
    assert UsageSeries.objects.count() == 5
    assert sorted(UsageQuarter.objects.values_list("attempts", flat=True)) == [1, 1, 1, 1, 2]


def test_series_is_named_once_however_often_it_comes() -> None:
    record_attempts([of()])
    record_attempts([of(started_at=NOON + 900)])
    assert UsageSeries.objects.count() == 1
    assert UsageQuarter.objects.count() == 2
    assert UsageDay.objects.get().attempts == 2


def test_record_that_is_repeated_is_counted_once() -> None:
    first, second = of(), of()
    record_attempts([first])
    record_attempts([first, second, second])
    assert read_total(ALL)["attempts"] == 2


def test_batch_that_is_refused_counts_nowhere() -> None:
    with pytest.raises(IntegrityError):
        record_attempts([of(), of({"cost_usd": "-1"})])
    assert not UsageQuarter.objects.exists()
    assert not UsageDay.objects.exists()


@pytest.mark.parametrize(
    "usage",
    [
        {"cached_read_tokens": -5},
        {"cached_read_tokens": 10**15, "input_tokens": 10**15},
        {"cached_read_tokens": 2.7},
        {"cached_read_tokens": True},
        {"cached_read_tokens": "many"},
        None,
    ],
)
def test_counts_that_nobody_would_tell_hold_nothing_up(usage: Any) -> None:
    record_attempts([of({"usage": usage})])
    assert read_total(ALL)["cached_read_tokens"] in {0, 2, MOST}
    assert_usage_is_that_of_the_ledger()


def test_text_that_no_column_holds_is_told_as_the_ledger_has_it() -> None:
    record_attempts([of(model="m\0" + "x" * 300, project="p\ud800")])
    assert_usage_is_that_of_the_ledger()
    series = UsageSeries.objects.get()
    entry = LedgerEntry.objects.get()
    assert (series.model, series.project) == (entry.model, entry.project)


def test_day_begins_where_the_team_says() -> None:
    team = make_team(time_zone=BERLIN, usage_zone=BERLIN)
    midnight = int(datetime(2026, 6, 1, 22, tzinfo=UTC).timestamp())
    record_attempts([of(team_id=team.pk, started_at=midnight - 1), of(team_id=team.pk, started_at=midnight)])
    assert sorted(UsageDay.objects.values_list("starts_at", flat=True)) == [midnight - DAY_S, midnight]


def test_team_in_another_zone_has_its_days_made_anew() -> None:
    team, other = make_team(), make_team()
    records = [
        of(team_id=each.pk, started_at=NOON + hour * 3600)
        for each in (team, other)
        for hour in range(-60, 60, 5)
    ]
    record_attempts(records)
    others = list(UsageDay.objects.filter(series_id__in=_series(other)).values_list())
    Team.objects.filter(pk=team.pk).update(time_zone=KOLKATA)
    assert [repair.follow_zones(), repair.follow_zones()] == [1, 0]
    assert {
        each % DAY_S
        for each in UsageDay.objects.filter(series_id__in=_series(team)).values_list("starts_at", flat=True)
    } == {int(18.5 * 3600)}
    assert list(UsageDay.objects.filter(series_id__in=_series(other)).values_list()) == others
    assert_usage_is_that_of_the_ledger()


def _series(team: Team) -> Any:
    return UsageSeries.objects.filter(team_id=team.pk).values("pk")


def test_days_are_in_the_old_zone_until_they_were_made_anew() -> None:
    team = make_team()
    record_attempts([of(team_id=team.pk)])
    Team.objects.filter(pk=team.pk).update(time_zone=KOLKATA)
    record_attempts([of(team_id=team.pk, started_at=NOON + DAY_S)])
    assert_usage_is_that_of_the_ledger()
    asked = Question(LOW, HIGH, bucket="1d", zone=KOLKATA, team_id=team.pk)
    before = read_usage(asked)
    repair.follow_zones()
    assert read_usage(asked) == before


@pytest.mark.parametrize("spoilt", [UsageQuarter, UsageDay])
@pytest.mark.parametrize("measure", ["calls", "input_tokens", "cost", "latency_us"])
def test_sum_that_is_wrong_is_found_and_made_anew(spoilt: Any, measure: str) -> None:
    record_attempts([of(), of(model="acme/two"), of(team_id=make_team(usage_zone=BERLIN).pk)])
    row = spoilt.objects.order_by("pk").first()
    spoilt.objects.filter(pk=row.pk).update(**{measure: 123})
    found = [*prove_quarters(LOW, HIGH), *prove_days("UTC", LOW, HIGH), *prove_days(BERLIN, LOW, HIGH)]
    assert {(each.measure, each.found) for each in found if each.found == 123} == {(measure, 123)}
    repair.rebuild_day(int(NOON) // DAY_S * DAY_S)
    assert_usage_is_that_of_the_ledger()


def test_sums_that_are_lost_or_too_many_are_found_and_made_anew() -> None:
    record_attempts([of(), of(model="acme/two")])
    UsageQuarter.objects.filter(series_id=UsageSeries.objects.get(model="acme/two").pk).delete()
    LedgerEntry.objects.filter(model="acme/one").delete()
    assert {(each.measure, each.found, each.expected) for each in prove_quarters(LOW, HIGH)} >= {
        ("calls", 1, 0),
        ("calls", 0, 1),
    }
    repair.rebuild_day(int(NOON) // DAY_S * DAY_S)
    assert_usage_is_that_of_the_ledger()
    assert UsageQuarter.objects.count() == UsageDay.objects.count() == 1


def test_nights_prove_the_last_days() -> None:
    at = datetime.fromtimestamp(NOON, UTC)
    record_attempts([of(started_at=NOON - day * DAY_S) for day in range(8)])
    assert prove(at=at) == []
    UsageQuarter.objects.filter(starts_at__lt=NOON - 6 * DAY_S).update(calls=7)
    assert {each.measure for each in prove(at=at)} == {"calls"}
    alert = Alert.objects.get(kind="books.differ")
    assert "Usage and the ledger differ in 2 sums" in alert.title
    assert "calls 7, where 1 is right" in alert.text


def test_command_makes_days_anew_and_says_what_differed() -> None:
    record_attempts([of(started_at=NOON - day * DAY_S) for day in range(3)])
    UsageQuarter.objects.update(calls=7)

    def rebuild(*options: str) -> list[str]:
        out = StringIO()
        call_command("rebuild_rollups", "--from", "2026-05-31", "--to", "2026-06-01", *options, stdout=out)
        return out.getvalue().splitlines()

    assert rebuild("--dry-run") == ["2026-05-31: 1 sums differ", "2026-06-01: 1 sums differ"]
    assert rebuild() == ["2026-05-31: 1 sums put right", "2026-06-01: 1 sums put right"]
    assert rebuild("--dry-run") == ["2026-05-31: 0 sums differ", "2026-06-01: 0 sums differ"]
    assert read_total(ALL)["calls"] == 3


def test_days_that_the_ledger_has_not_all_of_are_never_made_anew(settings: Any) -> None:
    first = int(NOON) // DAY_S * DAY_S
    at = datetime.fromtimestamp(NOON, UTC) + timedelta(days=100)
    assert not repair.is_kept(first, at=at)
    record_attempts([of()])
    assert [repair.is_kept(first + days * DAY_S, at=at) for days in (-1, 0, 1)] == [False, True, True]
    settings.LEDGER_DAYS = 100
    assert [repair.is_kept(first + days * DAY_S, at=at) for days in (0, 1)] == [False, True]


def test_old_entries_stay_until_they_are_added_up() -> None:
    record_attempts([of()])
    at = datetime.fromtimestamp(NOON, UTC) + timedelta(days=400)
    UsageBackfill.objects.create(pk=1, before=int(NOON))
    assert forget_entries(90, at=at, most_s=5) == 0
    UsageBackfill.objects.update(before=0)
    assert forget_entries(90, at=at, most_s=5) == 1
    assert read_total(ALL)["calls"] == 1


@pytest.mark.parametrize("days", [("yesterday", "2026-06-01"), ("2026-06-02", "2026-06-01")])
def test_command_takes_days_in_their_order(days: tuple[str, str]) -> None:
    with pytest.raises(CommandError):
        call_command("rebuild_rollups", "--from", days[0], "--to", days[1])


def test_duties_prove_usage_and_follow_zones() -> None:
    team = make_team(time_zone=BERLIN)
    record_attempts([of(team_id=team.pk)])
    assert [tasks.tend_usage(), tasks.tend_usage(), tasks.prove_usage()] == [1, 0, 0]


def test_what_an_older_process_wrote_is_added_up_and_not_alarmed_of() -> None:
    record_attempts([of(), of()])
    LedgerEntry.objects.filter(pk=LedgerEntry.objects.order_by("pk")[:1].get().pk).update(charge_usd=None)
    UsageQuarter.objects.update(calls=1)
    assert prove(at=datetime.fromtimestamp(NOON, UTC)) == []
    assert read_total(ALL)["calls"] == 2


def test_ledger_of_before_is_added_up_day_by_day_from_its_end() -> None:
    record_attempts([of(started_at=NOON - day * DAY_S) for day in range(20)])
    UsageQuarter.objects.all().delete()
    UsageDay.objects.all().delete()
    UsageBackfill.objects.create(pk=1, before=int(NOON) // DAY_S * DAY_S + DAY_S)
    assert [repair.fill_back() for _ in range(4)] == [7, 7, 6, 0]
    assert read_total(ALL)["calls"] == 20
    assert_usage_is_that_of_the_ledger()


def test_rows_of_older_recorders_are_added_up_with_what_was_spent() -> None:
    key, _ = make_key()
    record_attempts([of(key_id=key.pk, team_id=key.team_id)])
    LedgerEntry.objects.update(lineage_id=None)
    UsageQuarter.objects.all().delete()
    UsageDay.objects.all().delete()
    assert count_missed() == 1
    assert read_total(ALL)["calls"] == 1
    assert_usage_is_that_of_the_ledger()


def test_day_without_calls_is_made_anew_as_nothing() -> None:
    repair.rebuild_day(LOW)
    assert not UsageQuarter.objects.exists()


def test_empty_ledger_has_nothing_of_before() -> None:
    UsageBackfill.objects.create(pk=1, before=int(NOON) // DAY_S * DAY_S)
    assert [repair.fill_back(), UsageBackfill.objects.get().before] == [0, 0]


def assert_closed_days_tell_what_others_do() -> None:
    questions = [
        Question(LOW, HIGH, bucket, zone, groups)
        for bucket in ("1d", "none")
        for zone in ("UTC", BERLIN)
        for groups in (
            ("team_id", "outcome", "kind"),
            ("model",),
            ("lineage_id", "project"),
            ("model", "member_id"),
        )
    ]
    told = [read_usage(question) for question in questions]
    assert UsageClosed.objects.exists()
    UsageClosed.objects.all().delete()
    assert [read_usage(question) for question in questions] == told


def put_right(chance: random.Random) -> None:
    entry = LedgerEntry.objects.attempts().order_by("?").first()
    if entry is not None:
        kind = chance.choice([Kind.CORRECTION, Kind.REPRICE, Kind.REFUND])
        amounts = Amounts(*(chance.randrange(-(10**9), 10**9) for _ in range(3)))
        with transaction.atomic():
            book([correction_of(entry, kind, amounts, note="wrong", at=datetime.fromtimestamp(NOON, UTC))])


@pytest.fixture
def make_host(tmp_path: Path) -> Iterator[Callable[[int], Host]]:
    hosts: list[Host] = []

    def make(seed: int) -> Host:
        hosts.append(Host(tmp_path / "spool", random.Random(seed)))
        hosts[-1].start()
        return hosts[-1]

    yield make
    for host in hosts:
        for spool in host.spools:
            spool.close()


@pytest.mark.parametrize("seed", range(6))
def test_usage_is_that_of_the_ledger_after_any_calls_crashes_repetitions_and_corrections(
    make_host: Callable[[int], Host], seed: int
) -> None:
    """Teams of such histories have the numbers 1 and 2."""
    for pk in (1, 2):
        Team.objects.create(pk=pk, slug=f"team-{pk}", name="Team")
    host = make_host(seed)

    def move() -> None:
        zone = host.chance.choice(["UTC", BERLIN, KOLKATA])
        Team.objects.filter(pk=host.chance.randrange(1, 3)).update(time_zone=zone)

    acts = [host.call] * 5 + [host.drain, host.repeat, host.die, host.bury, host.poison, host.start, move]
    acts += [
        repair.follow_zones,
        lambda: put_right(host.chance),
        lambda: repair.rebuild_day(LOW + host.chance.randrange(120) * DAY_S),
        *[lambda: closing.close_days(at=datetime.fromtimestamp(NOON + host.chance.randrange(9) * DAY_S, UTC))]
        * 4,
    ]
    for _ in range(60):
        host.chance.choice(acts)()
        assert prove_quarters(LOW, HIGH) == []
    for spool in host.spools:
        Recorder(spool).drain()
    Recorder(host.spools[0]).drain_orphans()
    assert LedgerEntry.objects.exists()
    assert_usage_is_that_of_the_ledger()
    assert_closed_days_tell_what_others_do()
