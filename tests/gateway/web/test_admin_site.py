"""The admin's frame and front page."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import models
from django.test import Client, override_settings
from django.test.client import RequestFactory
from django.urls import reverse
from django.utils import timezone

from catalogue.models import Edition, Model
from gateway.web import admin_site
from providers.models import Provider
from tests.make import make_entry, make_key, make_model, make_provider, make_published, make_staff, make_user

pytestmark = pytest.mark.django_db

QueryLimit = Callable[[int], AbstractContextManager[object]]


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def test_empty_gateway_is_told_the_way_to_its_first_call(staff: Client) -> None:
    page = staff.get("/admin/").text
    for text in (
        "Nothing is published yet",
        "Before the first call",
        "Clients see no model",
        "No call can go anywhere",
    ):
        assert text in page


def test_front_page_says_what_is_live(staff: Client) -> None:
    make_published("acme/one")
    page = staff.get("/admin/").text
    assert "<span>Models listed</span><b>1</b>" in page
    assert "Live: edition" in page


def test_every_page_says_what_is_live(staff: Client) -> None:
    make_published("acme/one")
    for address in ("/admin/catalogue/model/", "/admin/catalogue/model/add/", "/admin/accounts/team/"):
        assert "Live: edition" in staff.get(address).text


def test_what_is_live_costs_two_queries(django_assert_max_num_queries: QueryLimit) -> None:
    request = RequestFactory().get("/admin/")
    request.user = make_staff()
    with django_assert_max_num_queries(2):
        str(admin_site.live_line(request))


@pytest.mark.parametrize(
    ("right", "seen"),
    [
        ("", set()),
        ("view_model", {"Models listed", "quarantined"}),
        ("view_provider", {"Usable providers", "refuses us"}),
        ("view_ledgerentry", {"Calls in 24 hours", "Charged in 24 hours"}),
    ],
)
def test_overview_tells_each_only_what_they_may_see(client: Client, right: str, seen: set[str]) -> None:
    make_model("acme/bad")
    Model.objects.update(quarantine_reason="Its price is missing.")
    at = timezone.now()
    make_provider("acme").alarms.create(code="provider_auth_error", message="No.", began_at=at, last_at=at)
    person = make_user("narrow", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename=right))
    client.force_login(person)
    page = client.get("/admin/").text
    parts = {
        "Models listed",
        "quarantined",
        "Usable providers",
        "refuses us",
        "Calls in 24 hours",
        "Charged in 24 hours",
    }
    assert {part for part in parts if part in page} == seen


def test_model_that_could_not_be_published_is_named(staff: Client) -> None:
    make_model("acme/bad")
    Model.objects.update(quarantine_reason="Its price is missing.")
    page = staff.get("/admin/").text
    assert "1 model quarantined" in page
    assert "acme/bad</a>: Its price is missing." in page


def test_unhealthy_provider_is_named(staff: Client) -> None:
    make_provider("groq", health=Provider.Health.UNHEALTHY)
    assert "Groq</a>: probes fail" in staff.get("/admin/").text


def test_provider_that_refuses_us_is_named_with_what_it_said(staff: Client) -> None:
    at = timezone.now()
    alarm = {"code": "provider_auth_error", "began_at": at, "last_at": at, "message": "It said: wrong key."}
    make_provider("groq").alarms.create(calls=2, **alarm)
    make_provider("other").alarms.create(upstream_name="big-one", calls=1, cleared_at=at, **alarm)
    page = staff.get("/admin/").text
    assert "Groq</a>, first" in page
    assert "2 calls: It said: wrong key." in page
    assert "big-one" not in page


def test_providers_are_counted_by_whether_calls_can_go_there() -> None:
    make_provider(health=Provider.Health.HEALTHY)
    make_provider(health=Provider.Health.UNHEALTHY)
    make_provider()
    make_provider(has_credential=False)
    counts = admin_site.count_providers(list(Provider.objects.with_credential()))
    assert counts == admin_site.ProviderCounts(healthy=1, unhealthy=1, unprobed=1, without_access=1)
    assert counts.routable == 3


def test_call_that_went_on_to_another_offering_counts_once() -> None:
    key, _ = make_key()
    make_entry(key, "failed_over", loss_usd=Decimal("0.02"))
    make_entry(key, cost_usd=Decimal("0.5"))
    day = admin_site.read_day(timezone.now())
    assert (day.calls, day.spend_usd, day.loss_usd) == (1, Decimal("0.5"), Decimal("0.02"))


def test_staff_without_any_right_see_no_spend_anywhere(client: Client) -> None:
    model = make_published("acme/one")
    key, _ = make_key(name="billing")
    entry = make_entry(key, cost_usd=Decimal("77.77"), loss_usd=Decimal("33.33"))
    rows = [model, model.offerings.get().provider, key, key.team, entry, Edition.objects.get()]
    pages = [
        *(
            reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
            for row in rows
        ),
        *(reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_changelist") for row in rows),
        *("/admin/", "/admin/accounts/ledgerentry/export.csv", "/admin/search/?s=billing&extended=1"),
        *("/keys", f"/keys/{key.public_id}", f"/keys/{key.public_id}/revoke", "/password"),
        *("/models", "/models/acme/one", "/compare?id=acme/one"),
    ]
    client.force_login(make_staff())
    seen_by_boss = client.get("/admin/").text
    assert "$77.77" in seen_by_boss
    assert "No rights yet" not in seen_by_boss
    client.force_login(make_user("newcomer", is_staff=True))
    assert "No rights yet" in client.get("/admin/").text
    for page in pages:
        text = client.get(page).text
        assert "77.77" not in text, page
        assert "33.33" not in text, page


def test_navigation_holds_what_the_person_may_see(client: Client) -> None:
    person = make_user("reader", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_model"))
    client.force_login(person)
    page = client.get("/admin/").text
    assert "/admin/catalogue/model/" in page
    assert "/admin/accounts/key/" not in page


@override_settings(DEBUG=True)
def test_debugging_is_announced_on_every_page(staff: Client) -> None:
    assert ">Debug</span>" in staff.get("/admin/").text


def test_empty_list_says_what_would_stand_there(staff: Client) -> None:
    assert "Every call that a provider sees leaves one row" in staff.get("/admin/accounts/ledgerentry/").text
    assert "Nothing matches" in staff.get("/admin/catalogue/model/?q=nowhere").text


def test_id_keeps_its_small_letter_in_the_title_of_its_page(staff: Client) -> None:
    model = make_model("openai/gpt-4o")
    assert ">openai/gpt-4o</a>" in staff.get(f"/admin/catalogue/model/{model.pk}/change/").text


def test_sign_in_asks_the_database_for_identity_providers_alone(
    client: Client, django_assert_max_num_queries: QueryLimit
) -> None:
    with django_assert_max_num_queries(1):
        assert "Gatehouse" in client.get("/admin/login/", follow=True).text


def choosers() -> Iterator[tuple[type[models.Model], str]]:
    """Every field of the admin that is chosen by typing."""
    for model, page in admin.site._registry.items():
        for of, fields in [(model, page.autocomplete_fields)] + [
            (inline.model, inline.autocomplete_fields) for inline in page.inlines
        ]:
            yield from ((of, name) for name in fields)


@pytest.mark.parametrize(
    ("of", "name"), [pytest.param(*each, id=f"{each[0].__name__}.{each[1]}") for each in choosers()]
)
def test_what_a_chooser_asks_for_is_answered(admin_client: Client, of: type[models.Model], name: str) -> None:
    asked = {"app_label": of._meta.app_label, "model_name": of._meta.model_name, "field_name": name}
    for term in ("", "nobody is called so"):
        answer = admin_client.get("/admin/autocomplete/", asked | {"term": term})
        assert answer.status_code == 200
    assert answer.json()["results"] == []


@pytest.mark.parametrize(("rights", "is_linked"), [(["view_key"], False), (["view_key", "view_team"], True)])
def test_relation_to_look_at_is_a_link_for_those_who_may_follow_it(
    client: Client, rights: list[str], is_linked: bool
) -> None:
    key, _ = make_key()
    reader = make_user("reader", is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(reader)
    page = client.get(f"/admin/accounts/key/{key.pk}/change/").text
    assert str(key.team) in page
    assert (f'href="/admin/accounts/team/{key.team_id}/change/"' in page) == is_linked
