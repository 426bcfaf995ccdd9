"""Months are closed once, add up to the ledger, and what comes later stands in the next one."""

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts import tasks
from accounts.attempts import AttemptRecord
from accounts.booking import correct, refund
from accounts.models import Alert, Key, LedgerEntry, Statement, StatementLine, Team, UsageBackfill
from accounts.money import usd_of
from accounts.recording import record_attempts
from accounts.retention import forget_entries
from accounts.statements import close_due, close_month, month_named
from gateway.core.refusals import InvalidField
from tests.gateway.spooling import attempt
from tests.make import make_key, make_team

pytestmark = pytest.mark.django_db
MAY = datetime(2026, 5, 10, 12, tzinfo=UTC)
JUNE = datetime(2026, 6, 10, 12, tzinfo=UTC)
JUNE_4 = datetime(2026, 6, 4, tzinfo=UTC)
JULY_4 = datetime(2026, 7, 4, tzinfo=UTC)


@pytest.fixture
def key() -> Key:
    return make_key(make_team("atlas", cost_centre="4711"), "reports")[0]


def of(key: Key, cost: str = "0.1", at: datetime = MAY, **opened: Any) -> AttemptRecord:
    end = {"cost_usd": cost} | opened.pop("end", {})
    whose = {"team_id": key.team_id, "key_id": key.pk, "lineage_id": key.pk}
    return attempt(end=end, started_at=at.timestamp(), **whose | opened)


def close(key: Key, month: str, at: datetime = JULY_4) -> Statement | None:
    return close_month(key.team, month_named(key.team, month), at=at)


def closed(key: Key, month: str = "2026-05", at: datetime = JULY_4) -> Statement:
    made = close(key, month, at)
    assert made is not None
    return Statement.objects.get(pk=made.pk)


def lines_of(statement: Statement) -> list[StatementLine]:
    return list(statement.lines.all())


def charged(key: Key) -> Decimal:
    return sum((row.charged_usd for row in LedgerEntry.objects.filter(team=key.team)), Decimal(0))


def told() -> Decimal:
    return usd_of(sum(Statement.objects.values_list("charge", flat=True)))


def test_statement_tells_the_month_by_project_key_model_provider_and_factor(key: Key) -> None:
    record_attempts(
        [
            of(key, "0.1", project="blue"),
            of(key, "0.2000000001", project="blue"),
            of(key, "0.4", charge_factor="0.9"),
            of(key, "0.8", model="acme/two"),
            of(key, "1.6", provider="other"),
            of(key, "99", at=JUNE),
            of(key, "99", at=datetime(2026, 4, 30, 23, 59, 59, tzinfo=UTC)),
        ]
    )
    statement = closed(key)
    assert [
        (line.project, line.key, line.model, line.provider, line.factor, line.calls, line.charge_usd)
        for line in lines_of(statement)
    ] == [
        ("", key.public_id, "acme/one", "acme", Decimal("0.9"), 1, Decimal("0.36")),
        ("", key.public_id, "acme/one", "other", Decimal(1), 1, Decimal("1.6")),
        ("", key.public_id, "acme/two", "acme", Decimal(1), 1, Decimal("0.8")),
        ("blue", key.public_id, "acme/one", "acme", Decimal(1), 2, Decimal("0.3000000001")),
    ]
    assert [(line.input_tokens, line.output_tokens) for line in lines_of(statement)][-1] == (6, 10)
    assert (statement.cost_usd, statement.charge_usd) == (Decimal("3.1000000001"), Decimal("3.0600000001"))
    assert (statement.team_name, statement.cost_centre, statement.period) == ("Atlas", "4711", "May 2026")


def test_month_begins_and_ends_in_the_teams_zone(key: Key) -> None:
    Team.objects.update(time_zone="Asia/Kolkata", usage_zone="Asia/Kolkata")
    key.team.refresh_from_db()
    edge = datetime(2026, 4, 30, 18, 30, tzinfo=UTC)
    second = timedelta(seconds=1)
    record_attempts([of(key, "1", edge - second), of(key, "2", edge), of(key, "4", MAY)])
    statement = closed(key)
    assert statement.charge_usd == Decimal(6)
    assert (statement.starts_at, statement.ends_at) == (edge, datetime(2026, 5, 31, 18, 30, tzinfo=UTC))
    assert statement.first_day.isoformat() == "2026-05-01T00:00:00+05:30"


def test_nothing_is_told_twice_or_left_out_where_a_team_moves_to_another_zone(key: Key) -> None:
    instants = [datetime(2026, 5, 31, hour, tzinfo=UTC) for hour in (10, 17, 19, 23)]
    record_attempts([of(key, "1", at) for at in instants])
    first = closed(key)
    Team.objects.update(time_zone="Asia/Kolkata")
    tasks.tend_usage()
    key.team.refresh_from_db()
    record_attempts([of(key, "1", JUNE)])
    second = closed(key, "2026-06")
    assert (second.starts_at, second.ends_at) == (first.ends_at, datetime(2026, 6, 30, 18, 30, tzinfo=UTC))
    assert told() == charged(key) == 5


def test_correction_after_the_close_is_a_line_of_the_next_statement_that_names_the_first(key: Key) -> None:
    record_attempts([of(key, "1", charge_factor="0.5"), of(key, "8", JUNE)])
    first = closed(key, at=JUNE_4)
    entry = LedgerEntry.objects.get(cost_usd=1)
    refund(entry=entry, amount_usd=Decimal("0.2"), note="cut")
    second = closed(key, "2026-06")
    own, late = lines_of(second)
    assert (own.corrects, own.charge_usd) == (None, Decimal(8))
    assert (late.corrects, late.calls, late.charge_usd, late.cost_usd, late.factor) == (
        first,
        0,
        Decimal("-0.2"),
        Decimal("-0.4"),
        None,
    )
    assert Statement.objects.get(pk=first.pk).charge_usd == Decimal("0.5")
    assert told() == charged(key) == Decimal("8.3")


def test_correction_is_told_once_however_many_months_follow(key: Key) -> None:
    record_attempts([of(key, "1"), of(key, "1", JUNE), of(key, "1", JUNE + timedelta(days=30))])
    closed(key, at=JUNE_4)
    correct(entry=LedgerEntry.objects.order_by("started_at")[0], amount_usd=Decimal("0.5"), note="a tool")
    assert closed(key, "2026-06").charge_usd == Decimal("1.5")
    assert closed(key, "2026-07", at=JULY_4 + timedelta(days=31)).charge_usd == Decimal(1)


def test_correction_before_the_close_is_in_the_month_itself(key: Key) -> None:
    record_attempts([of(key, "1")])
    correct(entry=LedgerEntry.objects.get(), amount_usd=Decimal("-0.25"), note="counted twice")
    statement = closed(key)
    assert [(line.calls, line.charge_usd, line.corrects) for line in lines_of(statement)] == [
        (1, Decimal("0.75"), None)
    ]


def test_call_that_is_recorded_late_is_told_late(key: Key) -> None:
    record_attempts([of(key, "1")])
    first = closed(key, at=JUNE_4)
    record_attempts([of(key, "2"), of(key, "4", JUNE)])
    late = lines_of(closed(key, "2026-06"))[-1]
    assert (late.corrects, late.calls, late.charge_usd) == (first, 1, Decimal(2))


def test_what_comes_for_a_month_is_told_although_its_rows_are_forgotten(key: Key) -> None:
    record_attempts([of(key, "1"), of(key, "2", MAY + timedelta(days=1)), of(key, "4", JUNE)])
    first = closed(key, at=JUNE_4)
    correct(entry=LedgerEntry.objects.get(cost_usd=1), amount_usd=Decimal("0.5"), note="a tool")
    assert LedgerEntry.objects.filter(cost_usd=2).delete()
    late = lines_of(closed(key, "2026-06"))[-1]
    assert (late.corrects, late.charge_usd) == (first, Decimal("0.5"))


def test_closed_month_stays_as_it_is(key: Key) -> None:
    record_attempts([of(key, "1")])
    statement = closed(key)
    record_attempts([of(key, "1")])
    assert close(key, "2026-05") is None
    statement.charge = 0
    for change in (
        statement.save,
        statement.delete,
        lambda: Statement.objects.update(charge=0),
        lambda: StatementLine.objects.all().delete(),
    ):
        with pytest.raises(TypeError, match="stays as it was told"):
            change()  # type: ignore[operator]


def test_numbers_run_without_gaps_over_all_teams(key: Key) -> None:
    other = make_key(make_team("zephyr"))[0]
    record_attempts([of(key), of(other), of(key, at=JUNE)])
    made = [closed(key), closed(other)]
    assert close(key, "2026-05") is None
    assert close(other, "2026-04") is None
    made.append(closed(key, "2026-06"))
    assert [statement.number for statement in made] == [1, 2, 3]


def test_month_that_runs_or_is_none_is_refused(key: Key) -> None:
    end = datetime(2026, 6, 1, tzinfo=UTC)
    record_attempts([of(key)])
    with pytest.raises(InvalidField, match="2026-05 is not over in UTC"):
        close(key, "2026-05", at=end - timedelta(seconds=1))
    assert close(key, "2026-05", at=end)
    for name in ("2026-13", "May", "0000-01", "2026-05-01"):
        with pytest.raises(InvalidField, match="write it as 2026-10"):
            month_named(key.team, name)


def test_nothing_is_closed_while_old_usage_is_being_added_up(key: Key) -> None:
    record_attempts([of(key)])
    UsageBackfill.objects.update_or_create(pk=1, defaults={"before": 86_400})
    assert close_due(at=JULY_4, days=3) == 0
    with pytest.raises(InvalidField, match="still being added up"):
        close(key, "2026-05")


def test_months_are_closed_so_many_days_after_their_end_the_oldest_first(key: Key) -> None:
    record_attempts([of(key, "1"), of(key, "2", JUNE), of(key, "4", JULY_4)])
    edge = datetime(2026, 7, 4, tzinfo=UTC)
    assert close_due(at=edge - timedelta(seconds=1), days=3) == 1
    assert close_due(at=edge, days=3) == 1
    assert close_due(at=edge, days=3) == 0
    months = Statement.objects.order_by("number").values_list("month", flat=True)
    assert list(months) == ["2026-05", "2026-06"]


def test_idle_month_gets_no_statement_and_what_is_put_right_waits_for_the_latest(key: Key) -> None:
    record_attempts([of(key, "1")])
    assert close_due(at=datetime(2026, 9, 10, tzinfo=UTC), days=3) == 1
    correct(entry=LedgerEntry.objects.get(), amount_usd=Decimal("0.5"), note="a tool")
    assert close_due(at=datetime(2026, 9, 10, tzinfo=UTC), days=3) == 1
    assert [(each.month, each.charge_usd) for each in Statement.objects.all()] == [
        ("2026-08", Decimal("0.5")),
        ("2026-05", Decimal(1)),
    ]


def test_idle_team_costs_few_queries_however_many_months_there_are(
    key: Key, django_assert_max_num_queries: Any
) -> None:
    record_attempts([of(key, "1", MAY - timedelta(days=30 * month)) for month in range(6)])
    september = datetime(2026, 9, 10, tzinfo=UTC)
    assert close_due(at=september, days=3) == 6
    with django_assert_max_num_queries(40):
        assert close_due(at=september, days=3) == 0


@pytest.mark.parametrize("seed", range(3))
def test_statements_add_up_to_the_ledger_after_any_history(key: Key, seed: int) -> None:
    dice = random.Random(seed)
    first = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(1, 7):
        now = datetime(2026, number + 1, 5, tzinfo=UTC)
        reach = int((datetime(2026, number + 1, 1, tzinfo=UTC) - first).total_seconds())
        record_attempts(
            [
                of(
                    key,
                    f"{dice.randrange(10**9)}e-10",
                    first + timedelta(seconds=dice.randrange(reach)),
                    project=dice.choice(["", "blue"]),
                    charge_factor=dice.choice(["1", "0.9", "1.2345"]),
                )
                for _ in range(dice.randrange(12))
            ]
        )
        for entry in LedgerEntry.objects.filter(kind="attempt", charge_usd__gt=0).order_by("attempt_id")[:3]:
            correct(entry=entry, amount_usd=Decimal(dice.randrange(1, 99)).scaleb(-10), note="more")
        close_due(at=now, days=3)
        assert told() == charged(key)
    numbers = list(Statement.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def test_owners_hear_once_that_a_statement_is_ready(key: Key) -> None:
    record_attempts([of(key, "1.5")])
    number = closed(key).number
    alert = Alert.objects.get(kind="statement.ready")
    assert alert.title == f"The statement {number} for May 2026 is ready"
    assert (alert.team, alert.data["total_usd"]) == (key.team, "1.5")


def test_duty_closes_unless_months_are_closed_by_hand(key: Key, settings: Any) -> None:
    record_attempts([of(key)])
    settings.STATEMENT_DAYS = 0
    assert tasks.close_months() == 0
    settings.STATEMENT_DAYS = 3
    assert tasks.close_months() == 1


def test_command_closes_a_month_of_all_teams_or_of_one(key: Key) -> None:
    other = make_key(make_team("zephyr"))[0]
    record_attempts([of(key, "1.25"), of(other)])
    out = StringIO()
    call_command("close_month", "2026-05", "--team", "atlas", stdout=out)
    assert out.getvalue() == "1: atlas, 2026-05, 1.25 USD\n1 statement made.\n"
    call_command("close_month", "2026-05", stdout=out)
    assert [each.team for each in Statement.objects.all()] == [other.team, key.team]
    for wrong in (["2026-05", "--team", "nobody"], ["May"], ["2999-01"]):
        with pytest.raises(CommandError):
            call_command("close_month", *wrong)


def test_row_that_is_on_no_statement_is_not_forgotten(key: Key) -> None:
    record_attempts([of(key)])
    late = datetime(2026, 12, 20, tzinfo=UTC)

    def forget() -> int:
        return forget_entries(30, at=late, most_s=60.0, keeps_open=True)

    assert forget() == 0
    closed(key)
    assert forget() == 1


def test_statement_outlives_its_team(key: Key) -> None:
    record_attempts([of(key, "1")])
    statement = closed(key)
    Key.objects.all().delete()
    Team.objects.all().delete()
    kept = Statement.objects.get(pk=statement.pk)
    assert (kept.team_name, lines_of(kept)[0].key_name) == ("Atlas", "reports")


@pytest.mark.django_db(transaction=True)
def test_closes_at_once_leave_no_gap_and_tell_nothing_twice(key: Key) -> None:
    record_attempts([of(key, "1"), of(key, "2", JUNE)])
    closed(key, at=JUNE_4)
    correct(entry=LedgerEntry.objects.get(cost_usd=1), amount_usd=Decimal("0.5"), note="a tool")
    record_attempts([of(key, "4", JUNE + timedelta(days=30))])

    def run(month: str) -> Callable[[], None]:
        def close_it() -> None:
            try:
                close(key, month, at=JULY_4 + timedelta(days=31))
            finally:
                connection.close()

        return close_it

    threads = [threading.Thread(target=run(month)) for month in ("2026-06", "2026-07") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(Statement.objects.values_list("number", flat=True)) == [1, 2, 3]
    assert told() == charged(key) == Decimal("7.5")
