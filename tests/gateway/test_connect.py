"""The page on which a provider is connected: tested before it is saved, and what can be called since."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from catalogue.models import Model, Offering
from providers import local_servers, services
from providers.models import Credential, Provider
from tests.make import (
    make_model,
    make_offering,
    make_price,
    make_provider,
    make_staff,
    make_user,
    publish_all,
)
from tests.services import free_port
from tests.upstream import ScriptedProvider

PAGE = "/admin/connect/"
SECRET = "sk-canary-0123456789"
RIGHTS = ["add_provider", "change_provider", "add_credential", "change_credential"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_world")]


@pytest.fixture
def without_world(settings: Any) -> None:
    settings.PRIVATE_ADDRESSES_ALLOWED = []
    settings.LOCAL_SERVERS_ALLOWED = True


@pytest.fixture
def server() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def superuser(client: Client) -> Client:
    client.force_login(make_staff())
    return client


@pytest.fixture
def editor(client: Client) -> Client:
    """Who may connect providers, and is no superuser."""
    person = make_user("editor", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=RIGHTS))
    client.force_login(person)
    return client


def connect_own(client: Client, address: str, **fields: str) -> Any:
    form = {"act": "own", "own-address": address, "own-wire_format": "openai"}
    return client.post(PAGE, form | {f"own-{name}": value for name, value in fields.items()}, follow=True)


def connect_listed(client: Client, provider: Provider, secret: str = SECRET) -> Any:
    form = {"act": "listed", "listed-provider": str(provider.pk), "listed-secret": secret}
    return client.post(PAGE, form, follow=True)


def listed_at(server: ScriptedProvider, settings: Any) -> Provider:
    """A provider of the catalogue that leads to the server, with a model, and nothing that opens it."""
    settings.PRIVATE_ADDRESSES_ALLOWED = [server.address]
    provider = make_provider("groq", base_url=server.base_url, has_credential=False)
    offering = make_offering(make_model("acme/one"), provider, upstream_name="scripted-model")
    make_price(offering)
    publish_all()
    return provider


def test_key_of_a_listed_provider_opens_its_models(
    superuser: Client, server: ScriptedProvider, settings: Any
) -> None:
    provider = listed_at(server, settings)
    page = connect_listed(superuser, provider).text
    assert "<h1>1 model can be called now</h1>" in page
    assert '<a href="/models/acme/one">acme/one</a>' in page
    assert services.provider_facts()[provider.pk].secret == SECRET


def test_page_after_it_shows_a_call_to_paste(
    superuser: Client, server: ScriptedProvider, settings: Any
) -> None:
    page = connect_listed(superuser, listed_at(server, settings)).text
    assert "curl http://testserver/v1/chat/completions" in page
    assert "Bearer $GATEWAY_KEY" in page
    assert "export GATEWAY_KEY=" in page


def test_refused_key_is_not_saved(superuser: Client, server: ScriptedProvider, settings: Any) -> None:
    provider = listed_at(server, settings)
    server.list_behaviour = "401"
    answer = connect_listed(superuser, provider)
    assert "refuses this key (401)" in answer.text
    assert SECRET not in answer.text
    assert not Credential.objects.exists()


def test_list_that_everybody_may_see_proves_no_key(
    superuser: Client, server: ScriptedProvider, settings: Any
) -> None:
    page = connect_listed(superuser, listed_at(server, settings)).text
    assert "it does so for everybody. The first call tests the key itself." in page


def test_models_that_the_list_lacks_are_named(
    superuser: Client, server: ScriptedProvider, settings: Any
) -> None:
    server.models = ["another"]
    page = connect_listed(superuser, listed_at(server, settings)).text
    assert "Not on its list" in page
    assert "<details><summary>1 name</summary>" in page


def test_server_of_ones_own_is_added_with_its_models_in_one_act(
    superuser: Client, server: ScriptedProvider
) -> None:
    server.models = ["llama3.2:latest", "nomic-embed-text"]
    page = connect_own(superuser, server.address, is_allowed="on", adds_models="on", name="My box").text
    assert "<h1>2 models can be called now</h1>" in page
    assert set(Model.objects.values_list("public_id", flat=True)) == {
        "my-box/llama3.2:latest",
        "my-box/nomic-embed-text",
    }


def test_without_the_tick_its_models_wait_for_a_button(superuser: Client, server: ScriptedProvider) -> None:
    answer = connect_own(superuser, server.address, is_allowed="on")
    assert not Model.objects.exists()
    assert "Add it</button>" in answer.text
    page = superuser.post(answer.redirect_chain[0][0], follow=True).text
    assert "<h1>1 model can be called now</h1>" in page


def test_what_the_catalogue_knows_is_offered_there_too_as_the_last_choice(
    superuser: Client, server: ScriptedProvider
) -> None:
    make_offering(make_model("openai/gpt-oss-20b", aliases=["gpt-oss-20b"]), position=3)
    server.models = ["gpt-oss:20b"]
    page = connect_own(superuser, server.address, is_allowed="on", adds_models="on").text
    assert "offered here too, as the last choice: openai/gpt-oss-20b" in page
    assert Offering.objects.get(upstream_name="gpt-oss:20b").position == 4


def test_superuser_is_asked_before_an_address_of_this_machine_is_called(
    superuser: Client, server: ScriptedProvider
) -> None:
    page = connect_own(superuser, server.address).text
    assert "is a private or reserved address" in page
    assert "allow it below and test again" in page
    assert 'name="own-is_allowed"' in page
    assert not server.log


def test_allowed_address_is_one_host_and_port(superuser: Client, server: ScriptedProvider) -> None:
    connect_own(superuser, server.address, is_allowed="on")
    policy = services.outbound_policy()
    assert policy.url_refusal(server.base_url) is None
    assert policy.url_refusal(f"http://127.0.0.1:{server.port + 1}/v1") is not None


def test_allowed_address_goes_with_the_row_that_moves(superuser: Client, server: ScriptedProvider) -> None:
    connect_own(superuser, server.address, is_allowed="on")
    provider = Provider.objects.get()
    provider.base_url = "https://elsewhere.example/v1"
    services.save_provider(provider=provider)
    assert services.outbound_policy().url_refusal(server.base_url) is not None


def test_word_of_a_superuser_counts_only_where_settings_let_it(
    superuser: Client, server: ScriptedProvider, settings: Any
) -> None:
    connect_own(superuser, server.address, is_allowed="on")
    settings.LOCAL_SERVERS_ALLOWED = False
    assert services.outbound_policy().url_refusal(server.base_url) is not None


@pytest.mark.parametrize("address", ["10.0.0.7:8000", "192.168.1.20", "169.254.169.254", "metadata.internal"])
def test_no_word_of_a_superuser_opens_other_machines(superuser: Client, address: str) -> None:
    page = connect_own(superuser, f"http://{address}/v1", is_allowed="on").text
    assert "GATEWAY_ALLOW_PRIVATE=&quot;" in page
    Provider(slug="x", name="x", local_address=f"{address}:80").save()
    assert services.outbound_policy().url_refusal(f"http://{address}/v1") is not None


def test_who_is_no_superuser_is_told_which_setting_allows_it(
    editor: Client, server: ScriptedProvider
) -> None:
    page = connect_own(editor, server.address, is_allowed="on").text
    assert f"GATEWAY_ALLOW_PRIVATE=&quot;{server.address}&quot;" in page
    assert not server.log


@pytest.mark.parametrize("right", RIGHTS)
def test_each_right_is_needed(client: Client, right: str) -> None:
    person = make_user("narrow", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=set(RIGHTS) - {right}))
    client.force_login(person)
    assert client.get(PAGE).status_code == 403
    assert client.get(f"{PAGE}1/").status_code == 403


def test_who_may_not_add_models_adds_none(editor: Client, server: ScriptedProvider, settings: Any) -> None:
    settings.PRIVATE_ADDRESSES_ALLOWED = [server.address]
    answer = connect_own(editor, server.address, adds_models="on")
    assert "is connected, and has no model yet" in answer.text
    assert editor.post(answer.redirect_chain[0][0]).status_code == 403
    assert not Model.objects.exists()


def test_strangers_are_sent_to_sign_in(client: Client) -> None:
    assert client.get(PAGE).status_code == 302


def test_address_that_has_a_row_already_gets_no_second_one(
    superuser: Client, server: ScriptedProvider
) -> None:
    make_provider("ollama", base_url=server.base_url, is_enabled=False)
    connect_own(superuser, server.address, is_allowed="on")
    assert Provider.objects.get().is_enabled


def test_credential_of_a_provider_stays_where_its_list_is_open_to_everybody(
    superuser: Client, server: ScriptedProvider, settings: Any
) -> None:
    provider = listed_at(server, settings)
    connect_listed(superuser, provider)
    connect_own(superuser, server.base_url)
    assert services.provider_facts()[provider.pk].secret == SECRET


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("no such thing", "may not contain blanks"),
        ("https://müller.example/v1", "in its xn-- form"),
        ("https://user:pass@models.example/v1", "may not hold a user name"),
        ("http://models.example/v1", "must begin with https://"),
        ("https://[/v1", "This is not"),
    ],
)
def test_what_is_no_address_is_refused_at_its_field(superuser: Client, address: str, told: str) -> None:
    answer = connect_own(superuser, address)
    assert told in " ".join(answer.context["own"].errors["address"])


def test_servers_on_this_machine_are_found_when_asked_for(
    superuser: Client, server: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_servers, "PORTS", {server.port: "Ollama", free_port(): "vLLM"})
    monkeypatch.setattr(local_servers, "ALL_OPEN", local_servers.OutboundPolicy(frozenset({server.address})))
    assert "Allow and connect" not in superuser.get(PAGE).text
    assert not server.log
    page = superuser.post(PAGE, {"act": "find"}).text
    assert f"<b>Ollama</b> at {server.address} lists 1 model: scripted-model" in page
    assert page.count("Allow and connect") == 1


def test_overview_leads_there_while_only_the_demo_can_be_called(superuser: Client) -> None:
    make_provider("demo-a", is_demo=True)
    assert "Connect your first provider" in superuser.get("/admin/").text
    make_provider("groq")
    assert "Connect your first provider" not in superuser.get("/admin/").text


def test_staff_are_led_there_from_models_that_nothing_opens(superuser: Client) -> None:
    make_offering(make_model("acme/one"), make_provider("groq", has_credential=False))
    publish_all()
    for address in ("/models", "/models/acme/one", "/admin/providers/provider/"):
        assert 'href="/admin/connect/"' in superuser.get(address).text
    assert 'href="/admin/connect/"' not in Client().get("/models").text
