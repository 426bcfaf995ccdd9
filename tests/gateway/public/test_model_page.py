"""A model's page: facts, prices, health, lifecycle and code."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import LedgerEntry
from catalogue.models import Model
from providers import live_health
from providers.live_health import LiveHealth
from providers.models import ProbeResult, Provider
from tests.gateway.public.conftest import make_offered
from tests.make import make_key, make_model, make_offering, make_price, publish_all

pytestmark = pytest.mark.django_db
AT = datetime(2026, 12, 1, 12, 30, 5, tzinfo=UTC)


def look(client: Client, name: str, *, status: int = 200) -> str:
    answer = client.get(f"/models/{name}")
    assert answer.status_code == status
    return answer.content.decode()


@pytest.mark.usefixtures("catalogue")
def test_alias_leads_to_its_model(client: Client) -> None:
    answer = client.get("/models/big-latest")
    assert (answer.status_code, answer["Location"]) == (302, "/models/acme/big")


@pytest.mark.usefixtures("catalogue")
def test_unknown_model_is_answered_with_the_nearest_names(client: Client) -> None:
    page = look(client, "acme/bigg", status=404)
    assert 'href="/models/acme/big"' in page


@pytest.mark.usefixtures("catalogue")
def test_name_that_is_near_nothing_says_how_ids_are_written(client: Client) -> None:
    assert "No name is similar." in look(client, "@@@@", status=404)


@pytest.mark.usefixtures("catalogue")
def test_model_that_nothing_serves_says_so(client: Client) -> None:
    assert "Unavailable here: no provider" in look(client, "zeta/small")
    assert "Unavailable here: no provider" not in look(client, "acme/big")


@pytest.mark.usefixtures("catalogue")
def test_retired_model_says_what_to_use(client: Client) -> None:
    page = look(client, "acme/old")
    assert "Retired on 15 January 2026" in page
    assert 'Use <a href="/models/acme/big">Big</a> instead.' in page
    assert "use this instead" in page


def test_announced_model_says_when_it_comes(client: Client) -> None:
    make_model("acme/next", release_at=timezone.now() + timedelta(days=9))
    publish_all()
    page = look(client, "acme/next")
    assert "It will be released on" in page
    assert "No provider offers it yet." in page


def test_forebears_and_followers_are_in_order(client: Client, open_provider: Provider) -> None:
    first = make_offered("acme/one", open_provider, name="One")
    second = make_offered("acme/two", open_provider, name="Two", previous=first)
    make_offered("acme/three", open_provider, name="Three", previous=second)
    publish_all()
    page = look(client, "acme/two")
    assert page.index("previous version") < page.index("next version")
    assert page.index('href="/models/acme/one"') < page.index('href="/models/acme/three"')


def test_prices_of_every_plan_past_and_coming_are_told(client: Client, open_provider: Provider) -> None:
    offering = make_offering(make_model("acme/one"), open_provider)
    make_price(offering, amount="1", valid_to=datetime(2027, 1, 1, tzinfo=UTC))
    make_price(offering, amount="7", valid_from=datetime(2027, 1, 1, tzinfo=UTC))
    make_price(offering, amount="0.5", plan="batch")
    publish_all()
    page = look(client, "acme/one")
    assert "until 1 Jan 2027" in page
    assert '<span class="chip info">coming</span> from 1 Jan 2027' in page
    assert "<td>batch</td>" in page


def test_two_offerings_of_one_provider_are_told_apart(client: Client, open_provider: Provider) -> None:
    model = make_model("acme/twice")
    for upstream, region, usd in (("eu.twice", "eu", "1"), ("us.twice", "us", "3")):
        make_price(make_offering(model, open_provider, upstream_name=upstream, regions=[region]), amount=usd)
    publish_all()
    page = look(client, "acme/twice")
    assert page.count('title="Where it runs">eu</span>') == page.count('title="Where it runs">us</span>') == 1
    assert "at Open House as eu.twice and as us.twice." in page
    listed = client.get("/models?regions=eu").content.decode()
    assert 'href="/models/acme/twice"' in listed
    assert 'href="/models/acme/twice"' not in client.get("/models?regions=jp").content.decode()


@pytest.mark.usefixtures("catalogue")
def test_health_is_told_in_words(client: Client, open_provider: Provider) -> None:
    record_calls("acme/big", succeeded=3, failed=1)
    ProbeResult.objects.create(provider=open_provider, at=timezone.now(), is_healthy=True)
    page = look(client, "acme/big")
    assert "75 % of 4 calls succeeded in the last 24 hours." in page
    assert "100 % of the probes of its provider succeeded in the last 24 hours." in page
    assert "The first token comes after 250 ms in half of the calls" in page


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    ("live", "told"),
    [
        (LiveHealth("open", "failures", AT), "Its calls failed: no call goes there until 12:30:05 UTC."),
        (LiveHealth("open", "staff"), "Staff hold it: no call goes there."),
        (LiveHealth("half_open", "rate"), "one is let through to find out whether it is well"),
    ],
)
def test_an_offering_that_is_left_alone_says_so(
    client: Client, monkeypatch: pytest.MonkeyPatch, live: LiveHealth, told: str
) -> None:
    monkeypatch.setattr(live_health.here.reader, "read", lambda _ways: live)
    page = look(client, "acme/big")
    assert "left alone" in page
    assert told in page


@pytest.mark.usefixtures("catalogue")
def test_what_was_not_measured_is_said_too(client: Client) -> None:
    page = look(client, "acme/big")
    assert "No call in the last 24 hours." in page
    assert "Its provider was not probed in the last 24 hours." in page


@pytest.mark.usefixtures("catalogue")
def test_code_calls_this_model_at_this_host(client: Client) -> None:
    page = look(client, "acme/big")
    assert "curl http://testserver/v1/chat/completions" in page
    assert "from openai import OpenAI" in page
    assert "import OpenAI from &quot;openai&quot;" in page
    assert page.count("&quot;acme/big&quot;") == 3


def test_embeddings_have_code_of_their_own(client: Client, open_provider: Provider) -> None:
    make_offering(make_model("acme/embed"), open_provider, endpoints=["embeddings"])
    publish_all()
    page = look(client, "acme/embed")
    assert "/v1/embeddings" in page
    assert "chat.completions.create" not in page


def test_text_of_a_curator_is_never_markup(client: Client) -> None:
    make_model("acme/one", name="<b>One</b>", description="<script>alert(1)</script>")
    publish_all()
    page = look(client, "acme/one")
    assert "<b>One</b>" not in page
    assert "<script>alert" not in page


@pytest.mark.usefixtures("catalogue")
def test_page_takes_six_queries(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    look(client, "acme/big")
    with django_assert_num_queries(6):
        look(client, "acme/big")


def record_calls(public_id: str, *, succeeded: int, failed: int) -> None:
    offering = Model.objects.get(public_id=public_id).offerings.get()
    key, _ = make_key()
    outcomes = [LedgerEntry.Outcome.FINISHED] * succeeded + [LedgerEntry.Outcome.FAILED] * failed
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            attempt_id=uuid4(),
            call_id=uuid4(),
            number=1,
            team=key.team,
            key=key,
            model=public_id,
            provider=offering.provider.slug,
            upstream_name=offering.upstream_name,
            is_streamed=True,
            started_at=timezone.now(),
            outcome=outcome,
            output_tokens=100,
            cost_usd=0,
            loss_usd=0,
            latency_ms=1250,
            first_token_ms=250,
        )
        for outcome in outcomes
    )
