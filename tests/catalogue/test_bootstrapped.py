"""The bootstrap catalogue once it is loaded: what it says, and how a second load treats what staff made of it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings

from accounts import revision
from catalogue.bootstrap.loader import NOTE, LoadReport, load_bootstrap
from catalogue.bootstrap.reader import read_bootstrap
from catalogue.lifecycle.status import Status
from catalogue.models import Alias, Edition, Model, Offering, Organisation, Price, PublishedModel
from catalogue.pricing.meters import CACHED_READ_TEXT
from catalogue.published.loading import snapshots
from catalogue.published.reading import Reading
from catalogue.publishing.editions import withdraw
from catalogue.quality.lint import Kind
from catalogue.quality.worklist import examine_catalogue
from providers.models import Credential, Provider
from tests.kept import rows_for_all

pytestmark = pytest.mark.django_db
PORT = 8901
AT = datetime(2026, 11, 22, tzinfo=UTC)
ACCOUNT = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module", autouse=True)
def report(django_db_setup: None, django_db_blocker: Any) -> Iterator[LoadReport]:
    with pytest.MonkeyPatch.context() as patch, rows_for_all(django_db_blocker):
        for name in ("CLOUDFLARE_ACCOUNT_ID", "AZURE_OPENAI_RESOURCE", "AWS_REGION"):
            patch.delenv(name, raising=False)
        yield load_bootstrap(demo_port=PORT)


def _everything() -> tuple[object, ...]:
    tables = (Organisation, Provider, Credential, Model, Alias, Offering, Price, PublishedModel, Edition)
    return (*(list(table.objects.order_by("pk").values()) for table in tables), revision.read())


def test_loading_publishes_every_model_as_one_edition(report: LoadReport) -> None:
    assert PublishedModel.objects.filter(edition_from=report.edition).count() == len(read_bootstrap().models)
    assert Edition.objects.get().note == NOTE
    assert not Model.objects.exclude(quarantine_reason="").exists()


def test_formats_and_quirks_of_providers_are_loaded() -> None:
    formats = dict(Provider.objects.exclude(wire_format="openai").values_list("slug", "wire_format"))
    assert formats == {
        "anthropic": "anthropic",
        "cohere_v2": "cohere",
        "gemini": "gemini",
        "voyage_ai": "voyage",
    }
    assert Provider.objects.get(slug="workers_ai").quirks[:2] == ["embeds_at_most_100", "embeds_texts_only"]


def test_a_second_load_changes_nothing() -> None:
    before = _everything()
    report = load_bootstrap(demo_port=PORT)
    assert report.edition is None
    assert _everything() == before


def test_only_demo_models_are_routable_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings.CREDENTIAL_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    routable = Reading(snapshots.refresh(), AT).routable()
    assert set(routable.values_list("public_id", flat=True)) == {"demo/chat", "demo/embed"}


def test_a_key_variable_makes_its_provider_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk-test")
    routable = Reading(snapshots.refresh(), AT).routable()
    ids = set(routable.values_list("public_id", flat=True))
    assert {"openai/gpt-oss-120b", "openai/gpt-oss-20b"} <= ids
    # Groq stopped serving it on 2026-08-16, and nobody else has a key here.
    assert "meta/llama-3.3-70b-instruct" not in ids


def test_statuses_follow_from_the_dates() -> None:
    statuses = dict(Model.objects.with_status(AT).values_list("public_id", "status"))
    assert statuses["openai/gpt-6.1-sol"] == Status.ACTIVE
    assert statuses["openai/gpt-5-mini"] == Status.DEPRECATED
    assert statuses["google/gemini-2.0-flash"] == Status.RETIRED


def test_prices_are_exact_and_per_million() -> None:
    offering = Offering.objects.get(model__public_id="openai/gpt-oss-120b", provider__slug="groq")
    cached = offering.prices.get(meter=CACHED_READ_TEXT)
    assert (cached.amount, cached.unit_size, cached.currency) == (Decimal("0.075"), 1_000_000, "USD")


def test_a_price_that_ends_hands_over_to_the_next() -> None:
    prices = Price.objects.filter(
        offering__model__public_id="google/gemini-3.8-flash", meter="output_text_tokens"
    )
    change = datetime(2027, 1, 1, tzinfo=UTC)
    assert [(price.amount, price.valid_from, price.valid_to) for price in prices.order_by("amount")] == [
        (Decimal("3.75"), None, change),
        (Decimal("7.50"), change, None),
    ]


def test_a_long_prompt_has_its_price() -> None:
    prices = Price.objects.filter(offering__model__public_id="openai/gpt-6.1-sol", meter="output_text_tokens")
    assert [(price.amount, price.conditions) for price in prices.order_by("amount")] == [
        (Decimal(10), []),
        (Decimal(15), [{"path": "input_tokens", "op": "gt", "value": 272_000}]),
    ]


def test_successors_are_linked() -> None:
    assert Model.objects.get(slug="gpt-4o-mini").successor == Model.objects.get(slug="gpt-6-luna")


def test_predecessors_weights_licence_and_cutoff_are_written() -> None:
    model = Model.objects.get(public_id="z-ai/glm-4.7")
    assert model.previous == Model.objects.get(public_id="z-ai/glm-4.6")
    assert (model.open_weights, model.licence, model.knowledge_cutoff) == (True, "MIT", date(2025, 4, 30))
    assert Model.objects.get(public_id="demo/chat").open_weights is None


def test_no_licence_contradicts_its_weights() -> None:
    assert [each for each in examine_catalogue(AT).findings if each.kind is Kind.WEIGHTS] == []


def test_what_staff_edited_survives() -> None:
    Model.objects.filter(slug="gpt-5-mini").update(name="Ours", context_length=1)
    Provider.objects.filter(slug="groq").update(base_url="https://groq.example/v1", is_enabled=False)
    Organisation.objects.filter(pk="openai").update(colour="#123456")
    Alias.objects.filter(name="gpt-4o-mini").delete()
    Offering.objects.filter(provider__slug="cerebras").delete()
    before = _everything()
    load_bootstrap(demo_port=PORT)
    assert _everything() == before


def test_a_model_that_staff_deleted_stays_deleted() -> None:
    Model.objects.filter(public_id="x-ai/grok-4.3").delete()
    withdraw(["x-ai/grok-4.3"])
    load_bootstrap(demo_port=PORT)
    assert not Model.objects.filter(public_id="x-ai/grok-4.3").exists()


def test_a_provider_that_staff_deleted_stays_deleted() -> None:
    Offering.objects.filter(provider__slug="voyage_ai").delete()
    Provider.objects.filter(slug="voyage_ai").delete()
    load_bootstrap(demo_port=PORT)
    assert not Provider.objects.filter(slug="voyage_ai").exists()


def test_workers_ai_waits_switched_off_for_its_account() -> None:
    assert not Provider.objects.get(slug="workers_ai").is_enabled


def test_workers_ai_is_completed_when_its_account_is_named_later(monkeypatch: pytest.MonkeyPatch) -> None:
    before = revision.read()
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
    load_bootstrap(demo_port=PORT)
    assert ACCOUNT in Provider.objects.get(slug="workers_ai", is_enabled=True).base_url
    assert revision.read().providers > before.providers


def test_providers_of_which_no_model_is_known_come_with_the_first_load_only() -> None:
    slugs = [entry.slug for entry in read_bootstrap().providers]
    assert Provider.objects.filter(slug__in=slugs).count() == len(slugs)
    Provider.objects.filter(slug="ollama").delete()
    load_bootstrap(demo_port=PORT)
    assert not Provider.objects.filter(slug="ollama").exists()


def test_server_of_ones_own_is_switched_off_and_needs_no_key() -> None:
    provider = Provider.objects.get(slug="ollama")
    assert not provider.is_enabled
    assert provider.credential.kind == Credential.Kind.NONE


def test_an_address_that_staff_completed_is_not_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    Provider.objects.filter(slug="workers_ai").update(base_url="https://workers.example/v1")
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
    load_bootstrap(demo_port=PORT)
    assert Provider.objects.get(slug="workers_ai").base_url == "https://workers.example/v1"
