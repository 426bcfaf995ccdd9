"""The overview's numbers, its address, and whose they are."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from itertools import cycle, product
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from asgiref.sync import async_to_sync
from django.http import StreamingHttpResponse
from django.test import Client

from accounts.budgeting import make_budget
from accounts.models import Membership, Project, ServiceAccount, Team
from accounts.recording import record_attempts
from gateway.portal.overview.measures import MEASURES
from gateway.portal.overview.medians import Spread, spread_of
from gateway.portal.overview.periods import PERIODS
from gateway.portal.overview.question import DIMENSIONS
from tests.gateway.portal.overview.conftest import NOON, Record
from tests.gateway.spooling import attempt
from tests.make import make_key, make_published, make_team, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
DAY = timedelta(days=1)
XSS = '<script>alert("x")</script>'
ARABIC = "مفتاح الفريق"


def page(client: Client, query: str = "", status: int = 200, **headers: str) -> str:
    answer = client.get(f"/overview?team=atlas&{query}", headers=headers)
    assert answer.status_code == status, answer.content
    return answer.content.decode().replace("\N{NO-BREAK SPACE}", " ")


def chart_of(text: str) -> Any:
    data = re.search(r'<script id="chart-data" type="application/json">(.*?)</script>', text, re.DOTALL)
    assert data
    return orjson.loads(data[1])


def rows_of(text: str) -> list[list[str]]:
    """Of the table, with its sum at last."""
    table = text.partition("<tbody>")[2].partition("</table>")[0]
    plain = [re.sub(r"<[^>]+>", "", row.replace("</t", "|</t")) for row in table.split("</tr>")]
    cells = [[unescape(cell).strip() for cell in row.split("|")] for row in plain]
    return [[cell for cell in row if cell] for row in cells if any(row)]


def links_of(text: str) -> list[str]:
    return [unescape(link) for link in re.findall(r'href="(\?[^"]*)"', text)]


# The same as the API


TOLD = {
    "spend": lambda row: Decimal(row["charge_usd"]),
    "calls": lambda row: row["calls"],
    "tokens": lambda row: row["input_tokens"] + row["output_tokens"],
    "latency": lambda row: row["latency_ms"],
    "first_token": lambda row: row["first_token_ms"],
    "cached": lambda row: row["input_tokens"] and round(row["cached_read_tokens"] / row["input_tokens"], 6),
}


@pytest.fixture
def varied(used: Record, team: Team) -> None:
    """Calls of some models over four days, of which most are of today."""
    for number in range(60):
        at = NOON - timedelta(minutes=7) * number * (20 if number % 5 == 0 else 1)
        used(
            f"0.{number:010d}",
            at=at,
            model=f"acme/model-{number % 11}",
            provider=f"provider-{number % 3}",
            project=["", "blue"][number % 2],
            tokens=(100 + number, number),
            cached=number,
            outcome=["finished", "failed", "cut", "cancelled"][number % 4],
            first_token_ms=None if number % 3 else 100.5 + number,
        )


@pytest.mark.usefixtures("varied")
@pytest.mark.parametrize("measure", TOLD)
def test_chart_has_the_numbers_of_the_api(owner: Client, measure: str) -> None:
    for by, period in (
        ("model", "30d"),
        ("model", "24h"),
        ("provider", "6h"),
        ("project", "7d"),
        ("model", "12mo"),
    ):
        _check_numbers(owner, measure, by, period)


def _check_numbers(owner: Client, measure: str, by: str, period: str) -> None:
    text = page(owner, f"measure={measure}&by={by}&period={period}&provider=provider-0&provider=provider-1")
    chart = chart_of(text)
    address = re.search(r'id="api-call">GET ([^<]*)<', text)
    assert address
    answer = owner.get(f"{unescape(address[1])}&team=atlas&limit=1000").json()
    told: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in answer["data"]:
        told[row[by] or f"no {by}"][row["starts_at"]] = TOLD[measure](row)
    drawn = {each["name"]: [value for value in each["values"] if value] for each in chart["series"]}
    rest = drawn.pop("others", None)
    assert len(drawn) == min(len(told), 8)
    for name, values in drawn.items():
        assert values == pytest.approx([float(value) for value in told[name].values() if value], abs=1e-10)
    assert (rest is not None) == (len(told) > 8)


@pytest.mark.usefixtures("varied")
def test_what_is_stacked_adds_up_to_the_total_of_each_step(owner: Client) -> None:
    for measure in ("spend", "calls", "tokens", "errors"):
        _check_stack(chart_of(page(owner, f"measure={measure}&period=24h")))


def _check_stack(chart: Any) -> None:
    assert chart["stacked"]
    assert chart["series"][-1]["name"] == "others"
    for step, total in zip(
        zip(*(each["values"] for each in chart["series"]), strict=True), chart["totals"], strict=True
    ):
        assert sum(step) == pytest.approx(total, abs=1e-10)
    assert sum(chart["totals"]) > 0


@pytest.mark.usefixtures("varied")
def test_errors_are_calls_that_failed_were_cut_or_lost_and_no_others(owner: Client) -> None:
    chart = chart_of(page(owner, "measure=errors&by=none"))
    answer = owner.get(
        "/v1/usage?team=atlas&bucket=none&group_by=outcome&from=2026-05-12&to=2026-06-11"
    ).json()
    calls = {row["outcome"]: row["calls"] for row in answer["data"]}
    assert sum(chart["totals"]) == calls["failed"] + calls["cut"] == 30
    assert chart["series"][0]["values"] == chart["totals"]


@pytest.mark.usefixtures("varied")
def test_table_adds_up_and_is_sorted_by_size(owner: Client) -> None:
    *rows, total = rows_of(page(owner, "measure=tokens&by=provider"))
    assert [row[0] for row in rows] == ["provider-2", "provider-1", "provider-0"]
    assert sum(int(row[2]) for row in rows) == int(total[2]) == 60
    assert total[-1] == "100 %"


@pytest.mark.usefixtures("varied")
def test_sheet_is_that_of_the_api(owner: Client) -> None:
    query = "by=model&period=30d&project=blue"
    text = page(owner, query)
    link = re.search(r'href="(/overview/csv[^"]*)"', text)
    api = re.search(r'id="api-call">GET ([^<]*)<', text)
    assert link
    assert api
    sheets = []
    for address in (unescape(link[1]), f"{unescape(api[1])}&team=atlas&format=csv"):
        answer = owner.get(address)
        assert isinstance(answer, StreamingHttpResponse)
        sheets.append(async_to_sync(_whole)(answer))
    assert sheets[0] == sheets[1]
    assert sum(int(row["calls"]) for row in csv.DictReader(io.StringIO(sheets[0]))) == 30


async def _whole(answer: StreamingHttpResponse) -> str:
    return "".join([part.decode() async for part in answer])  # type: ignore[union-attr]


def test_year_is_shown_by_months_of_the_teams_zone(owner: Client, used: Record) -> None:
    Team.objects.update(time_zone="Asia/Tokyo", usage_zone="Asia/Tokyo")
    tokyo = ZoneInfo("Asia/Tokyo")
    for number, at in enumerate(
        (
            datetime(2025, 7, 1, tzinfo=tokyo),
            datetime(2025, 12, 31, 23, 59, tzinfo=tokyo),
            datetime(2026, 1, 1, tzinfo=tokyo),
            NOON,
        )
    ):
        used(str(number + 1), at=at)
    used("5", at=datetime(2025, 6, 9, tzinfo=tokyo))
    text = page(owner, "period=12mo")
    chart = chart_of(text)
    assert (chart["bucket"], chart["running"]) == ("month", "this month")
    assert chart["totals"] == [1, *[0] * 4, 2, 3, *[0] * 4, 4]
    assert "This month is not over" in text
    assert "+100 % against the 12 months before" in text
    starts = [datetime.fromtimestamp(at, tokyo) for at in chart["starts"]]
    assert [(at.day, at.hour) for at in starts] == [(1, 0)] * 12
    link = re.search(r'href="(/overview/csv[^"]*)"', text)
    assert link
    answer = owner.get(unescape(link[1]))
    assert isinstance(answer, StreamingHttpResponse)
    told = csv.DictReader(io.StringIO(async_to_sync(_whole)(answer)))
    assert [(row["starts_at"], row["charge_usd"]) for row in told] == [
        ("2025-06-30T15:00:00Z", "1"),
        ("2025-11-30T15:00:00Z", "2"),
        ("2025-12-31T15:00:00Z", "3"),
        ("2026-05-31T15:00:00Z", "4"),
    ]


@pytest.mark.parametrize(("last", "shown"), [("2025-12-10", ("1d", 184)), ("2025-12-11", ("month", 7))])
def test_long_times_that_somebody_chose_are_shown_by_months(
    owner: Client, used: Record, last: str, shown: tuple[str, int]
) -> None:
    used()
    chart = chart_of(page(owner, f"first=2025-06-10&last={last}"))
    assert (chart["bucket"], len(chart["starts"])) == shown


# Compared, running, gaps


def test_period_is_compared_with_as_much_of_the_one_before(owner: Client, used: Record) -> None:
    used("3", at=NOON)
    used("2", at=NOON - 7 * DAY)
    used("50", at=NOON - 7 * DAY + timedelta(minutes=30))
    assert "+50 % against the 7 days before" in page(owner, "period=7d")


def test_step_that_runs_is_named(owner: Client, used: Record) -> None:
    used()
    assert "Today is not over" in page(owner)
    assert "This hour is not over" in page(owner, "period=24h")
    assert chart_of(page(owner))["running"] == "today"


def test_what_was_not_measured_is_a_gap_and_what_was_not_used_is_zero(owner: Client, used: Record) -> None:
    used(first_token_ms=120.0)
    used(at=NOON - 2 * DAY, first_token_ms=80.0)
    assert chart_of(page(owner, "measure=first_token"))["totals"][-4:] == [None, 80.0, None, 120.0]
    assert chart_of(page(owner, "measure=calls"))["totals"][-4:] == [0, 1, 0, 1]
    assert not chart_of(page(owner, "measure=first_token"))["stacked"]


def test_days_are_those_of_the_teams_usage(owner: Client, used: Record, team: Team) -> None:
    Team.objects.update(time_zone="Asia/Tokyo", usage_zone="Asia/Tokyo")
    used(at=datetime(2026, 6, 9, 14, 50, tzinfo=UTC))
    used(at=datetime(2026, 6, 9, 15, 0, tzinfo=UTC))
    text = page(owner, "measure=calls")
    assert chart_of(text)["totals"][-2:] == [1, 1]
    assert chart_of(text)["zone"] == "Asia/Tokyo"
    tokyo = ZoneInfo("Asia/Tokyo")
    midnights = [datetime(2026, 6, day, tzinfo=tokyo).timestamp() for day in (9, 10)]
    assert chart_of(text)["starts"][-2:] == midnights
    assert "those of Asia/Tokyo" in text


# Narrowed


def test_row_leads_to_the_page_of_that_one_alone(owner: Client, used: Record) -> None:
    used("5", model="acme/one", project="blue")
    used("1", model="acme/two")
    narrowed = next(link for link in links_of(page(owner)) if "model=acme/one" in link)
    assert narrowed == "?team=atlas&by=key&model=acme/one"
    text = page(owner, narrowed[1:])
    assert sum(chart_of(text)["totals"]) == 5
    assert "Remove the filter model acme/one" in text
    assert "?team=atlas&by=key" in links_of(text)


def test_each_dimension_can_be_split_by_and_narrowed_to(owner: Client, used: Record, team: Team) -> None:
    account = ServiceAccount.objects.create(team=team, slug="robot", name="The robot")
    key, _ = make_key(team, "Nightly")
    member = Membership.objects.get()
    used("5", key_id=key.pk, lineage_id=key.pk, member_id=member.pk, project="blue", provider="acme")
    used("2", service_account_id=account.pk, model="acme/two", provider="other", lineage_id=key.pk + 1)
    shown = {"model": "acme/one", "provider": "acme", "project": "blue", "key": "Nightly", "member": "mary"}
    names = shown | {"key": key.public_id, "service_account": "robot"}
    for name in DIMENSIONS:
        rows = rows_of(page(owner, f"by={name}"))
        assert len(rows) == 3, name
        assert shown.get(name, "The robot") in {row[0] for row in rows}
        narrowed = page(owner, f"by=none&{name}={names[name]}")
        assert sum(chart_of(narrowed)["totals"]) == (2 if name == "service_account" else 5), name
        without = page(owner, f"by=none&{name}=")
        if name not in {"model", "provider", "key"}:
            assert sum(chart_of(without)["totals"]) == (5 if name == "service_account" else 2), name


def test_what_is_gone_keeps_its_numbers_and_leads_nowhere(owner: Client, used: Record) -> None:
    used(lineage_id=999)
    text = page(owner, "by=key")
    assert rows_of(text)[0][0] == "gone, number 999"
    assert not any("key=" in link for link in links_of(text))


def test_more_than_eight_share_one_colour_and_more_than_fifty_one_line(owner: Client, team: Team) -> None:
    whose = {"team_id": team.pk, "started_at": NOON.timestamp()}
    record_attempts([attempt(project=f"p{n}", end={"cost_usd": str(n + 1)}, **whose) for n in range(60)])
    text = page(owner, "by=project")
    assert [each["colour"] for each in chart_of(text)["series"]] == [1, 2, 3, 4, 5, 6, 7, 8, 0]
    *_, last, others, total = rows_of(text)
    assert (last[0], others[:3], total[1]) == ("p10", ["others", "$55.00", "10"], "$1,830.00")


# The form


def sent(client: Client, **fields: str) -> str:
    """Where the form leads."""
    answer = client.get("/overview", {"team": "atlas", "measure": "calls", "by": "model", **fields})
    assert answer.status_code == 302
    return str(answer.headers["Location"])


def test_form_leads_to_the_address_that_links_have(owner: Client, used: Record, team: Team) -> None:
    key, _ = make_key(team, "Nightly")
    used("5", lineage_id=key.pk, model="acme/one", project="blue")
    used("1", model="acme/two")
    kept = {"pick_provider": "", "pick_project": "*", "first": "", "last": "", "period": "7d"}
    address = sent(owner, pick_model="=acme/one", pick_key=f"={key.public_id}", **kept)
    assert address == f"/overview?team=atlas&measure=calls&period=7d&model=acme/one&key={key.public_id}"
    text = owner.get(address).content.decode()
    assert sum(chart_of(text)["totals"]) == 1
    assert '<option value="=acme/one" selected>acme/one</option>' in text
    assert f'<option value="={key.public_id}" selected>Nightly</option>' in text
    assert sent(owner, pick_project="=").endswith("&project=")
    assert sent(owner, pick_model="", model="acme/one").endswith("&measure=calls")
    assert owner.get("/overview?pick_model=").headers["Location"] == "/overview?"
    both = owner.get("/overview?team=atlas&model=acme/one&model=acme/two").content.decode()
    assert '<option value="*" selected>2 of them</option>' in both
    assert '<input type="hidden" name="model" value="acme/two">' in both


def test_days_are_shown_from_the_first_to_the_last(owner: Client, used: Record) -> None:
    for days in range(12):
        used(str(days + 1), at=NOON - days * DAY)
    address = sent(owner, pick_model="", first="2026-06-01", last="2026-06-03", period="7d")
    assert address.endswith("first=2026-06-01&last=2026-06-03")
    text = owner.get(address).content.decode()
    chart = chart_of(text)
    assert (chart["running"], chart["bucket"], len(chart["starts"])) == ("", "1h", 72)
    assert "is not over" not in text
    assert [value for value in chart_of(page(owner, address.partition("?")[2]))["totals"] if value] == [1] * 3
    spend = page(owner, "first=2026-06-01&last=2026-06-03")
    assert "by model, 1 Jun 2026 to 3 Jun 2026" in spend
    assert sum(chart_of(spend)["totals"]) == 10 + 9 + 8
    assert "against the 3 days before" in spend
    today = page(owner, "first=2026-06-01")
    assert chart_of(today)["running"] == "today"
    assert chart_of(today)["totals"][-1] == 1
    assert "?team=atlas&period=7d" in links_of(today)
    later = chart_of(page(owner, "first=2026-05-01&last=2027-01-01"))
    assert (later["totals"][-1], len(later["starts"])) == (1, 41)


def test_sheet_is_of_the_same_days(owner: Client, used: Record) -> None:
    used("3", at=NOON - 5 * DAY)
    used("4")
    answer = owner.get("/overview/csv?team=atlas&first=2026-06-01&last=2026-06-09")
    assert isinstance(answer, StreamingHttpResponse)
    told = async_to_sync(_whole)(answer)
    assert "2026-06-05" in told
    assert "2026-06-10" not in told


# Medians


def test_first_token_is_told_by_its_median_and_most_of_them(owner: Client, used: Record) -> None:
    for number in range(1, 101):
        used(first_token_ms=float(number), at=NOON - timedelta(minutes=number))
    used(first_token_ms=90_000.0, model="acme/slow")
    text = page(owner, "period=24h&measure=first_token")
    assert "<strong" in text
    assert "51 ms</strong>" in text
    assert "median; 95 % within 96 ms" in text
    assert "941 ms on average" in text
    assert "Over all of it: 51 ms median" in text
    # However long the time is, and however little of it was used.
    assert "51 ms</strong>" in page(owner, "period=12mo")
    narrowed = page(owner, "period=24h&model=acme/slow")
    assert "90 s</strong>" in narrowed
    assert spread_of([[1.0] * 5, []], [50, 500]) is None
    assert spread_of([[5.0], [1.0, 9.0]], [1, 2]) == Spread(5.0, 9.0, 3)
    assert spread_of([[5.0] * 20, [1.0, 9.0]], [980, 2]) == Spread(5.0, 5.0, 22)


# The address


BAD = [
    ("first=yesterday", "write a day such as 2026-11-02"),
    ("last=2026-06-01", "first is ''"),
    ("first=2026-06-09&last=2026-06-01", "must not be later"),
    ("first=2026-06-11", "must not be later"),
    ("first=2020-01-01", "more than 366 days apart"),
    ("first=0001-01-01&last=0001-01-02", "years from 2000"),
    ("measure=bogus", "use any of spend"),
    ("by=colour", "use any of model"),
    ("period=3y", "use any of 1h"),
    ("nonsense=1", "has no such parameter"),
    ("key=nobody", "There is no key"),
    ("member=stranger", "There is no member"),
    ("service_account=x", "There is no service account"),
    ("project=" + 300 * "x", "which is no name"),
    ("model=a%0Ab", "which is no name"),
    ("&".join(f"model=m{n}" for n in range(60)), "50 are the most"),
]


def test_what_cannot_be_used_is_said_and_the_rest_counts(owner: Client, used: Record) -> None:
    used("5")
    for query, said in BAD:
        text = page(owner, f"period=7d&{query}", status=400)
        assert said in unescape(text)
        assert sum(chart_of(text)["totals"]) == 5
        refused = owner.get(f"/overview/csv?team=atlas&{query}")
        assert refused.status_code == 400
        assert said in unescape(refused.content.decode())


def test_no_value_makes_it_fail(owner: Client, used: Record) -> None:
    used()
    values = ("9" * 30, "-1", "\u202eeno", "%", "[]", "('' OR 1=1)--", "\U0001f600", "a,b")
    days = ("first", "last", "pick_model", "pick_key")
    names = ("measure", "by", "period", *days, *DIMENSIONS, "team", "done")
    # Every value of every name, at each of them in turn.
    paths = cycle(("/overview", "/overview/csv", "/overview/start"))
    for (name, value), path in zip(product(names, values), paths, strict=False):
        assert owner.get(path, {name: value}).status_code < 500, (path, name, value)


def test_usual_choices_are_not_in_addresses(owner: Client, used: Record) -> None:
    used()
    assert "?team=atlas" in links_of(page(owner))
    assert "?team=atlas&measure=calls" in links_of(page(owner))


def test_every_switch_opens(owner: Client, used: Record) -> None:
    used()
    for measure in MEASURES:
        for period in PERIODS:
            chart = chart_of(page(owner, f"measure={measure}&period={period}&by=member"))
            assert len(chart["starts"]) == len(chart["totals"]) == PERIODS[period].steps


def test_htmx_gets_what_switches_change_alone_and_its_history_all(owner: Client, used: Record) -> None:
    used()
    part = page(owner, **{"hx-request": "true"})
    assert part.lstrip().startswith("<section")
    assert "Budgets" not in part
    assert "use any of spend" in page(owner, "measure=bogus", **{"hx-request": "true"})
    answer = owner.get(
        "/overview?team=atlas", headers={"hx-request": "true", "hx-history-restore-request": "true"}
    )
    assert "<title>" in answer.content.decode()
    assert "HX-Request" in answer.headers["Vary"]


# Whose


def test_nothing_of_another_team_is_told(owner: Client, used: Record, team: Team) -> None:
    other = make_team("other")
    key, _ = make_key(other, "Secret key")
    other.memberships.create(user=make_user("spy"))
    used("77", team_id=other.pk, model="acme/secret", project="hushed", lineage_id=key.pk)
    used("5")
    text = page(owner, "by=project")
    assert "hushed" not in text
    assert "$77" not in text
    assert "There is no key" in page(owner, f"key={key.public_id}", status=400)
    assert "There is no member" in page(owner, "member=spy", status=400)
    assert owner.get("/overview?team=other").status_code == 404
    assert owner.get("/overview/csv?team=other").status_code == 404
    assert owner.get("/overview/start?team=other").status_code == 404


def test_viewers_see_it(client: Client, team: Team, used: Record) -> None:
    used("5")
    client.force_login(make_user("vera", teams=[team], role="viewer"))
    assert "$5.00" in page(client)


def test_names_are_text_in_whatever_direction(owner: Client, used: Record, team: Team) -> None:
    Team.objects.update(name=XSS)
    key, _ = make_key(team, XSS)
    second, _ = make_key(team, ARABIC)
    Project.objects.create(team=team, slug="blue", name=XSS)
    used("5", lineage_id=key.pk, model=XSS, provider=XSS, project=XSS)
    used("4", lineage_id=second.pk)
    make_budget(subject=second, window="day", amount_usd=Decimal(1))
    for by in ("model", "provider", "project", "key"):
        text = page(owner, f"by={by}")
        assert XSS not in text
        assert chart_of(text)["series"][0]["name"] == XSS
    assert f"<bdi>{ARABIC}</bdi>" in page(owner, "by=key")
    assert XSS not in page(owner, f"model={XSS}&project={XSS}")


# Cost


def test_page_costs_few_queries(
    owner: Client,
    used: Record,
    team: Team,
    django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]],
) -> None:
    make_published("acme/one", retirement_at=NOON + DAY)
    for number in range(12):
        key, _ = make_key(team, f"key {number}")
        used(lineage_id=key.pk, key_id=key.pk, project=f"p{number}")
        Project.objects.create(team=team, slug=f"p{number}", name="P")
        make_budget(subject=Project.objects.latest("pk"), window="day", amount_usd=Decimal(number + 1))
    make_budget(subject=team, window="month", amount_usd=Decimal(9), is_staff=True)
    page(owner, "by=key")
    with django_assert_max_num_queries(14):
        text = page(owner, "by=key")
    assert "retires" in text
    with django_assert_max_num_queries(8):
        page(owner, "by=key&measure=calls", **{"hx-request": "true"})
