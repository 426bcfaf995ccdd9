"""`GET /v1/gateway/changes` and `GET /v1/gateway/models/{id}/history`."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalogue.api.change_serializers import CHANGES_EXAMPLE, HISTORY_EXAMPLE
from catalogue.changes.model_changes import INSTANT
from catalogue.models import Model, Price
from catalogue.publishing.editions import publish, withdraw
from tests.make import make_key, make_model, make_offering, make_price, make_published, publish_all

pytestmark = pytest.mark.django_db
URL = "/v1/gateway/changes"
JUNE = "from=2026-06-01&to=2026-07-01"


@pytest.fixture
def client() -> Client:
    return Client(headers={"authorization": f"Bearer {make_key()[1]}"})


def day(number: int) -> datetime:
    return datetime(2026, 6, number, tzinfo=UTC)


def changes(client: Client, query: str = JUNE) -> list[dict[str, Any]]:
    answer = client.get(f"{URL}?{query}")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["changes"]
    return found


def kinds(client: Client, query: str = JUNE) -> list[tuple[str, str]]:
    return [(change["kind"], change["at"][:10]) for change in changes(client, query)]


def a_life() -> Model:
    """Published on the 2nd, repriced on the 5th and ended by its dates, with one edition only."""
    model = make_model("acme/one", deprecation_at=day(10), retirement_at=day(20), aliases=["uno"])
    offering = make_offering(model)
    make_price(offering, amount="1", valid_to=day(5))
    make_price(offering, amount="2", valid_from=day(5))
    publish_all(at=day(2))
    return model


def test_life_of_a_model_is_told_newest_first(client: Client) -> None:
    a_life()
    assert kinds(client) == [
        ("retired", "2026-06-20"),
        ("deprecated", "2026-06-10"),
        ("repriced", "2026-06-05"),
        ("added", "2026-06-02"),
    ]


def test_change_has_the_fields_of_the_example(client: Client) -> None:
    a_life()
    answer = client.get(f"{URL}?{JUNE}").json()
    assert set(answer) == set(CHANGES_EXAMPLE)
    assert {frozenset(change) for change in answer["changes"]} == {frozenset(CHANGES_EXAMPLE["changes"][0])}


def test_prices_are_told_as_exact_texts(client: Client) -> None:
    a_life()
    (repriced,) = changes(client, f"{JUNE}&kind=repriced")
    assert repriced["edition"] is None
    assert repriced["fields"][0] == {"field": "pricing.prompt", "before": "0.000001", "after": "0.000002"}


def test_edition_between_two_others_is_told_with_its_number(client: Client) -> None:
    model = a_life()
    Model.objects.filter(pk=model.pk).update(context_length=8000)
    edition = publish([model], at=day(7))
    assert edition is not None
    (change,) = changes(client, f"{JUNE}&kind=changed")
    assert (change["edition"], change["fields"]) == (
        edition.number,
        [{"field": "context_length", "before": None, "after": 8000}],
    )


def test_range_of_the_past_knows_rows_that_were_replaced_since(client: Client) -> None:
    model = a_life()
    Model.objects.filter(pk=model.pk).update(retirement_at=day(28))
    publish([model], at=day(25))
    assert kinds(client, "from=2026-06-08&to=2026-06-22") == [
        ("retired", "2026-06-20"),
        ("deprecated", "2026-06-10"),
    ]


def test_price_of_a_replaced_row_that_began_in_the_range_is_told(client: Client) -> None:
    model = a_life()
    Model.objects.filter(pk=model.pk).update(description="Other.")
    publish([model], at=day(25))
    assert kinds(client, "from=2026-06-04&to=2026-06-06") == [("repriced", "2026-06-05")]


def test_withdrawn_model_is_told_and_found_by_its_id(client: Client) -> None:
    a_life()
    withdraw(["acme/one"], at=day(15))
    assert kinds(client, f"{JUNE}&model=acme/one")[0] == ("withdrawn", "2026-06-15")


def test_successor_is_named(client: Client) -> None:
    heir = make_published("acme/two")
    make_model("acme/one", retirement_at=day(20), successor=heir)
    publish_all(at=day(2))
    (retired,) = changes(client, f"{JUNE}&kind=retired")
    assert (retired["replacement_model_id"], retired["summary"]) == (
        "acme/two",
        "Model 'acme/one' is retired; use 'acme/two'.",
    )


def test_range_is_the_last_thirty_days_and_open(client: Client) -> None:
    make_published()
    answer = client.get(URL).json()
    begins = datetime.fromisoformat(answer["from"])
    assert (begins.hour, answer["to"]) == (0, None)
    assert timedelta(days=30) <= timezone.now() - begins < timedelta(days=31)
    assert [change["kind"] for change in answer["changes"]] == ["added"]


def test_range_to_come_tells_what_dates_will_bring(client: Client) -> None:
    ends = timezone.now() + timedelta(days=10)
    make_published(retirement_at=ends)
    begins, until = timezone.now() + timedelta(days=1), ends + timedelta(days=1)
    query = f"from={begins:%Y-%m-%d}&to={until:%Y-%m-%d}"
    assert [change["kind"] for change in changes(client, query)] == ["retired"]


def test_edition_of_a_clock_that_is_ahead_is_told(client: Client) -> None:
    make_model()
    publish_all(at=timezone.now() + timedelta(seconds=5))
    assert [change["kind"] for change in changes(client, "")] == ["added"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("organisation=acme", {"acme/one"}),
        ("organisation=acme,beta", {"acme/one", "beta/one"}),
        ("organisation=z-ai", set()),
        ("model=uno", {"acme/one"}),
        ("model=beta/one", {"beta/one"}),
        ("kind=added", {"acme/one", "beta/one"}),
        ("kind=withdrawn", set()),
    ],
)
def test_changes_are_narrowed(client: Client, query: str, expected: set[str]) -> None:
    make_model("beta/one")
    a_life()
    assert {change["model_id"] for change in changes(client, f"{JUNE}&{query}")} == expected


def test_pages_follow_each_other(client: Client) -> None:
    a_life()
    whole, cursor, paged = [each["id"] for each in changes(client)], "", []
    while cursor is not None:
        page = client.get(f"{URL}?{JUNE}&limit=3{cursor and f'&cursor={cursor}'}").json()
        paged += [change["id"] for change in page["changes"]]
        cursor = page["next_cursor"]
    assert paged == whole


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("from=2026-06-02&to=2026-06-01", "from"),
        ("from=2026-06-01&to=2026-06-01", "from"),
        ("from=2020-01-01&to=2026-06-01", "from"),
        ("from=soon", "from"),
        ("to=0001-01-01", "to"),
        ("kind=sold", "kind"),
        ("organisation=acmee", "organisation"),
        ("limit=0", "limit"),
        ("cursor=%C3%A9", "cursor"),
        ("format=xml", "format"),
        ("offset=1", "offset"),
        ("as_of=2026-01-01", "as_of"),
    ],
)
def test_value_out_of_bounds_is_refused_by_name(client: Client, query: str, param: str) -> None:
    answer = client.get(f"{URL}?{query}")
    assert (answer.status_code, answer.json()["param"]) == (400, param)


@pytest.mark.parametrize("name", ["acme/onne", "%00"])
@pytest.mark.parametrize("url", [f"{URL}?model=", "/v1/gateway/models/{}/history"])
def test_model_that_never_was_is_not_found(client: Client, url: str, name: str) -> None:
    make_published()
    answer = client.get(url.format(name) if "{}" in url else url + name)
    assert answer.status_code in {404, 400}
    assert answer.json()["ok"] is False


@pytest.mark.parametrize("count", [1, 8])
def test_number_of_queries_does_not_grow(
    client: Client, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(count):
        make_published(f"acme/m{number}")
    Model.objects.update(context_length=1)
    publish_all()
    # Key, whole snapshot with quotas, further credentials and held breakers, spans, records.
    with django_assert_num_queries(12):
        client.get(URL)
    with django_assert_num_queries(2):  # key, revision
        client.get(URL)


def test_answer_is_not_sent_twice_until_something_changes(client: Client) -> None:
    make_published()
    tag = client.get(URL)["ETag"]
    assert client.get(URL, headers={"if-none-match": tag}).status_code == 304
    make_published("acme/two")
    assert client.get(URL, headers={"if-none-match": tag}).status_code == 200


def test_date_that_comes_changes_answer_and_tag(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    midnight = timezone.now().replace(microsecond=0) + timedelta(hours=1)
    make_published(retirement_at=midnight)
    before = client.get(URL)
    monkeypatch.setattr(timezone, "now", lambda: midnight)
    after = client.get(URL, headers={"if-none-match": before["ETag"]})
    assert after.status_code == 200
    assert [change["kind"] for change in after.json()["changes"]] == ["retired", "added"]


def test_history_tells_every_edition_of_the_model(client: Client) -> None:
    model = a_life()
    make_published("acme/other")
    Price.objects.filter(valid_to=None).update(amount=Decimal(3))
    publish([model], at=day(7))
    answer = client.get("/v1/gateway/models/uno/history").json()
    assert set(answer) == set(HISTORY_EXAMPLE)
    assert (answer["id"], [each["kind"] for each in answer["editions"]]) == ("acme/one", ["changed", "added"])
    (field,) = answer["editions"][0]["fields"]
    assert field["after"] == ["input_text_tokens: 0.000003 USD a token from 2026-06-05"]


def test_history_tells_its_dates_past_and_to_come(client: Client) -> None:
    make_published(deprecation_at=day(10), retirement_at=datetime(2099, 1, 1, tzinfo=UTC))
    instants = client.get("/v1/gateway/models/acme%2Fone/history").json()["instants"]
    assert [(each["kind"], each["is_past"]) for each in instants] == [
        ("deprecated", True),
        ("retired", False),
    ]
    assert instants[1]["summary"] == "One will be retired on 2099-01-01"


def test_history_of_a_withdrawn_model_remains(client: Client) -> None:
    a_life()
    withdraw(["acme/one"])
    answer = client.get("/v1/gateway/models/acme/one/history").json()
    assert [each["kind"] for each in answer["editions"]] == ["withdrawn", "added"]


def test_history_does_not_say_who_published(client: Client) -> None:
    a_life()
    text = client.get("/v1/gateway/models/acme/one/history").content.decode()
    assert "author" not in text
    assert "test" not in text


def test_history_comes_in_pages(client: Client) -> None:
    model = a_life()
    for number in range(3, 6):
        Model.objects.filter(pk=model.pk).update(context_length=number)
        publish([model], at=day(number))
    first = client.get("/v1/gateway/models/acme/one/history?limit=2").json()
    second = client.get(f"/v1/gateway/models/acme/one/history?limit=2&cursor={first['next_cursor']}").json()
    editions = [*first["editions"], *second["editions"]]
    assert [each["fields"][0]["after"] if each["fields"] else None for each in editions] == [5, 4, 3, None]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("seed", range(3))
def test_records_differ_exactly_where_changes_are_told(client: Client, seed: int) -> None:
    dice, model = random.Random(seed), a_life()
    for number in sorted(dice.sample(range(3, 28), 5)):
        Model.objects.filter(pk=model.pk).update(
            deprecation_at=day(dice.randint(8, 15)),
            retirement_at=day(dice.randint(16, 27)),
            context_length=dice.choice([4000, 8000]),
        )
        Price.objects.filter(valid_to=None).update(amount=Decimal(dice.randint(2, 4)))
        publish([model], at=day(number))
    told = {change["at"][:10] for change in changes(client, f"{JUNE}&limit=250")}
    days = [day(number) for number in range(1, 29)]
    assert told == {f"{at:%Y-%m-%d}" for at in days if _read(client, at - INSTANT) != _read(client, at)}


def _read(client: Client, at: datetime) -> Any:
    """What tells a change: not whether it can be called, for that follows from the rest."""
    answer = client.get("/v1/gateway/models/acme/one", {"as_of": at.isoformat()})
    return answer.json() if answer.status_code == 200 else None
