"""`/v1/usage`: ranges, buckets, groups, filters, pages and sheets, for those who may read them."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from accounts.attempts import AttemptRecord
from accounts.models import ServiceAccount, Team
from accounts.recording import record_attempts
from accounts.services import rotate_key
from tests.accounts.conftest import Caller
from tests.gateway.spooling import attempt
from tests.make import make_key, make_staff, make_team, make_user

pytestmark = pytest.mark.django_db
MAY = datetime(2026, 5, 4, 12, tzinfo=UTC).timestamp()
DAY_S = 86_400
RANGE = "from=2026-05-01&to=2026-06-01"


def of(team: Team, cost: str = "0.1", at: float = MAY, **opened: Any) -> AttemptRecord:
    end = opened.pop("end", {})
    whose = {"team_id": team.pk, "key_id": 1, "lineage_id": 1}
    return attempt(end={"cost_usd": cost} | end, started_at=at, **whose | opened)


@pytest.fixture
def usage(call: Caller, team: Team) -> Any:
    """`usage(query)`: what a key of the scope usage is answered."""
    _, text = make_key(team, "reader", scopes=["usage"])

    def ask(query: str = RANGE, status: int = 200) -> Any:
        answer = call("GET", f"/v1/usage?{query}", text)
        assert answer.status_code == status, answer.content
        return answer.json()

    return ask


def test_usage_is_told_by_day_with_totals(usage: Any, team: Team) -> None:
    record_attempts([of(team, "0.1"), of(team, "0.0000000002"), of(team, "0.3", MAY + DAY_S)])
    told = usage()
    assert [(row["starts_at"], row["cost_usd"], row["calls"]) for row in told["data"]] == [
        ("2026-05-04T00:00:00Z", "0.1000000002", 2),
        ("2026-05-05T00:00:00Z", "0.3", 1),
    ]
    assert (told["totals"]["cost_usd"], told["totals"]["input_tokens"]) == ("0.4000000002", 9)
    assert (told["from"], told["to"]) == ("2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z")
    assert (told["has_more"], told["next_cursor"]) == (False, None)


def test_days_begin_in_the_teams_zone_unless_another_one_is_asked_for(usage: Any, team: Team) -> None:
    Team.objects.update(time_zone="Asia/Kolkata", usage_zone="Asia/Kolkata")
    record_attempts([of(team, at=datetime(2026, 5, 3, 19, tzinfo=UTC).timestamp())])
    assert usage()["data"][0]["starts_at"] == "2026-05-03T18:30:00Z"
    assert usage(f"{RANGE}&zone=UTC")["data"][0]["starts_at"] == "2026-05-03T00:00:00Z"


@pytest.mark.parametrize(
    ("bucket", "starts"),
    [
        ("15m", ["12:15", "12:30"]),
        ("1h", ["12:00"]),
        ("1d", ["00:00"]),
    ],
)
def test_buckets(usage: Any, team: Team, bucket: str, starts: list[str]) -> None:
    record_attempts([of(team, at=MAY + 900), of(team, at=MAY + 1800)])
    told = usage(f"from=2026-05-04&to=2026-05-05&bucket={bucket}")
    assert [row["starts_at"][11:16] for row in told["data"]] == starts


def test_months_are_those_of_the_zone_cut_to_the_range(usage: Any, team: Team) -> None:
    record_attempts([of(team, at=MAY), of(team, at=datetime(2026, 5, 31, 22, tzinfo=UTC).timestamp())])
    told = usage("from=2026-05-02&to=2026-06-20&bucket=month&zone=Europe/Berlin")
    assert (told["bucket"], told["zone"]) == ("month", "Europe/Berlin")
    assert [(row["starts_at"], row["ends_at"], row["calls"]) for row in told["data"]] == [
        ("2026-05-01T22:00:00Z", "2026-05-31T22:00:00Z", 1),
        ("2026-05-31T22:00:00Z", "2026-06-19T22:00:00Z", 1),
    ]
    assert [row["calls"] for row in usage("from=2026-05-01&to=2026-07-01&bucket=month")["data"]] == [2]


def test_year_is_what_months_are_told_of_where_no_range_is_named(usage: Any) -> None:
    told = usage("bucket=month")
    low, high = (datetime.fromisoformat(told[name]) for name in ("from", "to"))
    assert timedelta(days=365) <= high - low <= timedelta(days=365, minutes=15)


def test_range_without_buckets_is_one_row(usage: Any, team: Team) -> None:
    record_attempts([of(team, at=MAY + day * DAY_S) for day in range(-3, 4)])
    told = usage("from=2026-05-02T10:00:00Z&to=2026-05-06T18:00:00Z&bucket=none")
    assert [(row["starts_at"], row["ends_at"], row["calls"]) for row in told["data"]] == [
        ("2026-05-02T10:00:00Z", "2026-05-06T18:00:00Z", 5)
    ]


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-05-04T12:00:00Z&to=2026-05-04T12:15:00Z",
        "start_time=1777896000&end_time=1777896900",
        "from=2026-05-04T14:00:00%2B02:00&to=1777896900",
        "from=2026-05-04T14:00:00 02:00&to=1777896001",
    ],
)
def test_instants_are_rfc_3339_or_unix_seconds(usage: Any, team: Team, query: str) -> None:
    record_attempts([of(team, at=MAY - 1), of(team, at=MAY), of(team, at=MAY + 899), of(team, at=MAY + 900)])
    assert usage(query)["totals"]["calls"] == 2


def test_groups_are_named_as_people_name_them(usage: Any, team: Team) -> None:
    account = ServiceAccount.objects.create(team=team, slug="robot", name="Robot")
    member = team.memberships.create(user=make_user("ann"))
    key, _ = make_key(team, "one")
    record_attempts(
        [
            of(team, lineage_id=key.pk, member_id=member.pk, project="blue"),
            of(team, lineage_id=999, service_account_id=account.pk),
        ]
    )
    told = usage(f"{RANGE}&bucket=none&group_by=key,member,service_account,project,team")["data"]
    assert [
        [row[name] for name in ("key", "member", "service_account", "project", "team")] for row in told
    ] == [
        [key.public_id, "ann", None, "blue", "research"],
        ["gone, number 999", None, "robot", None, "research"],
    ]


def test_any_groups_are_told_apart(usage: Any, team: Team) -> None:
    record_attempts([of(team, model=model, provider=provider) for model in "ab" for provider in "xyx"])
    told = usage(f"{RANGE}&bucket=none&group_by=model&group_by=provider")["data"]
    assert [(row["model"], row["provider"], row["calls"]) for row in told] == [
        ("a", "x", 2),
        ("a", "y", 1),
        ("b", "x", 2),
        ("b", "y", 1),
    ]


@pytest.mark.parametrize(
    ("query", "calls"),
    [
        ("model=a", 1),
        ("model=a,b", 2),
        ("model=a&model=b", 2),
        ("model[]=a&model[]=c", 2),
        ("model=nobody", 0),
        ("project=", 2),
        ("project=blue", 1),
        ("outcome=finished", 2),
        ("outcome=cut&model=a", 0),
        ("provider=acme", 3),
        ("endpoint=chat.completions&kind=attempt", 3),
        ("member=ann", 1),
        ("member=", 2),
    ],
)
def test_filters(usage: Any, team: Team, query: str, calls: int) -> None:
    member = team.memberships.create(user=make_user("ann"))
    record_attempts(
        [
            of(team, model="a", project="blue"),
            of(team, model="b", member_id=member.pk),
            of(team, model="c", end={"outcome": "cut"}),
        ]
    )
    assert usage(f"{RANGE}&{query}")["totals"]["calls"] == calls


def test_a_key_stands_for_its_lineage(usage: Any, team: Team) -> None:
    key, _ = make_key(team, "one")
    successor, _ = rotate_key(key=key, overlap=timedelta(hours=1))
    record_attempts([of(team, lineage_id=key.pk), of(team, lineage_id=key.pk + 1000)])
    for each in (key, successor):
        assert usage(f"{RANGE}&key={each.public_id}")["totals"]["calls"] == 1


def test_pages_follow_one_another_and_each_tells_the_totals_of_all(usage: Any, team: Team) -> None:
    record_attempts([of(team, model=f"m{n}", at=MAY + n % 3 * DAY_S) for n in range(9)])
    query, seen, cursor = f"{RANGE}&group_by=model&limit=2", [], ""
    while cursor is not None:
        told = usage(f"{query}&cursor={cursor}" if cursor else query)
        assert told["totals"]["calls"] == 9
        assert len(told["data"]) <= 2
        seen += [(row["starts_at"], row["model"]) for row in told["data"]]
        cursor = told["next_cursor"]
    assert seen == sorted(set(seen))
    assert len(seen) == 9


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("from=yesterday", "from"),
        ("from=2026-05-04T12:00:00", "from"),
        ("to=1", "to"),
        ("from=0", "from"),
        ("start_time=x", "start_time"),
        ("from=2026-05-01&start_time=2026-05-01", "start_time"),
        ("from=2026-06-01&to=2026-05-01", "to"),
        ("from=2026-05-01&to=2026-05-01", "to"),
        ("from=2026-01-01&to=2026-06-01&bucket=15m", "from"),
        ("bucket=1w", "bucket"),
        ("zone=Mars/Olympus", "zone"),
        ("zone=../../etc/passwd", "zone"),
        ("group_by=colour", "group_by"),
        ("group_by=model,", "group_by"),
        ("outcome=good", "outcome"),
        ("kind=gift", "kind"),
        ("model=%00", "model"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=WzEsMl0", "cursor"),
        ("format=xml", "format"),
        ("colour=red", "colour"),
    ],
)
def test_parameter_that_is_wrong_is_a_400_that_names_it(usage: Any, query: str, param: str) -> None:
    error = usage(query, 400)["error"]
    assert error["param"] == param
    assert param in error["message"]


@pytest.mark.parametrize("name", ["key", "member", "service_account"])
def test_name_of_another_team_and_of_nobody_read_alike(usage: Any, name: str) -> None:
    other = make_team("other")
    key, _ = make_key(other)
    other.memberships.create(user=make_user("eve"))
    ServiceAccount.objects.create(team=other, slug="spy", name="Spy")
    foreign = {"key": key.public_id, "member": "eve", "service_account": "spy"}[name]
    told = [usage(f"{name}={each}", 404)["error"] for each in (foreign, "nobody")]
    assert told[0]["message"].replace(foreign, "nobody") == told[1]["message"]
    assert told[0]["param"] == name


def test_empty_range_is_told_as_nothing(usage: Any) -> None:
    told = usage()
    assert told["data"] == []
    assert (told["totals"]["calls"], told["totals"]["cost_usd"], told["totals"]["latency_ms"]) == (
        0,
        "0",
        None,
    )


@pytest.mark.parametrize(
    ("terms", "status"),
    [
        ({"scopes": ["usage"]}, 200),
        ({"scope": "management"}, 200),
        ({"scopes": ["management"]}, 200),
        ({"scopes": ["inference", "usage"]}, 200),
        ({"scope": "inference"}, 403),
        ({"scope": "feed"}, 403),
        ({"scopes": ["catalogue"]}, 403),
    ],
)
def test_keys_of_the_scopes_usage_and_management_read(
    call: Caller, team: Team, terms: dict[str, Any], status: int
) -> None:
    _, text = make_key(team, "one", **terms)
    answer = call("GET", f"/v1/usage?{RANGE}", text)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["error"]["code"] == "permission_denied"


def test_nobody_reads_without_a_key(call: Caller) -> None:
    assert call("GET", "/v1/usage").status_code == 401


def test_other_teams_usage_is_in_no_sum(usage: Any, team: Team) -> None:
    record_attempts([of(team), of(make_team("other"), "5", model="secret")])
    told = usage(f"{RANGE}&group_by=team,model")
    assert told["totals"]["cost_usd"] == "0.1"
    assert "secret" not in str(told)
    assert usage("team=other", 404)["error"]["param"] == "team"


def test_people_read_their_own_teams(member: Client, team: Team) -> None:
    other = make_team("other")
    record_attempts([of(team), of(other, "5")])
    assert member.get(f"/v1/usage?{RANGE}").json()["totals"]["cost_usd"] == "0.1"
    assert member.get(f"/v1/usage?{RANGE}&team=other").status_code == 404


def test_days_that_are_added_up_from_quarters_are_as_few_as_those_of_hours(
    client: Client, team: Team
) -> None:
    """Those of teams in their own zones are read by days."""
    client.force_login(make_staff())
    years, half = "from=2022-01-01&to=2026-05-01", "from=2025-11-01&to=2026-05-01"

    def status(query: str) -> int:
        return client.get(f"/v1/usage?{query}").status_code

    assert status(f"{years}&zone=UTC") == 200
    make_team("other", usage_zone="Europe/Berlin")
    for zone in ("UTC", "Europe/Berlin"):
        refused = client.get(f"/v1/usage?{years}&zone={zone}")
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "zone")
        assert status(f"{half}&zone={zone}") == status(f"{years}&zone={zone}&bucket=none") == 200
    assert status(f"{years}&zone=Europe/Berlin&team=other") == 200


def test_staff_read_all_teams_and_what_the_operator_loses(client: Client, team: Team) -> None:
    other = make_team("other", usage_zone="Europe/Berlin")
    records = [of(each, "0.1", MAY + hour * 3600) for each in (team, other) for hour in range(0, 60, 7)]
    record_attempts([*records, of(Team(pk=0), "0", end={"loss_usd": "0.5"})])
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    told = client.get(f"/v1/usage?{RANGE}&group_by=team&bucket=none").json()
    assert [(row["team"], row["calls"], row["cost_usd"], row["loss_usd"]) for row in told["data"]] == [
        (None, 1, "0", "0.5"),
        ("research", 9, "0.9", "0"),
        ("other", 9, "0.9", "0"),
    ]
    by_day = client.get(f"/v1/usage?{RANGE}&group_by=team&zone=Europe/Berlin").json()
    assert sum(row["calls"] for row in by_day["data"]) == 19
    assert client.get(f"/v1/usage?{RANGE}&team=other").json()["totals"]["calls"] == 9
    assert client.get("/v1/usage?team=nobody").status_code == 404


def test_staff_who_may_not_see_the_ledger_read_their_own_teams(client: Client) -> None:
    client.force_login(make_user("clerk", is_staff=True))
    assert client.get("/v1/usage").status_code == 403


def test_teams_are_not_told_what_the_operator_loses(usage: Any, team: Team) -> None:
    record_attempts([of(team, "0", end={"loss_usd": "0.5"})])
    assert "loss_usd" not in str(usage())


async def _whole(answer: Any) -> str:
    return b"".join([part async for part in answer]).decode()


def read_sheet(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(async_to_sync(_whole)(answer), newline="")))


def test_sheet_has_all_of_it_exactly_and_no_formulas(call: Caller, team: Team) -> None:
    _, text = make_key(team, "reader", scopes=["usage"])
    evil = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]
    record_attempts([of(team, "0.0000000001", project=project) for project in [*evil, "blue"]])
    answer = call("GET", f"/v1/usage?{RANGE}&group_by=project&format=csv&limit=1", text)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.streaming
    head, *lines = read_sheet(answer)
    assert head[:5] == ["starts_at", "ends_at", "project", "calls", "attempts"]
    assert sorted(line[2] for line in lines) == sorted([*(f"'{each}" for each in evil), "blue"])
    assert {line[head.index("cost_usd")] for line in lines} == {"0.0000000001"}
    assert {line[0] for line in lines} == {"2026-05-04T00:00:00Z"}
    assert "loss_usd" not in head


def test_sheet_is_read_by_pages(call: Caller, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.usage.sheet._PAGE_ROWS", 2)
    _, text = make_key(team, "reader", scopes=["usage"])
    record_attempts([of(team, model=f"m{n}") for n in range(5)])
    _, *lines = read_sheet(call("GET", f"/v1/usage?{RANGE}&group_by=model&format=csv", text))
    assert [line[2] for line in lines] == [f"m{n}" for n in range(5)]


def test_sheet_that_is_too_long_says_where_it_ends(
    call: Caller, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.usage.sheet._PAGE_ROWS", 2)
    monkeypatch.setattr("accounts.usage.sheet.MOST_ROWS", 2)
    _, text = make_key(team, "reader", scopes=["usage"])
    record_attempts([of(team, model=f"m{n}") for n in range(5)])
    *_, last = read_sheet(call("GET", f"/v1/usage?{RANGE}&group_by=model&format=csv", text))
    assert last[0].startswith("The list ends here")
