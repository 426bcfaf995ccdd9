"""What each entry of the audit says of an act: its name, whose it is, who did it, from where, in which request."""

import json
from importlib import import_module
from typing import Any

import pytest
from django.db.migrations.loader import MigrationLoader
from django.test import Client

from accounts import services
from accounts.audit import record_changes, record_event, record_run
from accounts.auditing.events import name_event
from accounts.auditing.masking import HIDDEN
from accounts.auditing.querysets import permitted
from accounts.memberships import disable_person
from accounts.models import AuditEntry, Budget, Limit, Membership
from gateway.core.audit_context import on_behalf_of
from gateway.core.client_address import read_trusted_proxies
from providers.models import ProviderCredential, Quota
from tests.make import make_key, make_provider, make_staff, make_team, make_user

pytestmark = pytest.mark.django_db


def last() -> AuditEntry:
    entry: AuditEntry = AuditEntry.objects.order_by("-id")[0]
    return entry


@pytest.mark.parametrize(
    ("kind", "action", "changes", "event"),
    [
        ("key", 0, {"revoked_at": ["None", "None"]}, "key.created"),
        ("key", 1, {"name": ["a", "b"]}, "key.updated"),
        ("key", 1, {"name": ["a", "b"], "revoked_at": [None, "2026-03-01"]}, "key.revoked"),
        ("team", 1, {"frozen_at": ["2026-03-01", "None"]}, "team.unfrozen"),
        ("team", 1, {"frozen_at": ["2026-03-01", "2026-03-02"]}, "team.updated"),
        ("membership", 1, {"role": ["member", "owner"]}, "member.role_changed"),
        ("membership", 2, {"role": ["owner", "None"]}, "member.deleted"),
        ("service account", 1, {"is_active": ["True", "False"]}, "service_account.switched_off"),
        ("user", 1, {"is_active": ["False", "True"], "password": ["•••", "•••"]}, "user.switched_on"),
        ("user", 1, {"groups": {"type": "m2m"}}, "user.staff_roles_changed"),
        ("user", 3, {}, "user.read"),
        ("SCIM user", 0, {}, "scim_user.created"),
        ("role of a SCIM group", 1, {"role": ["member", "owner"]}, "scim_group_role.role_changed"),
        ("key", 0, {"replaces": ["None", "17"]}, "key.rotated"),
        ("key", 1, {"owner": ["4", "None"]}, "key.handed_over"),
        ("budget", 1, {"raise_until": [None, "2026-03-01"], "raise_usd": [None, "5"]}, "budget.raised"),
        ("budget", 1, {"raise_until": ["2026-03-01", None]}, "budget.raise_ended"),
        ("access request", 1, {"state": ["open", "granted"]}, "access_request.granted"),
        ("access request", 1, {"endorsed_by": [None, "3"]}, "access_request.endorsed"),
        ("alert channel", 1, {"state": ["open", "granted"]}, "alert_channel.updated"),
        ("invitation", 1, {"expires_at": ["2026-03-01", "2026-03-08"]}, "invitation.renewed"),
        ("provider", 1, {"breaker held": [None, "open"]}, "provider.breaker_held"),
        ("offering", 1, {"breaker held": ["open", None]}, "offering.breaker_released"),
    ],
)
def test_act_is_called_by_what_changed(kind: str, action: int, changes: dict[str, Any], event: str) -> None:
    assert name_event(kind, action, changes) == event


def test_act_through_the_api_names_its_key_its_address_its_request_and_its_team(client: Client) -> None:
    manager, text = make_key(scope="management")
    headers = {"authorization": f"Bearer {text}", "x-request-id": "req_17"}
    client.post("/v1/keys", {"name": "new"}, content_type="application/json", headers=headers)
    entry = AuditEntry.objects.filter(event="key.created").latest("id")
    assert (entry.actor_kind, entry.key, entry.actor_name) == ("api_key", manager.public_id, str(manager))
    assert (entry.remote_addr, entry.request_id, entry.team_id) == ("127.0.0.1", "req_17", manager.team_id)


@pytest.mark.parametrize(("trusted", "address"), [([], "127.0.0.1"), (["127.0.0.0/8"], "203.0.113.9")])
def test_only_a_trusted_proxy_says_where_an_act_came_from(
    client: Client, settings: Any, trusted: list[str], address: str
) -> None:
    settings.TRUSTED_PROXIES = read_trusted_proxies(trusted)
    _, text = make_key(scope="management")
    headers = {"authorization": f"Bearer {text}", "x-forwarded-for": "198.51.100.1, 203.0.113.9"}
    client.post("/v1/keys", {"name": "new"}, content_type="application/json", headers=headers)
    assert last().remote_addr == address


def test_what_nobody_asked_for_has_no_address() -> None:
    make_team()
    assert (last().actor_kind, last().remote_addr, last().request_id) == ("gateway", None, "")


def test_every_row_of_a_team_is_told_in_its_audit() -> None:
    key, _ = make_key()
    team, provider = key.team, make_provider()
    member = Membership.objects.create(team=team, user=make_user("bea"))
    owned = ProviderCredential.objects.create(provider=provider, team=team, label="own")
    rows = [
        Limit.objects.create(key=key, unit="requests", amount=1),
        Limit.objects.create(member=member, unit="requests", amount=1),
        Budget.objects.create(key=key, window="day", amount_usd=1),
        Quota.objects.create(credential=owned, unit="requests", amount=1),
    ]
    assert (
        list(AuditEntry.objects.order_by("-id")[: len(rows)].values_list("team", flat=True)) == [team.pk] * 4
    )
    assert set(AuditEntry.objects.filter(team=team).values_list("content_type__model", flat=True)) == {
        "team", "key", "membership", "providercredential", "limit", "budget", "quota",
    }  # fmt: skip


def test_what_is_the_operators_is_in_no_teams_audit() -> None:
    provider = make_provider()
    Quota.objects.create(provider=provider, unit="requests", amount=1)
    Budget.objects.create(is_deployment=True, window="day", amount_usd=1)
    make_user("bea")
    assert set(AuditEntry.objects.values_list("team", flat=True)) == {None}


def test_event_that_no_row_tells_is_recorded_with_its_facts() -> None:
    team, person = make_team(), make_user("bea")
    entry = record_event("audit.exported", team=team, person=person, facts={"rows": 3})
    entry.refresh_from_db()
    assert (entry.event, entry.team, entry.actor, entry.actor_kind) == (
        "audit.exported",
        team,
        person,
        "person",
    )
    assert (entry.changes, entry.page) == ({"rows": [None, 3]}, f"accounts.user/{person.pk}")


def test_event_about_nobody_we_know_is_recorded_too() -> None:
    entry = record_event("session.failed", facts={"name": "nobody"})
    entry.refresh_from_db()
    assert (entry.object_repr, entry.actor, entry.page) == ("", None, "")


def test_who_is_signed_in_did_it_whomever_it_is_about() -> None:
    ada, bea = make_staff("ada"), make_user("bea")
    with on_behalf_of(ada):
        entry = record_event("user.sessions_ended", person=bea)
    assert (entry.actor, entry.page) == (ada, f"accounts.user/{bea.pk}")


def test_run_over_many_rows_may_say_what_it_is_called() -> None:
    record_run(make_team(), {"attempts": 3}, event="ledger.repriced")
    assert last().event == "ledger.repriced"


def test_entry_outlives_who_did_it() -> None:
    person = make_staff("ada")
    with on_behalf_of(person):
        team = make_team()
    number = person.pk
    person.delete()
    entry = AuditEntry.objects.get(team=team, event="team.created")
    assert (entry.actor_id, entry.actor_name) == (number, "ada")


def test_revoking_is_called_so() -> None:
    key, _ = make_key()
    services.revoke_key(key=key)
    assert last().event == "key.revoked"
    assert key.digest not in json.dumps(last().changes)


def test_acts_of_before_are_named_by_the_migration() -> None:
    key, _ = make_key()
    ada = make_staff("ada")
    with on_behalf_of(ada):
        Membership.objects.create(team=key.team, user=ada)
    with permitted():
        AuditEntry._base_manager.update(event="", actor_kind="", actor_name="", team=None)
    landed = MigrationLoader(None, replace_migrations=False)
    apps = landed.project_state(("accounts", "0033_name_acts_of_before")).apps
    with permitted():
        import_module("accounts.migrations.0033_name_acts_of_before").name_acts(apps, None)
    told = AuditEntry.objects.filter(content_type__app_label="accounts").order_by("id")
    assert list(told.values_list("event", "actor_kind", "actor_name", "team")) == [
        ("team.created", "gateway", "", key.team_id),
        ("key.created", "gateway", "", key.team_id),
        ("user.created", "gateway", "", None),
        ("member.created", "person", "ada", key.team_id),
    ]


@pytest.mark.parametrize(
    "secret",
    [
        "sk-gw-A1b2C3d4E5f6-0123456789abcdef0123456789abcdefABCDEF",
        "scim-gw-A1b2C3d4E5f6-0123456789abcdef0123456789abcdefABCDEF",
        "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkw",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtYXJ5In0.c2lnbmF0dXJl",
        "Bearer abcdefghijklmnop",
    ],
)
def test_secret_that_somebody_pasted_somewhere_is_not_kept(secret: str) -> None:
    team = make_team("atlas")
    team.cost_centre = team.name = f"see {secret}"
    team.save()
    record_event("test.done", row=team, facts={"said": {"deep": [secret]}})
    record_changes([team], {"name": (None, secret)})
    kept = json.dumps(list(AuditEntry.objects.values_list("changes", "object_repr")))
    assert secret[-8:] not in kept
    assert HIDDEN in json.loads(json.dumps(last().changes))["name"][1]


def test_each_team_reads_that_its_member_was_switched_off() -> None:
    teams = [make_team("atlas"), make_team("borealis")]
    person = make_user("bea", teams=teams)
    disable_person(person=person)
    told = AuditEntry.objects.filter(event="member.switched_off").values_list("team__slug", flat=True)
    assert set(told) == {"atlas", "borealis"}
