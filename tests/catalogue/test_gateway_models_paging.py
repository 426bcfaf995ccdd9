"""Pages, fields, editions of the past and conditional requests of `GET /v1/gateway/models`."""

import gzip
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalogue.models import Edition, Model, Offering
from catalogue.services import switch_offering
from tests.make import make_key, make_model, make_offering, make_price, make_published, publish_all

pytestmark = pytest.mark.django_db
URL = "/v1/gateway/models"


@pytest.fixture
def client() -> Client:
    _, text = make_key()
    return Client(headers={"authorization": f"Bearer {text}"})


def get(client: Client, query: str = "") -> Any:
    answer = client.get(f"{URL}?{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def ids(client: Client, query: str = "") -> list[str]:
    return [model["id"] for model in get(client, query)["models"]]


def rename(public_id: str, name: str, at: datetime | None = None) -> None:
    Model.objects.filter(public_id=public_id).update(name=name)
    publish_all(at=at)


def test_cursor_goes_through_all_models_once(client: Client) -> None:
    for number in range(5):
        make_published(f"acme/m{number}")
    seen, cursor = [], ""
    while cursor is not None:
        page = get(client, f"limit=2{cursor and f'&cursor={cursor}'}")
        seen += [model["id"] for model in page["models"]]
        cursor = page["next_cursor"]
    assert seen == [f"acme/m{number}" for number in range(5)]


def test_cursor_goes_on_where_the_last_model_was_even_if_it_has_left(client: Client) -> None:
    for name in "abcd":
        make_published(f"acme/{name}")
    cursor = get(client, "limit=2")["next_cursor"]
    Model.objects.filter(public_id="acme/b").update(retirement_at=timezone.now() - timedelta(days=1))
    publish_all()
    assert ids(client, f"cursor={cursor}") == ["acme/c", "acme/d"]


def test_next_page_is_linked_with_its_filters(client: Client) -> None:
    for name in "abc":
        make_published(f"acme/{name}")
    link = client.get(f"{URL}?limit=2&organisation=acme").headers["link"]
    address = link[link.index("<") + 1 : link.index(">")]
    assert 'rel="next"' in link
    assert [model["id"] for model in client.get(address).json()["models"]] == ["acme/c"]


def test_whole_list_has_no_links(client: Client) -> None:
    make_published()
    assert "link" not in client.get(URL).headers


@pytest.mark.parametrize(
    "query", ["cursor=nonsense", "cursor=!!!", "cursor=", "cursor=MQ&offset=1", "cursor=%C3%A9"]
)
def test_cursor_that_is_none_is_refused(client: Client, query: str) -> None:
    answer = client.get(f"{URL}?{query}")
    assert (answer.status_code, answer.json()["param"]) == (400, "cursor")


def test_fields_choose_and_order_what_is_told(client: Client) -> None:
    make_published()
    assert [list(model) for model in get(client, "fields=name,id")["models"]] == [["name", "id"]]


def test_field_that_does_not_exist_is_refused_with_those_that_do(client: Client) -> None:
    said = client.get(f"{URL}?fields=id,price").json()
    assert (said["param"], said["provided"]) == ("fields", "price")
    assert "pricing" in said["allowed"]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("sort=cheap", "sort"),
        ("status=gone", "status"),
        ("reasoning_tier=extreme", "reasoning_tier"),
        ("min_context=0", "min_context"),
        ("max_price_prompt=1e-6", "max_price_prompt"),
        ("max_price_completion=-1", "max_price_completion"),
        ("max_price_prompt=\u0661", "max_price_prompt"),
        ("released_after=yesterday", "released_after"),
        ("retires_before=2026-13-01", "retires_before"),
        ("as_of=now", "as_of"),
        ("as_of=10000-01-01", "as_of"),
        ("free=yes", "free"),
        ("open_weights=1", "open_weights"),
        ("q=%00", "q"),
        ("params=a%00b", "params"),
        ("q=" + "x" * 300, "q"),
        ("q=a&q=b", "q"),
    ],
)
def test_value_that_cannot_be_is_refused_by_name(client: Client, query: str, param: str) -> None:
    answer = client.get(f"{URL}?{query}")
    assert (answer.status_code, answer.json()["param"]) == (400, param)
    assert answer.json()["message"].startswith(param)


def test_word_that_no_model_has_is_told(client: Client) -> None:
    make_published()
    page = get(client, "endpoints=chat.completions,telepathy&params=wisdom")
    assert [(warning["param"], warning["provided"]) for warning in page["warnings"]] == [
        ("endpoints", "telepathy"),
        ("params", "wisdom"),
    ]


def test_retired_models_are_listed_where_they_are_asked_for(client: Client) -> None:
    make_published("acme/new")
    make_model("acme/old", retirement_at=timezone.now() - timedelta(days=1))
    publish_all()
    assert (ids(client), ids(client, "status=retired"), ids(client, "status=retired,active")) == (
        ["acme/new"],
        ["acme/old"],
        ["acme/new", "acme/old"],
    )


def test_as_of_shows_the_edition_of_that_day(client: Client) -> None:
    make_offering(make_model("acme/one", name="Uno"))
    publish_all(at=datetime(2026, 1, 1, tzinfo=UTC))
    rename("acme/one", "Duo", at=datetime(2026, 2, 1, tzinfo=UTC))
    pages = [get(client, f"as_of={day}")["models"] for day in ("2025-12-31", "2026-01-31", "2026-02-01")]
    assert [[model["name"] for model in page] for page in pages] == [[], ["Uno"], ["Duo"]]


def test_as_of_judges_dates_and_prices_then(client: Client) -> None:
    offering = make_offering(make_model("acme/one", deprecation_at=datetime(2026, 3, 1, tzinfo=UTC)))
    make_price(offering, amount="1", valid_to=datetime(2026, 2, 1, tzinfo=UTC))
    make_price(offering, amount="2", valid_from=datetime(2026, 2, 1, tzinfo=UTC))
    publish_all(at=datetime(2026, 1, 1, tzinfo=UTC))
    instants = ("2026-01-31T23:59:59Z", "2026-02-01", "2026-03-01")
    told = [get(client, f"as_of={instant}")["models"][0] for instant in instants]
    assert [(it["status"], it["pricing"]["prompt"]) for it in told] == [
        ("active", "0.000001"),
        ("active", "0.000002"),
        ("deprecated", "0.000002"),
    ]


def test_time_to_come_judges_todays_edition(client: Client) -> None:
    deprecation, retirement = (datetime(year, 1, 1, tzinfo=UTC) for year in (2090, 2099))
    make_published(deprecation_at=deprecation, retirement_at=retirement)
    assert get(client, "as_of=2095-01-01")["models"][0]["status"] == "deprecated"
    assert ids(client, "as_of=2099-01-01") == []


def test_past_counts_everything_as_switched_on(client: Client) -> None:
    make_published()
    Edition.objects.update(published_at=datetime(2026, 1, 1, tzinfo=UTC))
    switch_offering(Offering.objects.get(), is_enabled=False)
    assert (ids(client), ids(client, "as_of=2026-01-02")) == ([], ["acme/one"])


def test_client_that_has_the_list_is_told_so(client: Client) -> None:
    make_published()
    tag = client.get(URL).headers["etag"]
    again = client.get(URL, headers={"if-none-match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)


@pytest.mark.parametrize("query", ["limit=10", "q=one", "availability=all"])
def test_other_questions_have_other_tags(client: Client, query: str) -> None:
    assert client.get(URL).headers["etag"] != client.get(f"{URL}?{query}").headers["etag"]


def test_tag_changes_with_a_publication_and_with_a_switch(client: Client) -> None:
    make_published()
    tags = [client.get(URL).headers["etag"]]
    rename("acme/one", "Uno")
    tags.append(client.get(URL).headers["etag"])
    switch_offering(Offering.objects.get(), is_enabled=False)
    tags.append(client.get(URL).headers["etag"])
    assert len(set(tags)) == 3


def test_tag_changes_when_a_price_begins_without_an_edition(client: Client) -> None:
    model = make_published()
    make_price(model.offerings.get(), amount="9", valid_from=datetime(2090, 1, 1, tzinfo=UTC))
    publish_all()
    tags = [client.get(f"{URL}?as_of={day}").headers["etag"] for day in ("2089-12-31", "2090-01-01")]
    (edition, switches, boundary), later = (tag.split("-")[:3] for tag in tags)
    assert (edition, switches) == (later[0], later[1])
    assert boundary != later[2]


def test_stranger_with_the_right_tag_is_refused(client: Client) -> None:
    make_published()
    tag = client.get(URL).headers["etag"]
    assert Client().get(URL, headers={"if-none-match": tag}).status_code == 401


def test_long_list_is_packed_on_request(client: Client) -> None:
    make_published()
    packed = client.get(URL, headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.content) == client.get(URL).content
    assert {"accept-encoding", "authorization"} <= set(packed.headers["vary"].lower().split(", "))


@pytest.mark.parametrize("name", ["privacy_scope", "privacy"])
def test_team_scope_tells_what_this_key_may_call(name: str, settings: Any) -> None:
    settings.TEAM_SCOPE = True
    make_published("acme/one")
    make_published("beta/one")
    _, text = make_key(model_patterns=["beta/*"])
    client = Client(headers={"authorization": f"Bearer {text}"})
    page = get(client, f"{name}=team")
    assert (page["privacy_scope"], [model["id"] for model in page["models"]]) == ("team", ["beta/one"])
    assert ids(client) == ["acme/one", "beta/one"]
    assert get(client, "privacy_scope=shared&privacy=team")["privacy_scope"] == "shared"
    answer = client.get(f"{URL}?{name}=team")
    assert "private" in answer["Cache-Control"]
    assert answer["ETag"] != client.get(URL)["ETag"]
