"""Days that are over are closed: summed up coarsely, read from there, and opened again by whoever changes them."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.attempts import AttemptRecord
from accounts.models import Team, UsageBackfill, UsageClosed, UsageCoarse, UsageDay, UsageQuarter
from accounts.recording import record_attempts
from accounts.usage import closing, repair
from accounts.usage.faces import face_of
from accounts.usage.measures import ERRORS, MEASURES, TOKENS
from accounts.usage.proof import prove_closed
from accounts.usage.question import Question
from accounts.usage.reader import read_usage
from accounts.windows import DAY_S
from tests.gateway.spooling import attempt
from tests.make import make_team

pytestmark = pytest.mark.django_db
BERLIN, KOLKATA, NEW_YORK, AUCKLAND = "Europe/Berlin", "Asia/Kolkata", "America/New_York", "Pacific/Auckland"
AT = datetime(2026, 6, 10, 9, tzinfo=UTC)
NOW = int(AT.timestamp())
TODAY = NOW // DAY_S * DAY_S
LOW, HIGH = TODAY - 75 * DAY_S, TODAY + DAY_S


def of(team: Team, at: int, chance: random.Random | None = None) -> AttemptRecord:
    chance = chance or random.Random(0)
    opened = {
        "model": chance.choice(["a", "b"]),
        "provider": chance.choice(["p", "q"]),
        "project": chance.choice(["", "blue"]),
        "lineage_id": chance.choice([3, 4]),
        "surface": chance.choice(["chat", "messages"]),
    }
    outcome = chance.choice(["finished", "finished", "failed", "cut", "failed_over"])
    end = {"outcome": outcome, "cost_usd": f"0.{chance.randrange(1, 999):03d}"}
    return attempt(team_id=team.pk, started_at=float(at), end=end, **opened)


@pytest.fixture
def teams() -> list[Team]:
    """Each with some calls in eleven weeks, of which some are at their midnights."""
    chance = random.Random(7)
    made = [make_team(time_zone=zone, usage_zone=zone) for zone in ("UTC", BERLIN, NEW_YORK, AUCKLAND)]
    for team in made:
        starts = [LOW + chance.randrange(76 * 24) * 3_600 for _ in range(150)]
        record_attempts([of(team, at + chance.choice([0, 900, 1_799]), chance) for at in starts if at < NOW])
    return made


def close(at: datetime = AT) -> None:
    while closing.close_days(at=at):
        pass


QUESTIONS = [
    Question(LOW, HIGH),
    Question(LOW, HIGH, groups=("model", "provider")),
    Question(LOW, HIGH, groups=("team_id", "lineage_id"), filters={"project": ["blue"]}),
    Question(LOW, HIGH, groups=("surface", "model"), excluded={"outcome": ["failed"]}),
    Question(LOW + 900, HIGH - 7 * DAY_S - 900, groups=("outcome",)),
    Question(LOW, HIGH, groups=("model",), measures=("calls", ERRORS, TOKENS), largest="calls"),
    *(
        Question(LOW + 30 * DAY_S, HIGH, "1d", zone, groups)
        for zone in ("UTC", BERLIN, KOLKATA)
        for groups in ((), ("outcome", "kind"), ("project", "model"))
    ),
    *(
        Question(LOW, HIGH, "month", zone, groups)
        for zone in ("UTC", BERLIN, KOLKATA, AUCKLAND)
        for groups in (("surface",), ("project", "model"))
    ),
    Question(LOW, HIGH, groups=("model",), cuts=[LOW, TODAY - 40 * DAY_S, TODAY, HIGH], kept=["a"]),
]


def told(question: Question, team: Team | None) -> list[tuple[Any, ...]]:
    asked = Question(
        **{name: getattr(question, name) for name in question.__slots__} | {"team_id": team and team.pk}
    )
    return [(row.key, row.sums) for row in read_usage(asked)]


def test_what_is_closed_tells_the_same_as_what_is_not(teams: list[Team]) -> None:
    asked = [(question, team) for question in QUESTIONS for team in (*teams, None)]
    before = [told(question, team) for question, team in asked]
    assert all(before)
    close()
    for (question, team), rows in zip(asked, before, strict=True):
        assert told(question, team) == rows, (question, team)
    assert prove_closed(TODAY) == []


def test_closed_days_and_months_are_read_from_few_rows_alone(teams: list[Team]) -> None:
    close()
    team = teams[1]
    end = UsageClosed.objects.get(team=team).closed_to
    by_day = Question(end - 20 * DAY_S, end, "1d", BERLIN, ("model",), team_id=team.pk)
    month = int(datetime(2026, 4, 30, 22, tzinfo=UTC).timestamp())
    by_month = Question(month, month + 31 * DAY_S, "none", BERLIN, ("model", "lineage_id"), team_id=team.pk)
    utc = Question(TODAY - 20 * DAY_S, TODAY - DAY_S, "1d", "UTC", ("model",), team_id=team.pk)
    before = [read_usage(question) for question in (by_day, by_month, utc)]
    assert all(before)
    UsageQuarter.objects.all().delete()
    UsageDay.objects.all().delete()
    assert [read_usage(question) for question in (by_day, by_month, utc)] == before


def test_day_is_closed_two_hours_after_its_end() -> None:
    team = make_team(time_zone=BERLIN, usage_zone=BERLIN)
    midnight = int(datetime(2026, 6, 9, 22, tzinfo=UTC).timestamp())
    record_attempts([of(team, midnight - 5 * DAY_S), of(team, midnight + 1)])
    for seconds, expected in ((closing.RIPE_S - 1, midnight - DAY_S), (closing.RIPE_S, midnight)):
        close(datetime.fromtimestamp(midnight + seconds, UTC))
        assert UsageClosed.objects.get().closed_to == expected
    assert set(UsageCoarse.objects.values_list("grain", flat=True)) == {"closed", "utc"}


def test_some_days_are_closed_at_once_and_the_others_next() -> None:
    team = make_team()
    record_attempts([of(team, TODAY - 70 * DAY_S)])
    assert [closing.close_days(at=AT) for _ in range(11)] == [*[7] * 10, 0]
    make_team()
    assert closing.close_days(at=AT) == 0
    assert set(UsageClosed.objects.values_list("closed_to", flat=True)) == {TODAY}


def test_what_is_recorded_late_opens_its_day_and_what_follows(teams: list[Team]) -> None:
    close()
    team, other = teams[0], teams[1]
    kept = UsageClosed.objects.get(team=other).closed_to
    late = TODAY - 40 * DAY_S
    record_attempts([of(team, late + 5 * DAY_S), of(team, late + 3_600), of(team, NOW)])
    assert UsageClosed.objects.get(team=team).closed_to == late
    assert UsageClosed.objects.get(team=other).closed_to == kept
    before = [told(question, team) for question in QUESTIONS]
    close()
    assert [told(question, team) for question in QUESTIONS] == before
    assert UsageClosed.objects.get(team=team).closed_to == TODAY
    assert prove_closed(TODAY) == []


def test_day_that_is_made_anew_is_open(teams: list[Team]) -> None:
    close()
    UsageDay.objects.filter(starts_at=TODAY - 10 * DAY_S).update(calls=99)
    repair.rebuild_day(TODAY - 10 * DAY_S)
    assert UsageClosed.objects.get(team=teams[0]).closed_to <= TODAY - 10 * DAY_S


def test_team_that_moves_has_its_days_closed_anew(teams: list[Team]) -> None:
    close()
    Team.objects.filter(pk=teams[0].pk).update(time_zone=KOLKATA)
    assert repair.follow_zone(teams[0].pk)
    teams[0].refresh_from_db()
    before = [told(question, teams[0]) for question in QUESTIONS]
    close()
    assert [told(question, teams[0]) for question in QUESTIONS] == before
    assert prove_closed(TODAY) == []


def test_what_was_closed_in_another_zone_is_not_closed(teams: list[Team]) -> None:
    """As a process of the version before leaves it, which knows of none of this."""
    close()
    before = [told(question, teams[0]) for question in QUESTIONS]
    UsageClosed.objects.filter(team=teams[0]).update(zone=KOLKATA)
    UsageCoarse.objects.filter(team_id=teams[0].pk).update(calls=77)
    assert [told(question, teams[0]) for question in QUESTIONS] == before
    close()
    assert [told(question, teams[0]) for question in QUESTIONS] == before


def test_nothing_is_closed_while_days_of_before_are_added_up(teams: list[Team]) -> None:
    UsageBackfill.objects.update_or_create(pk=1, defaults={"before": TODAY})
    assert closing.close_days(at=AT) == 0
    assert not UsageClosed.objects.exists()


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ((), "how"),
        (("team_id",), "how"),
        (("outcome", "kind"), "how"),
        (("team_id", "model", "endpoint"), "what"),
        (("surface", "project"), "who"),
        (("model", "surface"), "all"),
        (("lineage_id", "outcome"), "all"),
    ],
)
def test_coarsest_sums_that_tell_it_are_read(columns: tuple[str, ...], name: str) -> None:
    assert face_of(columns).name == name


@pytest.mark.parametrize("measure", ["calls", "cost", "first_token_told"])
@pytest.mark.parametrize(
    ("face", "grain"),
    [("how", "closed"), ("what", "utc"), ("who", "month"), ("all", "month"), ("all", "third")],
)
def test_sum_that_is_wrong_is_found(teams: list[Team], measure: str, face: str, grain: str) -> None:
    close()
    row = UsageCoarse.objects.filter(face=face, grain=grain).order_by("-starts_at").first()
    assert row is not None
    UsageCoarse.objects.filter(pk=row.pk).update(**{measure: 123_456})
    found = prove_closed(TODAY)
    assert {each.measure for each in found} == {measure}
    assert measure in MEASURES
