"""Each staff role against every page of the admin: it opens and changes exactly what the table gives it."""

import re
from html import unescape
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import AuditEntry, Budget, Key, User
from accounts.sessions import end_sessions
from accounts.staff_groups import give, make_groups
from accounts.staff_roles import PERMISSIONS, StaffRole, written
from tests.hostile.single_rights import make_world, pages, permissions, row_of, rows
from tests.hostile.test_single_rights import EVERYBODYS, changed_by, opened, opened_by
from tests.make import make_staff, make_user

pytestmark = pytest.mark.django_db
SURE = {"_form_submitted": "True"}
SECURITYS = {
    "ClaimRule",
    "IdentityProvider",
    "Invitation",
    "Key",
    "User",
    "ScimDirectory",
    "ScimGroup",
    "ScimToken",
}
COMBINED = {"accounts_ledgerentry_correct", "catalogue_edition_rollback", "providers_bill_book"}
"""Pages that several rights open together, and not one alone."""


@pytest.fixture
def groups() -> None:
    make_groups(written(PERMISSIONS))


def staff_in(role: StaffRole) -> Client:
    user = User.objects.create(username=role.value, is_staff=True)
    user.groups.add(Group.objects.get(name=role.value))
    client = Client()
    client.force_login(user)
    return client


def expected(role: StaffRole, addresses: dict[str, str]) -> set[str]:
    return {name for name in addresses if name in EVERYBODYS or (opened_by(name) & PERMISSIONS[role])}


def test_migrations_give_what_the_table_says() -> None:
    """The first makes the groups; each later one that has such a table gives more."""
    given: dict[str, set[str]] = {}
    for file in sorted((Path(__file__).parents[2] / "accounts/migrations").glob("0*.py")):
        if "staff_groups" in file.read_text("utf-8"):
            for name, names in import_module(f"accounts.migrations.{file.stem}").TABLE.items():
                given.setdefault(name, set()).update(names)
    assert {name: sorted(names) for name, names in given.items()} == written(PERMISSIONS)


def test_what_came_later_is_added_to_groups_and_takes_nothing(groups: None) -> None:
    group = Group.objects.get(name="Auditor")
    group.permissions.clear()
    give({"Auditor": ["accounts.view_team"], "Nobody": ["accounts.view_team"]})
    assert [row.codename for row in group.permissions.all()] == ["view_team"]
    assert not Group.objects.filter(name="Nobody").exists()


def test_groups_have_exactly_what_the_table_says(groups: None) -> None:
    for role, names in PERMISSIONS.items():
        found = Group.objects.get(name=role.value).permissions.select_related("content_type")
        assert {f"{row.content_type.app_label}.{row.codename}" for row in found} == names


def test_table_names_only_permissions_that_there_are() -> None:
    assert set().union(*PERMISSIONS.values()) <= set(permissions())


def test_group_that_an_admin_changed_stays_so(groups: None) -> None:
    group = Group.objects.get(name="Support")
    group.permissions.clear()
    make_groups(written(PERMISSIONS))
    assert group.permissions.count() == 0


def test_making_groups_writes_nothing_to_an_audit_whose_table_may_be_older(groups: None) -> None:
    assert not AuditEntry.objects.filter(event__startswith="staff_role.").exists()


def test_curators_have_no_right_to_anything_of_teams() -> None:
    assert not [name for name in PERMISSIONS[StaffRole.CURATOR] if name.startswith(("accounts.", "auth."))]


@pytest.mark.parametrize(
    "role", [StaffRole.CURATOR, StaffRole.SUPPORT, StaffRole.SECURITY, StaffRole.AUDITOR]
)
def test_credentials_are_for_operators_only(role: StaffRole) -> None:
    assert not [name for name in PERMISSIONS[role] if "credential" in name]


def test_auditors_only_look() -> None:
    assert {name.partition(".")[2].partition("_")[0] for name in PERMISSIONS[StaffRole.AUDITOR]} == {"view"}


def test_no_role_may_touch_people_or_groups() -> None:
    for role, names in PERMISSIONS.items():
        kinds = {name for name in names if name.rpartition("_")[2] in {"user", "group", "permission"}}
        assert kinds <= {"accounts.view_user", "auth.view_group", "accounts.switch_user"}, role


@pytest.mark.drill
@pytest.mark.apart
@pytest.mark.parametrize("role", StaffRole)
def test_role_opens_exactly_its_pages(role: StaffRole, groups: None) -> None:
    make_world()
    addresses = pages()
    found = opened(staff_in(role), addresses) - COMBINED
    asked = {name: address for name, address in addresses.items() if _is_ours(name)}
    assert found & set(asked) == expected(role, asked)


@pytest.mark.drill
@pytest.mark.apart
@pytest.mark.parametrize("role", StaffRole)
def test_no_page_links_to_one_that_the_role_may_not_open(role: StaffRole, groups: None) -> None:
    make_world()
    client = staff_in(role)
    places: dict[str, str] = {}
    for address in pages().values():
        page = client.get(address)
        if page.status_code == 200 and page["content-type"].startswith("text/html"):
            places |= {unescape(link): address for link in re.findall(r'href="(/admin/[^"#]+)', page.text)}
    refused = {link: places[link] for link in places if client.get(link).status_code in {403, 404}}
    assert places
    assert refused == {}


@pytest.mark.drill
@pytest.mark.apart
@pytest.mark.parametrize("role", [StaffRole.SUPPORT, StaffRole.AUDITOR, StaffRole.SECURITY])
def test_who_only_looks_changes_nothing(role: StaffRole, groups: None) -> None:
    make_world()
    before = rows()
    client = staff_in(role)
    changed = changed_by(client, pages(), before)
    assert changed <= SECURITYS if role is StaffRole.SECURITY else changed == set()


@pytest.mark.drill
@pytest.mark.apart
@pytest.mark.parametrize("role", StaffRole)
def test_no_role_makes_itself_or_anybody_a_superuser(role: StaffRole, groups: None) -> None:
    make_world()
    boss, client = make_staff("boss"), staff_in(role)
    me = User.objects.get(username=role.value)
    password = boss.password
    for person in (boss, me):
        page = f"/admin/accounts/user/{person.pk}"
        everything = {
            "username": person.username,
            "is_superuser": "on",
            "is_staff": "on",
            "is_active": "on",
            "email": "mine@example.com",
            "groups": [str(group.pk) for group in Group.objects.all()],
            "user_permissions": ["1"],
        }
        for address in (f"{page}/change/", f"{page}/change/?_popup=1", "/admin/accounts/user/add/?_popup=1"):
            assert client.post(address, everything).status_code in {302, 403, 404}
        new = {"password1": "Xk29-lkj-aq", "password2": "Xk29-lkj-aq", "usable_password": "true"}
        client.post(f"{page}/password/", new)
        for act in ("take_factors", "end_sessions", "switch_off", "delete"):
            client.post(_action(person, act), SURE)
    chosen = {"action": "delete_selected", "_selected_action": [str(boss.pk)], "post": "yes"}
    client.post("/admin/accounts/user/", chosen)
    boss.refresh_from_db()
    me.refresh_from_db()
    assert (boss.password, boss.is_active, boss.email) == (password, True, "")
    assert (me.is_superuser, me.groups.count(), me.user_permissions.count()) == (False, 1, 0)
    assert User.objects.filter(is_superuser=True).count() == 1


@pytest.mark.parametrize(
    ("role", "field", "code"),
    [
        (StaffRole.CURATOR, ("accounts", "key", "team"), 403),
        (StaffRole.OPERATOR, ("accounts", "key", "owner"), 403),
        (StaffRole.CURATOR, ("catalogue", "offering", "provider"), 200),
    ],
)
def test_choices_of_other_desks_are_not_told(
    role: StaffRole, field: tuple[str, str, str], code: int, groups: None
) -> None:
    make_world()
    app, model, name = field
    query = {"app_label": app, "model_name": model, "field_name": name, "term": "a"}
    assert staff_in(role).get("/admin/autocomplete/", query).status_code == code


@pytest.mark.parametrize("role", [StaffRole.CURATOR, StaffRole.OPERATOR])
def test_search_and_overview_tell_nothing_of_teams(role: StaffRole, groups: None) -> None:
    make_world()
    client = staff_in(role)
    for address in (
        "/admin/",
        "/admin/search/?s=atlas",
        "/admin/search/?s=mary",
        "/admin/catalogue/worklist/",
    ):
        page = client.get(address).text.lower().replace('value="mary"', "").replace("“mary”", "")
        assert "/admin/accounts/team/" not in page, address
        assert not re.search(r"\b(?<!s=)mary\b", page), address


def test_security_switches_people_off_and_on_and_ends_their_sessions(groups: None) -> None:
    mary, client = make_user("mary"), staff_in(StaffRole.SECURITY)
    hers = Client()
    hers.force_login(mary)
    page = f"/admin/accounts/user/{mary.pk}"
    client.post(_action(mary, "switch_off"), SURE)
    mary.refresh_from_db()
    assert not mary.is_active
    assert hers.get("/keys").status_code == 302
    client.post(_action(mary, "switch_on"), SURE)
    mary.refresh_from_db()
    assert mary.is_active
    assert client.post(f"{page}/change/", {"username": "mary", "is_staff": "on"}).status_code == 403
    assert end_sessions(mary) == 0


@pytest.mark.parametrize("act", ["switch_off", "switch_on", "end_sessions", "take_factors"])
def test_security_does_not_touch_superusers_nor_itself(act: str, groups: None) -> None:
    boss, client = make_staff("boss"), staff_in(StaffRole.SECURITY)
    me = User.objects.get(username="Security")
    for person in (boss, me):
        assert client.post(_action(person, act), SURE).status_code == 403
        person.refresh_from_db()
        assert person.is_active


def test_security_revokes_a_key_and_sees_no_new_one(groups: None) -> None:
    make_world()
    key, client = Key.objects.get(), staff_in(StaffRole.SECURITY)
    assert client.post(f"/admin/accounts/key/{key.pk}/change/", {"name": "mine"}).status_code == 403
    client.post(_action(key, "rotate"), SURE)
    assert Key.objects.count() == 1
    client.post(_action(key, "revoke"), SURE)
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_operator_sees_budgets_of_providers_and_the_deployment_only(groups: None) -> None:
    make_world()
    mine = Budget.objects.create(is_deployment=True, window="day", amount_usd=1)
    theirs, client = Budget.objects.exclude(team=None).get(), staff_in(StaffRole.OPERATOR)
    assert client.get(f"/admin/accounts/budget/{mine.pk}/change/").status_code == 200
    assert client.get(f"/admin/accounts/budget/{theirs.pk}/change/").status_code == 302
    chosen = {"action": "delete_selected", "_selected_action": [str(theirs.pk)], "post": "yes"}
    client.post("/admin/accounts/budget/", chosen)
    assert Budget.objects.filter(pk=theirs.pk).exists()
    assert "atlas" not in client.get("/admin/accounts/budget/").text.lower()


def _action(row: Any, act: str) -> str:
    name = f"{row._meta.app_label}_{row._meta.model_name}_{act}"
    return next(address for page, address in pages().items() if page == name).replace(
        f"/{getattr(row_of(type(row)), 'pk', 1)}/", f"/{row.pk}/"
    )


def _is_ours(name: str) -> bool:
    return name in EVERYBODYS or name.startswith(("accounts_", "auth_", "catalogue_", "providers_"))


@pytest.mark.parametrize("role", StaffRole)
def test_frame_leads_to_no_page_that_is_closed(role: StaffRole, groups: None) -> None:
    make_world()
    client = staff_in(role)
    led = set(re.findall(r'href="(/admin/\w+/\w+/)"', client.get("/admin/").text))
    assert led
    assert {address: client.get(address).status_code for address in led} == dict.fromkeys(led, 200)
