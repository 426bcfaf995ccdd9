"""The bootstrap catalogue: how loading it treats what is there."""

from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalogue.bootstrap.loader import load_bootstrap
from catalogue.models import Alias, Model
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


@pytest.mark.django_db
def test_a_first_load_asks_in_bulk_and_a_second_one_hardly_at_all() -> None:
    with CaptureQueriesContext(connection) as first:
        load_bootstrap(demo_port=PORT)
    with CaptureQueriesContext(connection) as second:
        load_bootstrap(demo_port=PORT)
    assert len(first) < FIRST_LOAD_QUERIES_MOST
    assert len(second) < 30


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
def test_workers_ai_is_complete_when_its_account_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
    load_bootstrap(demo_port=PORT)
    provider = Provider.objects.get(slug="workers_ai")
    assert provider.is_enabled
    assert provider.base_url == f"https://api.cloudflare.com/client/v4/accounts/{ACCOUNT}/ai/v1"


@pytest.mark.django_db
def test_azure_is_complete_when_its_resource_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_RESOURCE", "our-resource")
    load_bootstrap(demo_port=PORT)
    provider = Provider.objects.get(slug="azure_openai")
    assert provider.is_enabled
    assert provider.base_url == "https://our-resource.openai.azure.com/openai/v1"
    assert provider.quirks == ["api_key_header", "no_reasoning_input", "speaks_responses"]


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
