"""The status page and what programs read of it: who may look, what is told of whom, and what never is."""

from datetime import datetime, timedelta
from typing import Any

import feedparser
import pytest
from django.test import Client

from catalogue.models import Offering
from gateway.status import kept
from gateway.status.board import sentence_of
from gateway.status.counting import count_days
from gateway.status.views import OPENED_MOST
from providers.models import Incident, IncidentNote, Provider
from tests.catalogue.atom_rules import complaints
from tests.gateway.status.conftest import FAULT, Calls
from tests.gateway.status.test_counting import breaker, left_alone
from tests.make import make_key, make_model, make_offering, make_provider, make_user, publish_all

pytestmark = pytest.mark.django_db
TWO = pytest.mark.usefixtures("two_ways")
ROUTES = ("/status", "/status.json", "/status.atom")


def page(client: Client, query: str = "") -> str:
    kept.forget()
    answer = client.get(f"/status{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def told(client: Client) -> Any:
    kept.forget()
    return client.get("/status.json").json()


def states(client: Client) -> dict[str, str]:
    answer = told(client)
    return {each["id"]: each["status"] for each in [*answer["models"], *answer.get("providers", [])]}


@TWO
@pytest.mark.parametrize("route", ROUTES)
def test_everybody_looks_where_it_is_public_and_nobody_where_it_is_off(
    client: Client, settings: Any, route: str
) -> None:
    assert client.get(route).status_code == 200
    settings.STATUS_PAGE = "off"
    assert client.get(route).status_code == 404
    client.force_login(make_user("mary"))
    assert client.get(route).status_code == 404


@TWO
def test_where_only_those_with_an_account_look_others_are_sent_to_sign_in(
    client: Client, settings: Any
) -> None:
    settings.STATUS_PAGE = "signed-in"
    assert client.get("/status").status_code == 302
    assert [client.get(route).status_code for route in ROUTES[1:]] == [401, 401]
    feed_key = make_key(scope="feed")[1]
    assert client.get(f"/status.atom?token={feed_key}").status_code == 200
    assert client.get(f"/status.atom?token={feed_key}x").status_code == 401
    client.force_login(make_user("mary"))
    assert [client.get(route).status_code for route in ROUTES] == [200] * 3


@TWO
def test_page_says_that_all_answer_and_what_uptime_is(client: Client) -> None:
    text = page(client)
    assert "<h1>All models answer</h1>" in text
    assert "Uptime is the share of the time" in text
    assert "No incident in 90 days" in text
    assert "style=" not in text
    assert text.count("<rect") == 4 * 90


def test_empty_catalogue_is_told_as_such(client: Client, at: datetime) -> None:
    assert "There is no model to call yet" in page(client)
    assert told(client)["models"] == []


def test_model_is_down_only_when_no_offering_can_answer(
    client: Client, at: datetime, two_ways: tuple[Offering, Offering]
) -> None:
    breaker(two_ways[0].pk, "open", at - timedelta(seconds=60))
    assert states(client) == {"acme/one": "degraded", "acme/two": "ok", "alpha": "degraded", "beta": "ok"}
    assert told(client)["sentence"] == "One answers in part"
    breaker(two_ways[1].pk, "half_open", at - timedelta(seconds=60))
    breaker(two_ways[1].pk, "open", at - timedelta(seconds=60))
    assert states(client) == {"acme/one": "down", "acme/two": "ok", "alpha": "degraded", "beta": "down"}
    assert "<h1>One does not answer</h1>" in page(client)
    breaker(two_ways[1].pk, "closed", at - timedelta(seconds=1))
    assert states(client)["acme/one"] == "degraded"


@TWO
def test_provider_that_cannot_be_probed_degrades_what_it_has(client: Client) -> None:
    from accounts.revision import Part, take_revision

    Provider.objects.filter(slug="beta").update(health="unhealthy")
    take_revision(Part.PROVIDERS)
    assert states(client) == {"acme/one": "degraded", "acme/two": "ok", "alpha": "ok", "beta": "degraded"}


@TWO
def test_uptime_is_of_days_on_which_something_was_seen(client: Client, at: datetime, calls: Calls) -> None:
    calls(5, at - timedelta(days=3))
    calls(5, at - timedelta(days=4), **FAULT)
    for _ in range(15):
        count_days(at)
    one = told(client)["models"][0]
    assert one["uptime_percent"] == 99.47
    assert one["days"][-6:] == [None, 98.95, 100.0, None, None, None]
    assert "16 Nov 2026: down for 15 min" in page(client)


@TWO
def test_nothing_says_how_many_calls_there_were(client: Client, at: datetime, calls: Calls) -> None:
    calls(137, at - timedelta(hours=2))
    count_days(at)
    few = page(client)
    calls(613, at - timedelta(hours=2))
    count_days(at)
    assert page(client) == few


@TWO
def test_models_that_are_not_listed_are_not_told_of(client: Client, at: datetime) -> None:
    make_offering(make_model("acme/secret", release_at=at + timedelta(days=9)), make_provider("gamma"))
    hidden = make_offering(make_model("acme/hidden"), make_provider("delta"))
    publish_all()
    left_alone(hidden.pk, at - timedelta(hours=1), 60)
    assert "acme/hidden" in page(client)
    type(hidden).objects.update(is_enabled=True)
    hidden.model.retirement_at = at - timedelta(days=1)
    hidden.model.save()
    publish_all()
    everything = page(client) + client.get("/status.json").content.decode()
    everything += client.get("/status.atom").content.decode()
    for name in ("acme/secret", "acme/hidden", "Gamma", "Delta"):
        assert name not in everything


def test_providers_are_not_told_to_those_who_may_not_look_at_the_catalogue(
    client: Client, at: datetime, settings: Any, two_ways: tuple[Offering, Offering]
) -> None:
    settings.PUBLIC_CATALOGUE = "signed-in"
    left_alone(two_ways[0].pk, at - timedelta(hours=1), 60)
    everything = page(client) + client.get("/status.json").content.decode()
    everything += client.get("/status.atom").content.decode()
    assert "Alpha" not in everything
    assert "alpha" not in everything
    assert "acme/one: calls to one of its providers failed" in everything
    client.force_login(make_user("mary"))
    assert "acme/one at Alpha: its calls failed" in page(client)


def test_many_models_are_a_line_an_organisation_with_those_in_trouble_on_top(
    client: Client, at: datetime
) -> None:
    provider = make_provider("alpha")
    models = [make_model(f"acme/m{number}") for number in range(OPENED_MOST + 1)]
    offerings = [make_offering(model, provider) for model in models]
    make_offering(make_model("best/one"), provider)
    publish_all()
    breaker(offerings[7].pk, "open", at - timedelta(seconds=60))
    text = page(client)
    assert text.count("<rect") == 2 * 90
    assert "acme/m7" in text
    assert f"1 of {OPENED_MOST + 1} models in trouble" in text
    opened = page(client, "?organisation=acme")
    assert opened.count("<rect") == (OPENED_MOST + 1) * 90
    assert client.get("/status?organisation=%3Cb%3E").status_code == 404
    assert "&lt;b&gt;" in client.get("/status?organisation=%3Cb%3E").content.decode()


@TWO
def test_page_asks_sql_little_and_for_a_while_nothing(
    client: Client,
    at: datetime,
    calls: Calls,
    django_assert_max_num_queries: Any,
    django_assert_num_queries: Any,
) -> None:
    calls(3, at - timedelta(days=2))
    count_days(at)
    client.get("/status")
    kept.forget()
    with django_assert_max_num_queries(10):
        client.get("/status")
    with django_assert_num_queries(0):
        for route in ("/status", "/status.json", "/status.atom"):
            assert client.get(route).status_code == 200


@TWO
@pytest.mark.parametrize("route", ROUTES[1:])
def test_what_is_known_is_not_sent_again(client: Client, at: datetime, route: str) -> None:
    first = client.get(route)
    assert first["Cache-Control"] == "public, max-age=5"
    kept.forget()
    again = client.get(route, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Incident.objects.create(kind="incident", title="Slow", began_at=at - timedelta(minutes=3))
    kept.forget()
    assert client.get(route, headers={"if-none-match": first["ETag"]}).status_code == 200


@TWO
def test_feed_is_valid_and_tells_what_the_page_does(client: Client, at: datetime) -> None:
    nasty = "<b>East & West</b>"
    incident = Incident.objects.create(kind="incident", title=nasty, began_at=at - timedelta(hours=3))
    IncidentNote.objects.create(
        incident=incident, title="Found <i>", text="One\nTwo", author="root", at=at - timedelta(hours=2)
    )
    answer = client.get("/status.atom")
    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert complaints(answer.content) == []
    feed = feedparser.parse(answer.content)
    assert not feed.bozo
    (entry,) = feed.entries
    assert entry.id.startswith("urn:uuid:")
    assert entry.link.endswith(f"/status#incident-{incident.pk}")
    assert "Found &lt;i&gt;" in entry.summary
    assert "root" not in answer.content.decode()
    before = entry.updated
    Incident.objects.update(ended_at=at - timedelta(minutes=1))
    kept.forget()
    (after,) = feedparser.parse(client.get("/status.atom").content).entries
    assert (after.id, after.updated > before) == (entry.id, True)
    assert after.title.endswith("(over)")


def test_sentence_counts_what_does_not_answer() -> None:
    class One:
        def __init__(self, name: str, state: str) -> None:
            self.name, self.state = name, state

    up, partly, down = One("A", "up"), One("B", "degraded"), One("C", "down")
    assert sentence_of([up]) == "A answers"  # type: ignore[list-item]
    assert sentence_of([up, partly, down]) == "C does not answer; B answers in part"  # type: ignore[list-item]
    assert sentence_of([down, down, up]) == "2 of 3 models do not answer"  # type: ignore[list-item]
    assert sentence_of([down, down]) == "All 2 models do not answer"  # type: ignore[list-item]
