"""The audit: who changed what, from what to what, and what it never tells."""

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts import services
from accounts.audit import record_run
from accounts.auditing.receivers import read_receivers
from accounts.models import AuditEntry, AuditReceiver, Key, Membership, Team, User
from catalogue.models import Model, Offering, Price
from catalogue.services import delete_models, set_price, switch_offerings
from gateway.core.audit_context import AuditContext, who
from providers.models import Credential, Provider
from providers.services import save_provider, store_secret, switch_provider
from tests.make import (
    make_entry,
    make_key,
    make_model,
    make_offering,
    make_price,
    make_provider,
    make_published,
    make_staff,
    make_team,
    make_user,
    publish_all,
)

pytestmark = pytest.mark.django_db

SECRET = "sk-upstream-secret"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff("ada"))
    return client


def last(model: type) -> AuditEntry:
    return AuditEntry.objects.filter(content_type__model=model.__name__.lower())[0]


def everything_told() -> str:
    return json.dumps(list(AuditEntry.objects.values_list("changes", "object_repr")))


def test_change_is_told_with_before_and_after() -> None:
    model = make_model(name="One")
    model.name = "Uno"
    model.save()
    entry = last(Model)
    assert (entry.changes, entry.page) == ({"name": ["One", "Uno"]}, f"catalogue.model/{model.pk}")


def test_person_who_saved_in_the_admin_is_named(staff: Client) -> None:
    team = make_team(name="Old")
    values = {"name": "New", "slug": team.slug, "is_active": "on", "lifecycle_policy": "advise"}
    values |= {
        "keeps_responses": "on",
        "allows_free_projects": "on",
        "charge_factor": "1",
        "time_zone": "UTC",
    }
    forms = {
        f"{prefix}-{kind}_FORMS": "0"
        for prefix in ("memberships", "keys", "limits", "allowances")
        for kind in ("TOTAL", "INITIAL")
    }
    staff.post(f"/admin/accounts/team/{team.pk}/change/", values | forms)
    assert (str(last(Team).actor), last(Team).changes) == ("ada", {"name": ["Old", "New"]})


def test_member_who_acts_in_the_portal_is_named(client: Client) -> None:
    person = make_user("bea", teams=[make_team("atlas")])
    client.force_login(person)
    client.post("/keys?team=atlas", {"name": "billing", "scopes": ["inference", "catalogue"]})
    entry = last(Key)
    assert (str(entry.actor), entry.action) == ("bea", AuditEntry.Action.CREATE)


def test_key_that_acts_through_the_api_is_named(client: Client) -> None:
    manager, text = make_key(scope="management")
    client.post(
        "/v1/keys",
        {"name": "new"},
        content_type="application/json",
        headers={"authorization": f"Bearer {text}"},
    )
    assert (last(Key).key, last(Key).actor) == (manager.public_id, None)


def test_what_nobody_asked_for_is_the_gateways_own_act() -> None:
    make_team()
    assert (last(Team).actor, last(Team).key) == (None, "")


def test_secret_of_a_provider_is_never_told(settings: Any) -> None:
    provider = make_provider()
    store_secret(credential=provider.credential, secret=SECRET)
    ciphertext = Credential.objects.get().ciphertext
    assert last(Credential).changes["ciphertext"] == ["", "•••"]
    assert ciphertext not in everything_told()
    assert SECRET not in everything_told()


def test_secret_that_is_forgotten_at_a_new_address_is_told() -> None:
    provider = make_provider()
    store_secret(credential=provider.credential, secret=SECRET)
    provider.base_url = "https://elsewhere.example/v1"
    save_provider(provider=provider)
    assert last(Credential).changes == {"ciphertext": ["•••", ""]}


def test_password_is_never_told() -> None:
    person = make_user()
    person.set_password("another password")
    person.save()
    assert last(User).changes == {"password": ["•••", "•••"]}


def test_digest_of_a_key_is_never_told() -> None:
    key, _ = make_key()
    assert "digest" not in last(Key).changes
    assert key.digest not in everything_told()


def test_revoking_is_told_once() -> None:
    key, _ = make_key()
    services.revoke_key(key=key)
    services.revoke_key(key=key)
    revoked = AuditEntry.objects.filter(content_type__model="key", action=AuditEntry.Action.UPDATE)
    assert [list(entry.changes) for entry in revoked] == [["revoked_at"]]


def test_switching_off_is_told_though_no_row_was_saved() -> None:
    offering = make_offering()
    switch_offerings([offering], is_enabled=False)
    switch_provider(provider=offering.provider, is_enabled=False)
    assert last(Offering).changes == last(Provider).changes == {"is_enabled": [True, False]}


def test_price_that_ends_is_told_on_its_models_page() -> None:
    offering = make_offering()
    make_price(offering)
    at = timezone.now()
    set_price(offering, meter="input_text_tokens", usd_per_million=None, at=at)
    assert last(Price).changes == {"valid_to": [None, str(at)]}
    assert last(Price).page == f"catalogue.model/{offering.model_id}"


def test_deleted_model_is_one_entry_with_what_it_was() -> None:
    model = make_published()
    before = AuditEntry.objects.count()
    delete_models(Model.objects.filter(pk=model.pk))
    assert AuditEntry.objects.count() == before + 1
    assert last(Model).changes["name"] == ["One", None]


def test_publishing_and_probing_are_no_acts_of_editing() -> None:
    model = make_model()
    before = AuditEntry.objects.count()
    Model.objects.filter(pk=model.pk).update(name="Uno")
    publish_all()
    Model.objects.filter(pk=model.pk).update(input_types="spoilt")
    publish_all()
    assert AuditEntry.objects.count() == before


def test_run_over_many_rows_is_one_entry() -> None:
    model = make_model()
    record_run(model, {"models made": 3})
    assert last(Model).changes == {"models made": [None, 3]}


def test_membership_is_told_on_its_teams_page(staff: Client) -> None:
    team = make_team()
    Membership.objects.create(team=team, user=make_user("cleo"))
    assert "cleo" in staff.get(f"/admin/accounts/team/{team.pk}/history/").text


def test_history_tells_prices_and_aliases_on_the_models_page(staff: Client) -> None:
    model = make_published()
    model.name = "Uno"
    model.save()
    page = staff.get(f"/admin/catalogue/model/{model.pk}/history/").text
    assert "<del>One</del>" in page
    assert "price 1 USD" in page


def test_history_of_an_offering_leaves_the_others_out(staff: Client) -> None:
    offering = make_offering()
    make_price(offering, "requests", "7")
    make_price(make_offering(offering.model), "requests", "8")
    page = staff.get(f"/admin/catalogue/offering/{offering.pk}/history/").text
    assert "price 7 USD" in page
    assert "price 8 USD" not in page


def test_history_of_a_row_that_is_not_there_leads_away(staff: Client) -> None:
    assert staff.get("/admin/catalogue/model/99/history/").status_code == 302


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("by=person", 0),
        ("by=gateway", 1),
        ("by=key", 0),
        ("q=acme", 1),
        ("action__exact=2", 0),
        ("event=model.created", 1),
        ("event=model.*", 1),
        ("event=key.*", 0),
        ("period=hour", 1),
        ("until=2020-01-01+00:00", 0),
        ("q=203.0.113.9", 0),
        ("q=::1", 0),
        ("what=x", 1),
    ],
)
def test_list_of_acts_is_filtered(staff: Client, query: str, found: int) -> None:
    AuditEntry.objects.all().forget()
    make_model("acme/one").organisation.models.all()
    AuditEntry.objects.exclude(content_type__model="model").forget()
    assert len(staff.get(f"/admin/accounts/auditentry/?{query}").context["cl"].result_list) == found


def test_entry_is_read_and_never_edited(staff: Client) -> None:
    make_model(name="<One>")
    address = f"/admin/accounts/auditentry/{last(Model).pk}/change/"
    assert "&lt;One&gt;" in staff.get(address).text
    assert staff.post(address, {"page": "x"}).status_code == 403


async def answer_after(request: HttpRequest) -> HttpResponse:
    """A view that saves, as a handler under ASGI calls it: in another thread."""
    await sync_to_async(make_team)("async")
    return HttpResponse()


@pytest.mark.django_db(transaction=True)
def test_person_is_known_under_an_asynchronous_handler_too(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = make_staff("ada")
    async_to_sync(AuditContext(answer_after))(request)  # type: ignore[arg-type]
    assert str(last(Team).actor) == "ada"
    assert who() == (None, "")


def test_export_of_the_admin_has_what_the_list_is_narrowed_to_and_is_told(staff: Client) -> None:
    make_team("atlas")
    make_model("acme/one")
    answer = staff.get("/admin/accounts/auditentry/export.jsonl?event=team.created")

    async def read() -> str:
        return "".join([part.decode() async for part in answer.streaming_content])  # type: ignore[attr-defined]

    lines = [json.loads(line) for line in async_to_sync(read)().splitlines()]
    assert [line["target"]["id"] for line in lines] == ["atlas"]
    assert AuditEntry.objects.filter(event="audit.exported", actor__username="ada").count() == 1


def test_receiver_that_takes_nothing_is_shown_with_why(staff: Client, settings: Any) -> None:
    settings.AUDIT_PUSH = read_receivers(["syslog+tcp://siem.example"])
    mark = settings.AUDIT_PUSH[0].mark
    AuditReceiver.objects.create(name=mark, failing_since=timezone.now(), problem="It redirects.")
    page = staff.get("/admin/accounts/auditreceiver/").text
    assert "takes nothing" in page
    assert "It redirects." in page


def test_request_of_an_act_leads_to_its_receipt_for_whoever_may_see_that(client: Client) -> None:
    make_team("atlas")
    entry = AuditEntry.objects.latest("id")
    QuerySet(AuditEntry).filter(pk=entry.pk).update(request_id="req_1")
    page = reverse("admin:accounts_auditentry_change", args=[entry.pk])
    receipt = reverse("admin:accounts_ledgerentry_receipt", args=["req_1"])
    person = make_user("ann", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_auditentry"))
    client.force_login(person)
    key, _ = make_key(make_team("zeus"))
    make_entry(key, request_id="req_1")
    answer = client.get(page).text
    assert ("req_1" in answer, receipt in answer) == (True, False)
    person.user_permissions.add(Permission.objects.get(codename="view_ledgerentry"))
    assert receipt in client.get(page).text
    QuerySet(AuditEntry).filter(pk=entry.pk).update(request_id="req_2")
    answer = client.get(page).text
    assert ("req_2" in answer, "receipts/req_2" in answer) == (True, False)
