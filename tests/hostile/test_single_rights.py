"""Staff with one permission alone: which pages of the admin it opens, and what can be changed with it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import transaction
from django.test import Client

from accounts.models import User
from tests.hostile.single_rights import (
    PER_OBJECT,
    make_world,
    pages,
    permissions,
    rows,
    staff_with,
)

pytestmark = [pytest.mark.django_db, pytest.mark.drill, pytest.mark.apart]

_LINK_IN_TEXT = re.compile(r'<a href="(/admin/[^"#]+)" class="text-link">')
"""As the theme writes a relation that is only looked at."""
LABELS = ("accounts", "auth", "catalogue", "providers")
EVERYBODYS = {"index", "search", "jsi18n"}
# Beyond what Django's own rights say: page → the only rights that open it.
NARROWED: dict[str, set[str]] = {
    "accounts_key_rotate": {"accounts.change_key"},
    "accounts_key_revoke": {"accounts.change_key", "accounts.revoke_key"},
    **{
        f"accounts_user_{page}": {"accounts.switch_user"}
        for page in ("end_sessions", "switch_off", "switch_on")
    },
    # That of this world is a team's.
    "accounts_budget_add": {"accounts.add_budget", "accounts.change_operators_budget"},
    "accounts_budget_changelist": {
        "accounts.view_budget",
        "accounts.change_budget",
        "accounts.change_operators_budget",
    },
    "accounts_team_view_as": {"accounts.view_as_team"},
    "accounts_identityprovider_trial": {"accounts.change_identityprovider"},
    "accounts_accessrequest_end_it": {"accounts.change_accessrequest"},
    # That of this world is for a role, which is no desk's.
    "accounts_accessrequest_changelist": {
        *("accounts.view_accessrequest", "accounts.change_accessrequest", "accounts.decide_reach"),
        *("accounts.decide_amounts", "accounts.change_operators_budget"),
    },
    "accounts_invitation_withdraw_it": {"accounts.change_invitation"},
    **{f"accounts_scimdirectory_{page}": {"accounts.change_scimdirectory"} for page in ("issue", "revoke")},
    **{
        f"accounts_alertchannel_{page}": {"accounts.change_alertchannel"}
        for page in ("send_test", "rotate_secret")
    },
    "catalogue_edition_compare": {"catalogue.view_edition", "catalogue.change_edition"},
    "catalogue_worklist": {"catalogue.view_model", "catalogue.change_model"},
    "catalogue_model_editions": {"catalogue.view_model", "catalogue.change_model"},
    "catalogue_route_editions": {"catalogue.view_route", "catalogue.change_route"},
    **{
        f"catalogue_{name}_{page}": {f"catalogue.change_{name}"}
        for name in ("model", "offering")
        for page in ("import", "sheet_template")
    },
    **{f"catalogue_{name}_export": {f"catalogue.view_{name}"} for name in ("model", "offering")},
}
TAKES_TWO = {
    # A key's page shows the new one, and going back changes models.
    *("accounts_key_add", "accounts_ledgerentry_correct", "catalogue_edition_rollback"),
    # The right to the ledger, and that to bills.
    "providers_bill_book",
}
CLOSED = {
    # Only superusers change people and groups, so that nobody widens their own rights.
    *(
        "accounts_user_add",
        "accounts_user_delete",
        "accounts_user_end_sessions",
        "accounts_user_take_factors",
        "auth_user_password_change",
        "auth_group_add",
        "auth_group_delete",
    ),
    # Records, which nobody makes or takes away by hand.
    *("accounts_alert_add", "accounts_alert_delete", "accounts_statement_add", "accounts_statement_delete"),
    *("accounts_centrestatement_add", "accounts_centrestatement_delete"),
    *("accounts_auditentry_add", "accounts_auditentry_delete", "accounts_ledgerentry_add"),
    *("accounts_auditreceiver_add", "accounts_auditreceiver_delete"),
    *("accounts_ledgerentry_delete", "catalogue_edition_add", "catalogue_edition_delete"),
    # Asked by members, and kept.
    *("accounts_accessrequest_add", "accounts_accessrequest_delete"),
    # Made and withdrawn by teams.
    *("accounts_invitation_add", "accounts_invitation_delete"),
    # Said on the team's page.
    *("accounts_membership_add", "accounts_membership_delete"),
    # Made and ended by their directories; a directory with people is kept.
    *("accounts_scimgroup_add", "accounts_scimgroup_delete"),
    # Revoked and switched off, and never deleted.
    *("accounts_key_delete", "accounts_team_delete"),
    *("accounts_project_delete", "accounts_serviceaccount_delete"),
    *TAKES_TWO,
    # Bills are imported and never changed.
    "providers_bill_delete",
    # Hidden, and kept.
    "providers_incident_delete",
    # There is no import in this world: who may import is told so.
    *(f"catalogue_{name}_{page}" for name in ("model", "offering") for page in ("sheet", "sheet_rows")),
    # Asked in other ways only.
    *("autocomplete", "catalogue_model_process_import", "catalogue_offering_process_import"),
}
"""Pages that no right opens alone."""
# What one right alone lets a person change by posting; all of it is also told in the audit.
MAY_CHANGE = {
    "accounts.change_alertchannel": {"AlertChannel"},
    "accounts.delete_alertchannel": {"AlertChannel"},
    "accounts.add_team": {"Team"},
    "accounts.change_key": {"Key"},
    "accounts.revoke_key": {"Key"},
    "accounts.switch_user": {"User"},
    "accounts.change_project": {"Project", "Key"},
    "accounts.change_invitation": {"Invitation"},
    "accounts.change_identityprovider": {"IdentityProvider"},
    "accounts.delete_identityprovider": {"IdentityProvider"},
    "accounts.change_scimdirectory": {"ScimDirectory", "ScimToken"},
    "accounts.delete_scimdirectory": {"ScimDirectory", "ScimGroup", "ScimToken"},
    "accounts.change_team": {"Team", "Key"},
    "catalogue.change_model": {"Model", "Edition"},
    "catalogue.change_route": {"Model", "Edition"},
    "catalogue.delete_model": {"Model", "Offering", "RouteMember", "Edition"},
    "catalogue.delete_route": {"Model", "RouteMember", "Edition"},
    "catalogue.change_offering": {"Offering", "Edition", "Model"},
    "catalogue.delete_offering": {"Offering", "Edition", "Model"},
    "catalogue.delete_organisation": {"Organisation"},
    "providers.change_provider": {"Provider"},
    "providers.delete_provider": {"Provider"},
    "providers.change_incident": {"Incident"},
    "providers.delete_providercredential": {"ProviderCredential"},
    "providers.delete_administratorcredential": {"AdministratorCredential"},
    "providers.delete_billmapping": {"BillMapping"},
}


def opened_by(page: str) -> set[str]:
    """The rights of which each alone opens the page."""
    if page in NARROWED or page in CLOSED:
        return NARROWED.get(page, set())
    model = next(
        each
        for each in admin.site._registry
        if page.startswith(f"{each._meta.label_lower.replace('.', '_')}_")
    )
    label, name = model._meta.label_lower.split(".")
    kind = page.rpartition("_")[2]
    words = {"add": {"add"}, "delete": {"delete"}}.get(kind, {"view", "change"})
    return {f"{label}.{word}_{name}" for word in words}


def rights_of(label: str) -> list[str]:
    return [each for each in permissions() if each.startswith(f"{label}.")]


def pages_of(label: str) -> dict[str, str]:
    """Name → address of the pages that show this application's rows."""
    return {name: address for name, address in pages().items() if name.startswith(f"{label}_")}


def opened(client: Client, addresses: dict[str, str]) -> set[str]:
    return {name for name, address in addresses.items() if client.get(address).status_code == 200}


def own_pages(right: str, addresses: dict[str, str]) -> dict[str, str]:
    """Of those of its application: the ones that it opens, and those for which one right is too little."""
    return {
        name: address for name, address in addresses.items() if right in opened_by(name) or name in TAKES_TWO
    }


def others_of(label: str) -> Iterator[tuple[str, str, Client]]:
    """Each page with who has all rights of its application but those that open it.

    A right only ever adds: what they may not all together, none of them allows alone.
    """
    rights, staff = frozenset(rights_of(label)), dict[frozenset[str], Client]()
    for name, address in pages_of(label).items():
        if name not in TAKES_TWO:
            others = rights - opened_by(name)
            if others not in staff:
                staff[others] = staff_with(*others)
            yield name, address, staff[others]


@pytest.mark.parametrize("label", LABELS)
def test_each_right_alone_opens_the_pages_that_are_its_own(label: str) -> None:
    make_world()
    addresses = pages_of(label)
    for right in rights_of(label):
        own = own_pages(right, addresses)
        assert opened(staff_with(right), own) == own.keys() - TAKES_TWO, right


@pytest.mark.parametrize("label", LABELS)
def test_no_field_leads_to_a_page_that_its_reader_may_not_open(label: str) -> None:
    make_world()
    addresses = pages_of(label)
    for right in rights_of(label):
        reader = staff_with(right)
        for address in own_pages(right, addresses).values():
            page = reader.get(address)
            fields = (
                _LINK_IN_TEXT.findall(page.text)
                if page.get("content-type", "").startswith("text/html")
                else ()
            )
            assert [link for link in fields if reader.get(link).status_code in {403, 404}] == [], (
                right,
                address,
            )


@pytest.mark.parametrize("label", LABELS)
def test_all_other_rights_together_do_not_open_a_page(label: str) -> None:
    make_world()
    for name, address, client in others_of(label):
        assert opened(client, {name: address}) == set()


@pytest.mark.parametrize("label", [*LABELS, "sessions", "contenttypes", "admin"])
def test_all_rights_of_one_application_open_no_page_of_another(label: str) -> None:
    make_world()
    others = {name: address for name, address in pages().items() if not name.startswith(f"{label}_")}
    assert len(others) > 40
    assert opened(staff_with(*rights_of(label)), others) == EVERYBODYS


def test_staff_without_any_right_see_the_frame_and_nothing_else() -> None:
    make_world()
    assert opened(staff_with(), pages()) == EVERYBODYS


def test_people_who_are_no_staff_see_nothing(client: Client) -> None:
    make_world()
    answers = {
        client.get(address).status_code
        for name, address in pages().items()
        if name not in {"login", "jsi18n"}
    }
    assert answers <= {302, 405}


@pytest.mark.parametrize("label", LABELS)
def test_each_right_alone_changes_only_what_is_its_own(label: str) -> None:
    make_world()
    before, addresses = rows(), pages_of(label)
    for right in rights_of(label):
        # The next one finds everything as it was, too.
        with transaction.atomic():
            changed = changed_by(staff_with(right), own_pages(right, addresses), before)
            transaction.set_rollback(True)
        assert changed <= MAY_CHANGE.get(right, set()), right


@pytest.mark.parametrize("label", LABELS)
def test_all_other_rights_together_change_nothing_by_a_page(label: str) -> None:
    make_world()
    before = rows()
    for name, address, client in others_of(label):
        assert changed_by(client, {name: address}, before) == set(), name


@pytest.mark.parametrize("label", LABELS)
def test_all_rights_of_one_application_change_nothing_of_another(label: str) -> None:
    make_world()
    others = {name: address for name, address in pages().items() if not name.startswith(f"{label}_")}
    assert changed_by(staff_with(*rights_of(label)), others, rows()) == set()


def changed_by(client: Client, addresses: dict[str, str], before: dict[str, list[Any]]) -> set[str]:
    before = before | rows(User)
    for name, address in addresses.items():
        if name not in {"logout", "login"}:
            _attack(client, name, address)
    after = rows()
    return {each for each in before if before[each] != after[each]} - {"AuditEntry"}


def _attack(client: Client, name: str, address: str) -> None:
    """What a forged form would send: the word for deleting, and each action of a list."""
    if name.rpartition("_")[2] in {
        *PER_OBJECT,
        "revoke",
        "rotate",
        "secret",
        "test",
        "sessions",
        "factors",
        "off",
        "on",
        "rollback",
        "it",
        "password_change",
        "import",
    }:
        sure = {"post": "yes", "_form_submitted": "True"}
        client.post(address, sure | {"is_superuser": "on", "password1": "x", "password2": "x"})
    if name.endswith("_changelist"):
        model = next(
            each
            for each in admin.site._registry
            if name.startswith(f"{each._meta.label_lower.replace('.', '_')}_")
        )
        admin_pages = admin.site._registry[model]
        chosen = [str(key) for key in model._default_manager.values_list("pk", flat=True)]
        for action in [*(admin_pages.actions or []), "delete_selected"]:
            client.post(address, {"action": str(action), "_selected_action": chosen, "post": "yes"})
