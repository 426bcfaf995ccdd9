"""Staff add, probe and switch providers in the admin, and never see a secret again."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import revision, standings
from accounts.models import User
from gateway.core.store.interface import Limit, Standing
from providers import services
from providers.models import Credential, Provider, Quota
from providers.operations.registry import KNOWN_QUIRKS

SECRET = "gsk_canary_0123456789"
LIST, ADD = "/admin/providers/provider/", "/admin/providers/provider/add/"
FORM = {
    "name": "Groq",
    "slug": "groq",
    "website": "",
    "base_url": "https://groq.invalid/openai/v1",
    "wire_format": "openai",
    "is_enabled": "on",
    "is_probed": "on",
    "credential-TOTAL_FORMS": "1",
    "credential-INITIAL_FORMS": "0",
    "credential-0-kind": "stored",
    "credential-0-secret": SECRET,
    "credential-0-variable": "",
    "credential-0-is_enabled": "on",
    "quotas-TOTAL_FORMS": "0",
    "quotas-INITIAL_FORMS": "0",
    "incidents-TOTAL_FORMS": "0",
    "incidents-INITIAL_FORMS": "0",
    "health_events-TOTAL_FORMS": "0",
    "health_events-INITIAL_FORMS": "0",
    "alarms-TOTAL_FORMS": "0",
    "alarms-INITIAL_FORMS": "0",
    "probe_results-TOTAL_FORMS": "0",
    "probe_results-INITIAL_FORMS": "0",
}
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("credential_key")]


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create(username="editor", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def groq(staff: Client) -> Provider:
    staff.post(ADD, FORM)
    return Provider.objects.get(slug="groq")


def page(provider: Provider) -> str:
    return f"{LIST}{provider.pk}/change/"


def change(staff: Client, provider: Provider, **fields: str | list[str]) -> Any:
    """Post the page as it is, with some fields changed; `credential_x` is a field of the credential."""
    ids = {"credential-INITIAL_FORMS": "1", "credential-0-secret": ""}
    ids |= {"credential-0-id": str(provider.credential.pk), "credential-0-provider": str(provider.pk)}
    changed = {name.replace("credential_", "credential-0-", 1): value for name, value in fields.items()}
    return staff.post(page(provider), FORM | ids | changed)


def run(staff: Client, action: str, *providers: Provider) -> str:
    """The page after an action on the list."""
    data = {"action": action, "_selected_action": [provider.pk for provider in providers]}
    return staff.post(LIST, data, follow=True).content.decode()


def errors_of(response: Any) -> dict[str, list[str]]:
    """Field → messages, of the page and of its credential."""
    forms = [response.context["adminform"].form, *response.context["inline_admin_formsets"][0].forms]
    return {name: list(messages) for form in forms for name, messages in form.errors.items()}


def test_added_provider_is_usable(groq: Provider) -> None:
    facts = services.provider_facts()[groq.pk]
    assert (facts.secret, facts.is_callable, facts.quirks) == (SECRET, True, frozenset())


@pytest.mark.parametrize("name", ["Groq\r\nBcc: all@gateway.example", "Groq\x1b[2J", "Groq\u202e"])
def test_name_of_more_than_one_line_is_refused_where_it_is_typed(staff: Client, name: str) -> None:
    assert errors_of(staff.post(ADD, FORM | {"name": name})) == {
        "name": ["One line without control characters, please."]
    }
    assert not Provider.objects.exists()


def test_adding_bumps_the_revision(staff: Client) -> None:
    staff.post(ADD, FORM)
    assert revision.read().providers == revision.read().number > 0


def test_secret_is_on_no_page(staff: Client, groq: Provider) -> None:
    change(staff, groq, credential_secret=SECRET + "2")
    pages = [page(groq), LIST, f"{LIST}{groq.pk}/history/", "/admin/"]
    assert not any(SECRET[:12] in staff.get(url).content.decode() for url in pages)


def test_refused_form_does_not_show_the_typed_secret(staff: Client) -> None:
    response = staff.post(ADD, FORM | {"slug": "not a slug"})
    assert "slug" in errors_of(response)
    assert SECRET[:12] not in response.content.decode()


def test_history_tells_of_the_change_but_not_the_secret(staff: Client, groq: Provider) -> None:
    change(staff, groq, credential_secret=SECRET + "2")
    told = [entry.change_message + entry.object_repr for entry in LogEntry.objects.all()]
    assert len(told) == 2
    assert SECRET[:12] not in "".join(told)


def test_page_tells_of_alarms_with_what_the_provider_said(staff: Client, groq: Provider) -> None:
    at = timezone.now()
    for name, cleared_at in (("", None), ("one-model", at)):
        groq.alarms.create(
            code="provider_auth_error",
            status=403,
            message="It said: not for you.",
            calls=17,
            upstream_name=name,
            began_at=at,
            last_at=at,
            cleared_at=cleared_at,
        )
    text = staff.get(page(groq)).text
    for told in ("It said: not for you.", "17", "all models", "one-model", "over"):
        assert told in text


def test_page_says_that_a_secret_is_stored(staff: Client, groq: Provider) -> None:
    text = staff.get(page(groq)).content.decode()
    assert 'placeholder="stored; type to replace"' in text
    assert 'type="password"' in text


def test_saving_without_typing_keeps_the_secret(staff: Client, groq: Provider) -> None:
    assert change(staff, groq, name="Groq Cloud").status_code == 302
    facts = services.provider_facts()[groq.pk]
    assert (facts.name, facts.secret) == ("Groq Cloud", SECRET)


def test_new_host_asks_for_the_secret_again(staff: Client, groq: Provider) -> None:
    response = change(staff, groq, base_url="https://elsewhere.invalid/v1")
    assert "type the secret again" in errors_of(response)["secret"][0]
    assert Provider.objects.get().base_url == FORM["base_url"]


def test_new_host_with_its_secret_is_saved(staff: Client, groq: Provider) -> None:
    change(staff, groq, base_url="https://elsewhere.invalid/v1", credential_secret="other")
    facts = services.provider_facts()[groq.pk]
    assert (facts.base_url, facts.secret) == ("https://elsewhere.invalid/v1", "other")


def test_new_path_does_not_ask_again(staff: Client, groq: Provider) -> None:
    change(staff, groq, base_url="https://groq.invalid/openai/v2/")
    assert services.provider_facts()[groq.pk].secret == SECRET


VARIABLE = {"credential_kind": "env", "credential_variable": "GROQ_API_KEY"}


def test_a_variable_is_saved_for_an_address_that_settings_name(
    staff: Client, groq: Provider, settings: Any
) -> None:
    settings.CREDENTIAL_ORIGINS = {"GROQ_API_KEY": {"https://groq.invalid"}}
    assert change(staff, groq, **VARIABLE).status_code == 302
    assert "https://groq.invalid" in staff.get(page(groq)).text


def test_a_variable_for_another_address_waits_for_the_tick_of_a_superuser(
    staff: Client, groq: Provider
) -> None:
    refused = errors_of(change(staff, groq, **VARIABLE))["variable"][0]
    assert refused.startswith(
        "GROQ_API_KEY may not be sent to https://groq.invalid, only to https://api.groq.com"
    )
    assert change(staff, groq, **VARIABLE, credential_approves_origin="on").status_code == 302
    assert "https://groq.invalid by a superuser&#x27;s word" in staff.get(page(groq)).text


def test_a_variable_for_another_address_is_saved_switched_off(staff: Client, groq: Provider) -> None:
    assert change(staff, groq, **VARIABLE, credential_is_enabled="").status_code == 302


def test_stored_credential_needs_a_secret(staff: Client) -> None:
    assert "secret" in errors_of(staff.post(ADD, FORM | {"credential-0-secret": ""}))


def test_secret_beside_another_kind_is_refused(staff: Client) -> None:
    assert "secret" in errors_of(staff.post(ADD, FORM | {"credential-0-kind": "none"}))


@pytest.mark.parametrize(
    ("field", "value", "at"),
    [
        ("base_url", "https://10.0.0.1/v1", "base_url"),
        ("wire_format", "soap", "wire_format"),
        ("like", "no_such_vendor", "like"),
        ("also", "no_such_quirk", "also"),
        ("lacks", "no_such_quirk", "lacks"),
        ("credential-0-secret", "two words", "secret"),
    ],
)
def test_invalid_entry_is_refused_at_its_field(staff: Client, field: str, value: str, at: str) -> None:
    assert list(errors_of(staff.post(ADD, FORM | {field: value}))) == [at]


def test_unknown_variable_is_refused_naming_the_allowed(staff: Client) -> None:
    entry = {"credential-0-kind": "env", "credential-0-variable": "HOME", "credential-0-secret": ""}
    assert "GROQ_API_KEY" in errors_of(staff.post(ADD, FORM | entry))["variable"][0]


@pytest.mark.parametrize(
    ("said", "quirks"),
    [
        ({"also": ["no_stream_options"]}, ["no_stream_options"]),
        ({"like": "openai"}, ["no_reasoning_input", "speaks_responses"]),
        ({"like": "openai", "lacks": ["speaks_responses"]}, ["no_reasoning_input"]),
        (
            {"like": "groq", "also": ["think_tags"], "lacks": ["reasoning_input"]},
            ["think_tags"],
        ),
    ],
)
def test_quirks_are_those_of_a_vendor_and_exceptions(
    staff: Client, said: dict[str, Any], quirks: list[str]
) -> None:
    staff.post(ADD, FORM | said)
    assert Provider.objects.get().quirks == quirks


@pytest.mark.parametrize(
    "quirks", [[], ["speaks_responses"], ["reasoning_input", "think_tags"], sorted(KNOWN_QUIRKS)]
)
def test_page_that_is_saved_unchanged_keeps_the_quirks(
    staff: Client, groq: Provider, quirks: list[str]
) -> None:
    Provider.objects.update(quirks=quirks)
    form = staff.get(page(groq)).context["adminform"].form
    said = {name: form.initial[name] for name in ("like", "also", "lacks")}
    assert change(staff, groq, **said).status_code == 302
    groq.refresh_from_db()
    assert sorted(groq.quirks) == sorted(quirks)


def test_refused_destination_of_a_variable_is_the_only_complaint(staff: Client) -> None:
    entry = {"credential-0-kind": "env", "credential-0-variable": "GROQ_API_KEY", "credential-0-secret": ""}
    refused = errors_of(staff.post(ADD, FORM | entry | {"base_url": "https://groq.invalid/v1"}))
    assert [message.partition(",")[0] for message in refused["variable"]] == [
        "GROQ_API_KEY may not be sent to https://groq.invalid"
    ]


def test_base_url_of_a_demo_provider_cannot_be_edited(staff: Client) -> None:
    services.ensure_demo_providers(4000)
    demo = Provider.objects.get(slug="demo-a")
    fields = {"slug": "demo-a", "base_url": "http://127.0.0.1:4000/other", "credential_kind": "none"}
    assert change(staff, demo, **fields).status_code == 302
    demo.refresh_from_db()
    assert demo.base_url == "http://127.0.0.1:4000/demo-a/v1"


def test_list_says_why_a_provider_is_not_usable(staff: Client, groq: Provider) -> None:
    Credential.objects.update(kind="env", variable="GROQ_API_KEY")
    assert "variable GROQ_API_KEY may not be sent to https://groq.invalid" in staff.get(LIST).text
    Provider.objects.update(base_url="https://api.groq.com/openai/v1")
    assert "variable GROQ_API_KEY is not set" in staff.get(LIST).text


@pytest.mark.parametrize("url", [LIST, "page"])
def test_chips_are_chips_and_not_their_source(staff: Client, groq: Provider, url: str) -> None:
    make_probes(groq, 1)
    assert "&lt;span" not in staff.get(page(groq) if url == "page" else url).content.decode()


def test_name_of_a_provider_is_escaped(staff: Client, groq: Provider) -> None:
    change(staff, groq, name="<script>alert(1)</script>")
    assert not any("<script>alert" in staff.get(url).content.decode() for url in (LIST, page(groq)))


def queries(staff: Client, url: str) -> int:
    """At a second look: content types and the like are read once a process."""
    staff.get(url)
    with CaptureQueriesContext(connection) as captured:
        staff.get(url)
        return len(captured)


def test_list_costs_as_many_queries_for_ten_providers_as_for_one(staff: Client, groq: Provider) -> None:
    one = queries(staff, LIST)
    for number in range(9):
        staff.post(ADD, FORM | {"slug": f"p{number}"})
    assert queries(staff, LIST) == one <= 8


def test_page_costs_as_many_queries_with_many_probes(staff: Client, groq: Provider) -> None:
    make_probes(groq, 1)
    # The first pages of all ask what is kept for later ones.
    for _ in range(2):
        staff.get(page(groq))
    few = queries(staff, page(groq))
    make_probes(groq, 30)
    assert queries(staff, page(groq)) == few <= 16


def test_page_shows_the_last_ten_probes(staff: Client, groq: Provider) -> None:
    make_probes(groq, 15)
    text = staff.get(page(groq)).content.decode()
    assert sum(f"found {number}." in text for number in range(15)) == 10
    assert "found 14." in text


def make_probes(provider: Provider, count: int) -> None:
    for number in range(count):
        provider.probe_results.create(at=timezone.now(), is_healthy=False, error=f"found {number}.")


def test_switching_off_in_the_list_stops_calls(staff: Client, groq: Provider) -> None:
    text = run(staff, "switch_off", groq)
    assert "Groq takes no new calls" in text
    assert not services.provider_facts()[groq.pk].is_enabled


def test_switching_on_in_the_list_lets_calls_through(staff: Client, groq: Provider) -> None:
    run(staff, "switch_off", groq)
    run(staff, "switch_on", groq)
    assert services.provider_facts()[groq.pk].is_enabled


def test_switching_is_in_the_history(staff: Client, groq: Provider) -> None:
    run(staff, "switch_off", groq)
    assert LogEntry.objects.filter(change_message="Switched off.").count() == 1


def test_deleting_in_the_list_bumps_the_revision(staff: Client, groq: Provider) -> None:
    before = revision.read().providers
    staff.post(LIST, {"action": "delete_selected", "_selected_action": [groq.pk], "post": "yes"})
    assert not Provider.objects.exists()
    assert revision.read().providers > before


def test_probing_in_the_list_shows_what_each_said(staff: Client, demo_port: int) -> None:
    services.ensure_demo_providers(demo_port)
    text = run(staff, "probe_now", *Provider.objects.all())
    assert "Demo A: healthy, answered in" in text
    assert set(Provider.objects.values_list("health", flat=True)) == {"healthy"}


def test_provider_without_a_model_list_is_said_to_be_unknown(staff: Client) -> None:
    staff.post(ADD, FORM | {"wire_format": "voyage"})
    assert "Groq: unknown. Its wire format has no model list" in run(
        staff, "probe_now", Provider.objects.get()
    )


def test_probe_that_fails_says_why(staff: Client) -> None:
    services.ensure_demo_providers(1)
    assert "Demo A: nothing listens there." in run(staff, "probe_now", Provider.objects.get(slug="demo-a"))


def test_page_saves_and_probes_at_once(
    staff: Client, demo_port: int, django_capture_on_commit_callbacks: Any
) -> None:
    services.ensure_demo_providers(demo_port)
    demo = Provider.objects.get(slug="demo-a")
    button = {"providers_provider_save_and_probe": "", "slug": "demo-a", "credential_kind": "none"}
    with django_capture_on_commit_callbacks(execute=True):
        assert change(staff, demo, **button).url == page(demo)
    assert demo.probe_results.get().is_healthy


def test_page_has_the_button_that_probes(staff: Client, groq: Provider) -> None:
    assert "Save and test" in staff.get(page(groq)).content.decode()


def test_staff_who_may_only_look_change_nothing(client: Client, groq: Provider) -> None:
    reader = User.objects.create(username="reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_provider"))
    client.force_login(reader)
    assert change(client, groq, name="Other").status_code == 403
    run(client, "switch_off", groq)
    assert Provider.objects.get().is_enabled


def quota(unit: str, window: str, amount: str) -> dict[str, str]:
    fields = {"unit": unit, "window": window, "amount": amount}
    return {"quotas-TOTAL_FORMS": "1"} | {f"quotas-0-{name}": value for name, value in fields.items()}


def test_quota_is_kept_and_goes_with_the_provider_s_facts(staff: Client, groq: Provider) -> None:
    before = revision.read().providers
    change(staff, groq, **quota("tokens", "minute", "250000"))
    limit = Limit(f"provider:{groq.pk}", "tokens", 250_000, 60)
    assert services.provider_facts()[groq.pk].quotas == (limit,)
    assert revision.read().providers > before


def test_page_tells_what_is_left_of_a_quota_now(
    staff: Client, groq: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Plane(standings.Nobody):
        def standings(self, limits: Sequence[Limit]) -> Sequence[Standing]:
            return [Standing(limit, 1_041, 19.0) for limit in limits]

    change(staff, groq, **quota("tokens", "minute", "250000"))
    address = f"/admin/providers/provider/{groq.pk}/change/"
    assert "of 250,000" not in staff.get(address).text
    monkeypatch.setattr(standings.here, "reader", Plane())
    assert "1,041 of 250,000" in staff.get(address).text


def test_quota_of_calls_at_once_has_no_window_whatever_stands_beside_it(
    staff: Client, groq: Provider
) -> None:
    change(staff, groq, **quota("concurrency", "minute", "8"))
    assert Quota.objects.get().window == "none"


@pytest.mark.parametrize(
    ("unit", "window", "amount"),
    [("tokens", "none", "5"), ("tokens", "minute", "0"), ("concurrency", "none", "1000001")],
)
def test_quota_that_cannot_be_is_refused(
    staff: Client, groq: Provider, unit: str, window: str, amount: str
) -> None:
    assert change(staff, groq, **quota(unit, window, amount)).status_code == 200
    assert not Quota.objects.exists()


def test_quotas_of_all_providers_are_read_at_once(groq: Provider, django_assert_num_queries: Any) -> None:
    Quota.objects.create(provider=groq, unit="requests", window="day", amount=5)
    with django_assert_num_queries(2):
        services.provider_facts()


def test_quota_is_told_in_the_history_of_its_provider(staff: Client, groq: Provider) -> None:
    change(staff, groq, **quota("requests", "day", "14400"))
    assert "14400" in staff.get(f"{LIST}{groq.pk}/history/").content.decode()
