"""What opens a provider never leaves for an address that it was not meant for, whoever wrote the row, and however."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from catalogue.bootstrap import loader
from catalogue.importing.rows import provider_row
from gateway import settings as gateway_settings
from providers import services
from providers.models import Credential, Provider
from providers.secrets import open_credential

pytestmark = pytest.mark.django_db
SECRET = "sk-canary-0123456789abcdef"
VENDOR, EVIL = "https://api.openai.com/v1", "https://evil.example/v1"
FORM = {
    "name": "OpenAI",
    "slug": "openai",
    "website": "",
    "wire_format": "openai",
    "is_enabled": "on",
    "is_probed": "on",
    **{f"{inline}-TOTAL_FORMS": "0" for inline in ("credential", "alarms", "probe_results")},
    **{f"{inline}-INITIAL_FORMS": "0" for inline in ("credential", "alarms", "probe_results")},
}


@pytest.fixture(autouse=True)
def _variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)


@pytest.fixture(params=["env", "stored"])
def openai(request: pytest.FixtureRequest) -> Provider:
    provider = Provider.objects.create(slug="openai", name="OpenAI", base_url=VENDOR)
    credential = Credential(provider=provider, kind="env", variable="OPENAI_API_KEY")
    if request.param == "env":
        services.save_credential(credential=credential)
    else:
        services.store_secret(credential=credential, secret=SECRET)
    assert services.provider_facts()[provider.pk].secret == SECRET
    return provider


def staff(client: Client, *permissions: str) -> Client:
    user = User.objects.create(username="editor", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def page_of(provider: Provider) -> str:
    return reverse("admin:providers_provider_change", args=[provider.pk])


def with_credential(provider: Provider, **fields: str) -> dict[str, str]:
    """The page's form with its credential, as somebody with rights to both sends it."""
    ids = {"id": str(provider.credential.pk), "provider": str(provider.pk), "is_enabled": "on", "secret": ""}
    inline = {"credential-TOTAL_FORMS": "1", "credential-INITIAL_FORMS": "1"}
    return FORM | inline | {f"credential-0-{name}": value for name, value in (ids | fields).items()}


def save(provider: Provider) -> None:
    provider.base_url = EVIL
    services.save_provider(provider=provider)


def save_past_the_service(provider: Provider) -> None:
    provider.base_url = EVIL
    provider.save()


def update(provider: Provider) -> None:
    Provider.objects.filter(pk=provider.pk).update(base_url=EVIL)


@pytest.mark.parametrize("move", [save, save_past_the_service, update])
def test_a_moved_provider_is_opened_by_nothing_that_opened_it_before(
    openai: Provider, move: Callable[[Provider], None]
) -> None:
    move(openai)
    facts = services.provider_facts()[openai.pk]
    assert (facts.base_url, facts.secret, facts.is_usable) == (EVIL, None, False)
    assert services.usable_provider_ids() == set()


def test_another_port_or_scheme_of_the_same_host_is_elsewhere_too(openai: Provider) -> None:
    for url in (
        "https://api.openai.com:8443/v1",
        "http://api.openai.com/v1",
        "https://api.openai.com.evil.example",
    ):
        update_to = Provider.objects.filter(pk=openai.pk)
        update_to.update(base_url=url)
        assert services.provider_facts()[openai.pk].secret is None
    update_to.update(base_url="https://API.openai.com:443/v2")
    assert services.provider_facts()[openai.pk].secret == SECRET


def test_staff_who_may_change_providers_only_do_not_get_the_credential_sent_to_them(
    client: Client, openai: Provider
) -> None:
    editor = staff(client, "view_provider", "change_provider")
    assert editor.post(page_of(openai), FORM | {"base_url": EVIL}).status_code == 302
    facts = services.provider_facts()[openai.pk]
    assert (facts.base_url, facts.secret) == (EVIL, None)


@pytest.mark.parametrize("tick", ["", "on"])
def test_staff_with_rights_to_credentials_bind_no_variable_to_a_host_of_theirs(
    client: Client, openai: Provider, tick: str
) -> None:
    editor = staff(client, "view_provider", "change_provider", "view_credential", "change_credential")
    entry = {"kind": "env", "variable": "OPENAI_API_KEY", "approves_origin": tick}
    response = editor.post(page_of(openai), with_credential(openai, **entry) | {"base_url": EVIL})
    assert "OPENAI_API_KEY may not be sent to https://evil.example" in response.text
    off = with_credential(openai, **entry, is_enabled="") | {"base_url": EVIL}
    editor.post(page_of(openai), off)
    on_again = with_credential(openai, **entry) | {"base_url": EVIL}
    editor.post(page_of(openai), on_again)
    assert services.provider_facts()[openai.pk].secret is None
    assert Credential.objects.get().approval == ""


def test_a_superusers_word_is_for_one_variable_at_one_origin(
    openai: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk_other")
    save(openai)
    credential = Credential.objects.get()
    credential.kind, credential.variable = "env", "OPENAI_API_KEY"
    services.save_credential(credential=credential, approves_origin=True)
    assert services.provider_facts()[openai.pk].secret == SECRET

    Credential.objects.update(variable="GROQ_API_KEY")
    assert services.provider_facts()[openai.pk].secret is None
    Credential.objects.update(variable="OPENAI_API_KEY")
    Provider.objects.update(base_url="https://evil2.example/v1")
    assert services.provider_facts()[openai.pk].secret is None


def test_a_superuser_who_saves_something_else_approves_nothing(client: Client, openai: Provider) -> None:
    update(openai)
    client.force_login(User.objects.create(username="root", is_staff=True, is_superuser=True))
    entry = with_credential(openai, kind="env", variable="OPENAI_API_KEY") | {"base_url": EVIL, "name": "New"}
    assert "may not be sent to" in client.post(page_of(openai), entry).text
    assert services.provider_facts()[openai.pk].secret is None


def test_an_import_binds_no_variable_to_an_address_of_its_own() -> None:
    class Entry:
        slug, name, website, base_url = "mine", "Mine", "", EVIL
        zero_retention = collects_data = None

    row: Any = provider_row(Entry())  # type: ignore[arg-type]
    row.save()
    Credential.objects.create(provider=row, kind="env", variable="OPENAI_API_KEY")
    assert services.provider_facts()[row.pk].secret is None


def test_an_upgrade_stops_no_provider_that_was_open_where_no_vendor_is() -> None:
    rows = [Provider.objects.create(slug=name, name=name, base_url=EVIL) for name in ("on", "off")]
    for row in rows:
        is_enabled = row.slug == "on"
        Credential.objects.create(provider=row, kind="env", variable="OPENAI_API_KEY", is_enabled=is_enabled)
    migration = import_module("providers.migrations.0003_bind_variables_to_origins")
    migration.approve_what_is_in_use(apps, None)
    Credential.objects.update(is_enabled=True)
    facts = services.provider_facts()
    assert [facts[row.pk].secret for row in rows] == [SECRET, None]


def test_every_provider_of_the_bootstrap_catalogue_may_be_sent_its_own_variable(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    environ = {"CLOUDFLARE_ACCOUNT_ID": "abc", "AZURE_OPENAI_RESOURCE": "Acme", "AWS_REGION": "eu-west-1"}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    settings.CREDENTIAL_ORIGINS = gateway_settings._credential_origins()
    loader.load_bootstrap(demo_port=4000)
    opened = Credential.objects.filter(kind="env").select_related("provider")
    problems = {row.variable: open_credential(row).problem for row in opened}
    assert len(problems) > 30
    assert problems.pop("OPENAI_API_KEY") == ""
    assert set(problems.values()) == {f"variable {name} is not set" for name in problems}
