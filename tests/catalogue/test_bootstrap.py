"""The bootstrap catalogue: how loading it treats what is there."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import revision
from catalogue.bootstrap.loader import NOTE, load_bootstrap
from catalogue.bootstrap.reader import read_bootstrap
from catalogue.lifecycle.status import Status
from catalogue.models import Alias, Edition, Model, Offering, Organisation, Price, PublishedModel
from catalogue.pricing.meters import CACHED_READ_TEXT
from catalogue.published.loading import snapshots
from catalogue.published.reading import Reading
from catalogue.publishing.editions import withdraw
from providers.models import Credential, Provider
from tests.make import make_model, make_provider

PORT = 8901
# For 38 providers and 120 models: the rows of one table in a statement or two.
FIRST_LOAD_QUERIES_MOST = 200
AT = datetime(2026, 11, 22, tzinfo=UTC)
ACCOUNT = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLOUDFLARE_ACCOUNT_ID", "AZURE_OPENAI_RESOURCE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)


def _everything() -> tuple[object, ...]:
    tables = (Organisation, Provider, Credential, Model, Alias, Offering, Price, PublishedModel, Edition)
    return (*(list(table.objects.order_by("pk").values()) for table in tables), revision.read())


@pytest.mark.django_db
def test_loading_publishes_every_model_as_one_edition() -> None:
    report = load_bootstrap(demo_port=PORT)
    assert PublishedModel.objects.filter(edition_from=report.edition).count() == len(read_bootstrap().models)
    assert Edition.objects.get().note == NOTE
    assert not Model.objects.exclude(quarantine_reason="").exists()


@pytest.mark.django_db
def test_formats_and_quirks_of_providers_are_loaded() -> None:
    load_bootstrap(demo_port=PORT)
    formats = dict(Provider.objects.exclude(wire_format="openai").values_list("slug", "wire_format"))
    assert formats == {
        "anthropic": "anthropic",
        "cohere_v2": "cohere",
        "gemini": "gemini",
        "voyage_ai": "voyage",
    }
    assert Provider.objects.get(slug="workers_ai").quirks[:2] == ["embeds_at_most_100", "embeds_texts_only"]


@pytest.mark.django_db
def test_a_second_load_changes_nothing() -> None:
    load_bootstrap(demo_port=PORT)
    before = _everything()
    report = load_bootstrap(demo_port=PORT)
    assert report.edition is None
    assert _everything() == before


@pytest.mark.django_db
def test_a_first_load_asks_in_bulk_and_a_second_one_hardly_at_all() -> None:
    with CaptureQueriesContext(connection) as first:
        load_bootstrap(demo_port=PORT)
    with CaptureQueriesContext(connection) as second:
        load_bootstrap(demo_port=PORT)
    assert len(first) < FIRST_LOAD_QUERIES_MOST
    assert len(second) < 30


@pytest.mark.django_db
def test_only_demo_models_are_routable_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings.CREDENTIAL_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    load_bootstrap(demo_port=PORT)
    routable = Reading(snapshots.refresh(), AT).routable()
    assert set(routable.values_list("public_id", flat=True)) == {"demo/chat", "demo/embed"}


@pytest.mark.django_db
def test_a_key_variable_makes_its_provider_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    load_bootstrap(demo_port=PORT)
    monkeypatch.setenv("GROQ_API_KEY", "gsk-test")
    routable = Reading(snapshots.refresh(), AT).routable()
    ids = set(routable.values_list("public_id", flat=True))
    assert {"openai/gpt-oss-120b", "openai/gpt-oss-20b"} <= ids
    # Groq stopped serving it on 2026-08-16, and nobody else has a key here.
    assert "meta/llama-3.3-70b-instruct" not in ids


@pytest.mark.django_db
def test_statuses_follow_from_the_dates() -> None:
    load_bootstrap(demo_port=PORT)
    statuses = dict(Model.objects.with_status(AT).values_list("public_id", "status"))
    assert statuses["openai/gpt-6.1-sol"] == Status.ACTIVE
    assert statuses["openai/gpt-5-mini"] == Status.DEPRECATED
    assert statuses["google/gemini-2.0-flash"] == Status.RETIRED


@pytest.mark.django_db
def test_prices_are_exact_and_per_million() -> None:
    load_bootstrap(demo_port=PORT)
    offering = Offering.objects.get(model__public_id="openai/gpt-oss-120b", provider__slug="groq")
    cached = offering.prices.get(meter=CACHED_READ_TEXT)
    assert (cached.amount, cached.unit_size, cached.currency) == (Decimal("0.075"), 1_000_000, "USD")


@pytest.mark.django_db
def test_a_price_that_ends_hands_over_to_the_next() -> None:
    load_bootstrap(demo_port=PORT)
    prices = Price.objects.filter(
        offering__model__public_id="google/gemini-3.8-flash", meter="output_text_tokens"
    )
    change = datetime(2027, 1, 1, tzinfo=UTC)
    assert [(price.amount, price.valid_from, price.valid_to) for price in prices.order_by("amount")] == [
        (Decimal("3.75"), None, change),
        (Decimal("7.50"), change, None),
    ]


@pytest.mark.django_db
def test_a_long_prompt_has_its_price() -> None:
    load_bootstrap(demo_port=PORT)
    prices = Price.objects.filter(offering__model__public_id="openai/gpt-6.1-sol", meter="output_text_tokens")
    assert [(price.amount, price.conditions) for price in prices.order_by("amount")] == [
        (Decimal(10), []),
        (Decimal(15), [{"path": "input_tokens", "op": "gt", "value": 272_000}]),
    ]


@pytest.mark.django_db
def test_successors_are_linked() -> None:
    load_bootstrap(demo_port=PORT)
    assert Model.objects.get(slug="gpt-4o-mini").successor == Model.objects.get(slug="gpt-6-luna")


@pytest.mark.django_db
def test_predecessors_weights_licence_and_cutoff_are_written() -> None:
    load_bootstrap(demo_port=PORT)
    model = Model.objects.get(public_id="z-ai/glm-4.7")
    assert model.previous == Model.objects.get(public_id="z-ai/glm-4.6")
    assert (model.open_weights, model.licence, model.knowledge_cutoff) == (True, "MIT", date(2025, 4, 30))
    assert Model.objects.get(public_id="demo/chat").open_weights is None


@pytest.mark.django_db
def test_what_staff_edited_survives() -> None:
    load_bootstrap(demo_port=PORT)
    Model.objects.filter(slug="gpt-5-mini").update(name="Ours", context_length=1)
    Provider.objects.filter(slug="groq").update(base_url="https://groq.example/v1", is_enabled=False)
    Organisation.objects.filter(pk="openai").update(colour="#123456")
    Alias.objects.filter(name="gpt-4o-mini").delete()
    Offering.objects.filter(provider__slug="cerebras").delete()
    before = _everything()
    load_bootstrap(demo_port=PORT)
    assert _everything() == before


@pytest.mark.django_db
def test_a_model_that_staff_deleted_stays_deleted() -> None:
    load_bootstrap(demo_port=PORT)
    Model.objects.filter(public_id="x-ai/grok-4.3").delete()
    withdraw(["x-ai/grok-4.3"])
    load_bootstrap(demo_port=PORT)
    assert not Model.objects.filter(public_id="x-ai/grok-4.3").exists()


@pytest.mark.django_db
def test_a_provider_that_staff_deleted_stays_deleted() -> None:
    load_bootstrap(demo_port=PORT)
    Offering.objects.filter(provider__slug="voyage_ai").delete()
    Provider.objects.filter(slug="voyage_ai").delete()
    load_bootstrap(demo_port=PORT)
    assert not Provider.objects.filter(slug="voyage_ai").exists()


@pytest.mark.django_db
def test_a_provider_that_staff_made_first_keeps_how_it_is_opened() -> None:
    make_provider("groq", base_url="https://groq.example/v1")
    load_bootstrap(demo_port=PORT)
    assert Credential.objects.get(provider__slug="groq").kind == Credential.Kind.NONE


@pytest.mark.django_db
def test_an_alias_that_staff_gave_away_is_skipped() -> None:
    model = make_model("acme/one", aliases=["gpt-5-mini"])
    report = load_bootstrap(demo_port=PORT)
    assert report.skipped == ("gpt-5-mini",)
    assert Alias.objects.get(name="gpt-5-mini").model == model


@pytest.mark.django_db
def test_a_model_whose_id_is_an_alias_is_not_made() -> None:
    make_model("acme/one", aliases=["demo/chat"])
    load_bootstrap(demo_port=PORT)
    assert not Model.objects.filter(public_id="demo/chat").exists()


@pytest.mark.django_db
def test_workers_ai_waits_switched_off_for_its_account() -> None:
    load_bootstrap(demo_port=PORT)
    assert not Provider.objects.get(slug="workers_ai").is_enabled


@pytest.mark.django_db
def test_workers_ai_is_complete_when_its_account_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
    load_bootstrap(demo_port=PORT)
    provider = Provider.objects.get(slug="workers_ai")
    assert provider.is_enabled
    assert provider.base_url == f"https://api.cloudflare.com/client/v4/accounts/{ACCOUNT}/ai/v1"


@pytest.mark.django_db
def test_workers_ai_is_completed_when_its_account_is_named_later(monkeypatch: pytest.MonkeyPatch) -> None:
    load_bootstrap(demo_port=PORT)
    before = revision.read()
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
    load_bootstrap(demo_port=PORT)
    assert ACCOUNT in Provider.objects.get(slug="workers_ai", is_enabled=True).base_url
    assert revision.read().providers > before.providers


@pytest.mark.django_db
def test_providers_of_which_no_model_is_known_come_with_the_first_load_only() -> None:
    load_bootstrap(demo_port=PORT)
    slugs = [entry.slug for entry in read_bootstrap().providers]
    assert Provider.objects.filter(slug__in=slugs).count() == len(slugs)
    Provider.objects.filter(slug="ollama").delete()
    load_bootstrap(demo_port=PORT)
    assert not Provider.objects.filter(slug="ollama").exists()


@pytest.mark.django_db
def test_server_of_ones_own_is_switched_off_and_needs_no_key() -> None:
    load_bootstrap(demo_port=PORT)
    provider = Provider.objects.get(slug="ollama")
    assert not provider.is_enabled
    assert provider.credential.kind == Credential.Kind.NONE


@pytest.mark.django_db
def test_azure_is_complete_when_its_resource_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_RESOURCE", "our-resource")
    load_bootstrap(demo_port=PORT)
    provider = Provider.objects.get(slug="azure_openai")
    assert provider.is_enabled
    assert provider.base_url == "https://our-resource.openai.azure.com/openai/v1"
    assert provider.quirks == ["api_key_header", "no_reasoning_input", "speaks_responses"]


@pytest.mark.django_db
def test_an_address_that_staff_completed_is_not_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    load_bootstrap(demo_port=PORT)
    Provider.objects.filter(slug="workers_ai").update(base_url="https://workers.example/v1")
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
    load_bootstrap(demo_port=PORT)
    assert Provider.objects.get(slug="workers_ai").base_url == "https://workers.example/v1"


@pytest.mark.django_db
def test_an_account_that_is_more_than_a_name_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "../../evil")
    with pytest.raises(CommandError, match="CLOUDFLARE_ACCOUNT_ID holds more than letters"):
        call_command("load_bootstrap", demo_port=PORT)
    assert not Model.objects.exists()


@pytest.mark.django_db
def test_the_command_says_what_it_made(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_bootstrap", demo_port=PORT)
    assert "37 providers and 45 organisations made; published as edition" in capsys.readouterr().out


def test_the_command_refuses_what_is_no_port() -> None:
    with pytest.raises(CommandError, match="--demo-port 0 is not a port"):
        call_command("load_bootstrap", demo_port=0)
