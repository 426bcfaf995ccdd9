"""`GET /v1/gateway/lifecycle` and the check that a client's CI asks."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from icalendar import Calendar
from pytest_django import DjangoAssertNumQueries

from catalogue.api.lifecycle_serializers import LIFECYCLE_EXAMPLE, VERDICTS_EXAMPLE
from catalogue.models import Alias, Model
from catalogue.publishing.editions import publish
from tests.make import make_key, make_published, make_team, publish_all

pytestmark = pytest.mark.django_db
URL = "/v1/gateway/lifecycle"
CHECK = f"{URL}/check"
MIDNIGHT = datetime(2099, 6, 1, tzinfo=UTC)
BEFORE, AFTER = "2099-05-31T23:59:59.999999Z", "2099-06-01"


@pytest.fixture
def client() -> Client:
    return Client(headers={"authorization": f"Bearer {make_key()[1]}"})


def rows(client: Client, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"{URL}?{query}")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["models"]
    return found


def ids(client: Client, query: str = "") -> list[str]:
    return [row["id"] for row in rows(client, query)]


def check(client: Client, *names: str, **fields: Any) -> dict[str, Any]:
    answer = client.post(CHECK, {"models": names, **fields}, "application/json")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def events(client: Client, query: str = "") -> list[Any]:
    answer = client.get(f"{URL}?format=ics&{query}")
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    return list(Calendar.from_ical(answer.content).walk("VEVENT"))


def in_days(number: int) -> datetime:
    return timezone.now() + timedelta(days=number)


def test_row_has_the_fields_of_the_example(client: Client) -> None:
    make_published(retirement_at=in_days(5))
    answer = client.get(URL).json()
    assert set(answer) == set(LIFECYCLE_EXAMPLE)
    assert set(answer["models"][0]) == set(LIFECYCLE_EXAMPLE["models"][0])


def test_models_without_a_date_to_tell_are_left_out(client: Client) -> None:
    make_published("acme/plain", release_at=in_days(-5))
    assert ids(client) == []


def test_what_comes_next_comes_first_and_the_past_last(client: Client) -> None:
    make_published("acme/gone", retirement_at=in_days(-1))
    make_published("acme/later", retirement_at=in_days(9))
    make_published("acme/soon", deprecation_at=in_days(2), retirement_at=in_days(90))
    make_published("acme/coming", release_at=in_days(5))
    assert ids(client) == ["acme/soon", "acme/coming", "acme/later", "acme/gone"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("organisation=beta", ["beta/soon"]),
        ("status=retired", ["acme/gone"]),
        ("status=active,announced", ["beta/soon", "acme/later"]),
        ("within_days=5", ["beta/soon"]),
        ("within_days=0", []),
        ("model=later", ["acme/later"]),
        ("model=acme/later,acme/gone", ["acme/later", "acme/gone"]),
        ("provider=nobody", []),
    ],
)
def test_list_is_narrowed(client: Client, query: str, expected: list[str]) -> None:
    make_published("acme/gone", retirement_at=in_days(-1))
    make_published("beta/soon", retirement_at=in_days(3))
    make_published("acme/later", retirement_at=in_days(30), aliases=["later"])
    assert ids(client, query) == expected


def test_retirements_before_a_day_are_asked_for(client: Client) -> None:
    make_published("acme/one", retirement_at=MIDNIGHT)
    make_published("acme/two", retirement_at=MIDNIGHT + timedelta(days=1))
    assert ids(client, "retires_before=2099-06-02") == ["acme/one"]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("status=dead", "status"),
        ("within_days=-1", "within_days"),
        ("organisation=acmee", "organisation"),
        ("format=xml", "format"),
        ("when=now", "when"),
        ("format=ics&limit=1", "limit"),
    ],
)
def test_what_cannot_be_is_refused_by_name(client: Client, query: str, param: str) -> None:
    answer = client.get(f"{URL}?{query}")
    assert (answer.status_code, answer.json()["param"]) == (400, param)


def test_midnight_changes_list_lifecycle_and_tags_without_an_edition(client: Client) -> None:
    make_published(retirement_at=MIDNIGHT)
    seen = []
    for at in (BEFORE, AFTER):
        listed = client.get(f"/v1/gateway/models?as_of={at}")
        (row,) = rows(client, f"as_of={at}")
        seen.append(
            (listed.json()["total"], row["status"], check(client, "acme/one", at=at)["models"][0]["verdict"])
        )
    assert seen == [(1, "active", "retiring"), (0, "retired", "retired")]


def test_midnight_makes_a_kept_answer_stale(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_published(deprecation_at=MIDNIGHT)
    urls = [
        f"/v1/gateway/{each}"
        for each in (
            "lifecycle",
            "lifecycle?format=ics",
            "models",
            "models?format=atom",
            "models/acme/one/history",
        )
    ]
    tags = [client.get(url)["ETag"] for url in urls]

    def statuses() -> set[int]:
        return {
            client.get(url, headers={"if-none-match": tag}).status_code
            for url, tag in zip(urls, tags, strict=True)
        }

    assert statuses() == {304}
    monkeypatch.setattr(timezone, "now", lambda: MIDNIGHT)
    assert statuses() == {200}


def test_days_are_counted_anew_each_day(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_published(retirement_at=MIDNIGHT)
    monkeypatch.setattr(timezone, "now", lambda: MIDNIGHT - timedelta(days=6))
    first = client.get(f"{URL}?within_days=5")
    monkeypatch.setattr(timezone, "now", lambda: MIDNIGHT - timedelta(days=5))
    second = client.get(f"{URL}?within_days=5", headers={"if-none-match": first["ETag"]})
    assert (first.json()["total"], second.json()["total"]) == (0, 1)


@pytest.mark.parametrize("count", [1, 8])
def test_number_of_queries_does_not_grow(
    client: Client, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(count):
        make_published(f"acme/m{number}", retirement_at=MIDNIGHT)
    client.get(URL)
    with django_assert_num_queries(2):  # key, revision
        client.get(URL)
    with django_assert_num_queries(3):  # and the editions
        client.get(f"{URL}?format=ics")


def test_calendar_has_a_whole_day_for_each_end(client: Client) -> None:
    make_published(deprecation_at=MIDNIGHT, retirement_at=datetime(2099, 7, 1, 15, 30, tzinfo=UTC))
    ends = [(str(e["summary"]), e["dtstart"].dt, e["dtend"].dt, str(e["transp"])) for e in events(client)]
    assert ends == [
        ("One: deprecated", date(2099, 6, 1), date(2099, 6, 2), "TRANSPARENT"),
        ("One: retired", date(2099, 7, 1), date(2099, 7, 2), "TRANSPARENT"),
    ]


def test_moved_date_keeps_its_event_with_a_higher_sequence(client: Client) -> None:
    model = make_published(retirement_at=MIDNIGHT)
    (first,) = events(client)
    Model.objects.filter(pk=model.pk).update(retirement_at=MIDNIGHT + timedelta(days=30))
    publish([model])
    (second,) = events(client)
    assert (first["uid"], first["sequence"] < second["sequence"]) == (second["uid"], True)
    assert second["last-modified"].dt >= first["last-modified"].dt
    assert second["dtstart"].dt == date(2099, 7, 1)


def test_calendar_reads_the_same_twice(client: Client) -> None:
    make_published(retirement_at=MIDNIGHT)
    assert client.get(f"{URL}?format=ics").content == client.get(f"{URL}?format=ics").content


def test_calendar_names_the_successor(client: Client) -> None:
    make_published(retirement_at=MIDNIGHT, successor=make_published("acme/two"))
    (event,) = events(client)
    assert str(event["description"]) == "Model 'acme/one' will be retired on 2099-06-01; use 'acme/two'."


def test_empty_calendar_is_one(client: Client) -> None:
    assert events(client) == []


def test_check_answers_each_name_in_order(client: Client) -> None:
    make_published("acme/one", aliases=["uno"])
    make_published("acme/old", retirement_at=in_days(-1))
    answer = check(client, "uno", "acme/old", "acme/onee", "uno")
    assert answer["ok"] is False
    told = [(row["requested"], row["verdict"], row["id"]) for row in answer["models"]]
    assert told == [
        ("uno", "ok", "acme/one"),
        ("acme/old", "retired", "acme/old"),
        ("acme/onee", "unknown", None),
        ("uno", "ok", "acme/one"),
    ]
    assert answer["models"][2]["nearest"][0] == "acme/one"


def test_verdict_has_the_fields_of_the_example(client: Client) -> None:
    make_published()
    answer = check(client, "acme/one", "nobody")
    assert set(answer) == set(VERDICTS_EXAMPLE)
    assert [set(row) for row in answer["models"]] == [set(VERDICTS_EXAMPLE["models"][0])] * 2


def test_check_is_fine_while_everything_stays(client: Client) -> None:
    make_published(retirement_at=in_days(120))
    assert check(client, "acme/one")["ok"] is True
    assert check(client, "acme/one", within_days=121)["ok"] is False


def test_check_judges_at_another_instant(client: Client) -> None:
    make_published(retirement_at=MIDNIGHT)
    assert check(client, "acme/one", at="2099-05-01", within_days=10)["ok"] is True
    assert check(client, "acme/one", at=AFTER)["models"][0]["verdict"] == "retired"
    assert check(client, "acme/one", at="2020-01-01")["models"][0]["verdict"] == "unknown"


def test_check_knows_the_policies_of_team_and_alias() -> None:
    make_published(deprecation_at=in_days(-1), aliases=["uno"])
    _, text = make_key(make_team(lifecycle_policy="warn"))
    Alias.objects.update(policy="block")
    publish_all()
    rows = check(Client(headers={"x-api-key": text}), "acme/one", "uno")["models"]
    assert [(row["policy"], row["outcome"], row["ok"]) for row in rows] == [
        ("warn", "warn", True),
        ("block", "block", False),
    ]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "models"),
        ({"models": []}, "models"),
        ({"models": ["x"] * 501}, "models"),
        ({"models": "acme/one"}, "models"),
        ({"models": ["x" * 201]}, "models.0"),
        ({"models": ["x"], "within_days": -1}, "within_days"),
        ({"models": ["x"], "within_days": 99999}, "within_days"),
        ({"models": ["x"], "at": "soon"}, "at"),
        ({"models": ["x"], "at": "9999-12-31"}, "at"),
        ({"models": ["x"], "when": 1}, "when"),
    ],
)
def test_question_that_cannot_be_is_refused(client: Client, body: dict[str, Any], param: str) -> None:
    answer = client.post(CHECK, body, "application/json")
    said = answer.json()
    assert (answer.status_code, said["ok"], said["param"]) == (400, False, param)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"null"])
def test_question_that_is_none_is_refused(client: Client, body: bytes) -> None:
    answer = client.post(CHECK, body, "application/json")
    assert (answer.status_code, answer.json()["ok"]) == (400, False)


def test_check_asks_the_database_the_same_for_any_number(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_published()
    check(client, "acme/one")
    with django_assert_num_queries(2):  # key, revision
        check(client, *["acme/one"] * 500)
