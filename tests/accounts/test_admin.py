"""What staff can and cannot do with people, teams, keys and the ledger."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db.models.signals import pre_save
from django.test import Client
from django.urls import reverse

from accounts.authentication import find_principal
from accounts.models import Key, Limit, Membership, Project, ScimDirectory, ServiceAccount, Team, User
from accounts.services import OVERLAP, revoke_key, rotate_key
from tests.make import make_entry, make_key, make_membership, make_staff, make_team, make_user

pytestmark = pytest.mark.django_db
PAGES = ["user", "team", "key", "ledgerentry", "serviceaccount", "project", "membership"]


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(make_staff())
    # The first page lists the session, which takes queries of its own.
    client.get("/admin/search/")
    return client


NO_LIMITS = {"limits-TOTAL_FORMS": "0", "limits-INITIAL_FORMS": "0"}


def key_form(**changes: Any) -> dict[str, Any]:
    form = {
        "name": "billing",
        "scope": "inference",
        "lane": "auto",
        "model_patterns": "anthropic/*\nopenai/*",
        **NO_LIMITS,
    }
    return form | {"expires_at_0": "", "expires_at_1": ""} | changes


@pytest.mark.parametrize("page", PAGES)
def test_list_opens(staff: Client, team: Team, page: str) -> None:
    make_entry(make_key(team)[0])
    assert staff.get(reverse(f"admin:accounts_{page}_changelist")).status_code == 200


@pytest.mark.parametrize("page", ["user", "team", "key", "serviceaccount", "project"])
def test_form_for_a_new_one_opens(staff: Client, page: str) -> None:
    assert staff.get(reverse(f"admin:accounts_{page}_add")).status_code == 200


def test_pages_of_single_rows_open(staff: Client, team: Team) -> None:
    key, _ = make_key(team)
    account = ServiceAccount.objects.create(team=team, slug="robot", name="Robot")
    project = Project.objects.create(team=team, slug="blue", name="Blue")
    membership = Membership.objects.create(team=team, user=make_user())
    rows = [key, team, make_entry(key), make_user(), account, project, membership]
    for row in rows:
        page = reverse(f"admin:accounts_{row._meta.model_name}_change", args=[row.pk])
        assert staff.get(page).status_code == 200


def test_issued_key_is_shown_once_and_works(staff: Client, team: Team) -> None:
    answer = staff.post(reverse("admin:accounts_key_add"), key_form(team=team.pk), follow=True)
    shown = re.search(r"sk-gw-\w+-\w+", answer.content.decode())
    assert shown is not None
    assert find_principal(shown[0]) is not None
    assert shown[0] not in staff.get(reverse("admin:accounts_key_changelist")).content.decode()


def test_issued_key_belongs_to_its_maker_and_keeps_its_patterns(staff: Client, team: Team) -> None:
    staff.post(reverse("admin:accounts_key_add"), key_form(team=team.pk))
    key = Key.objects.get()
    assert key.created_by is not None
    assert (key.created_by.username, key.model_patterns) == ("curator", ["anthropic/*", "openai/*"])


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("concurrency", {"concurrency": "0"}),
        ("expires_at", {"expires_at_0": "2001-01-01", "expires_at_1": "00:00"}),
        ("name", {"name": "a" * 101}),
        ("model_patterns", {"model_patterns": "x" * 201}),
    ],
)
def test_bad_term_is_refused_at_its_field(
    staff: Client, team: Team, field: str, changes: dict[str, str]
) -> None:
    answer = staff.post(reverse("admin:accounts_key_add"), key_form(team=team.pk, **changes))
    assert field in answer.context["adminform"].form.errors
    assert not Key.objects.exists()


def test_changed_key_takes_a_new_revision(staff: Client, team: Team) -> None:
    key, _ = make_key(team)
    staff.post(reverse("admin:accounts_key_change", args=[key.pk]), key_form(concurrency="5"))
    changed = Key.objects.get()
    assert (changed.name, changed.concurrency) == ("billing", 5)
    assert changed.revision > key.revision


def test_digest_is_on_no_page(staff: Client, team: Team) -> None:
    key, _ = make_key(team)
    pages = [reverse("admin:accounts_key_changelist"), reverse("admin:accounts_key_change", args=[key.pk])]
    assert not any(key.digest in staff.get(page).content.decode() for page in pages)


def test_selected_keys_are_revoked(staff: Client, team: Team) -> None:
    key, _ = make_key(team)
    form = {"action": "revoke_selected", "_selected_action": [key.pk]}
    staff.post(reverse("admin:accounts_key_changelist"), form)
    assert Key.objects.filter(pk=key.pk, revoked_at__isnull=False).exists()


def test_revoke_button_asks_before_it_acts(staff: Client, team: Team) -> None:
    key, _ = make_key(team)
    button = reverse("admin:accounts_key_revoke", args=[key.pk])
    assert "Revoke this key?" in staff.get(button).content.decode()
    assert not Key.objects.filter(revoked_at__isnull=False).exists()
    staff.post(button, {"_form_submitted": "True"})
    assert Key.objects.filter(revoked_at__isnull=False).exists()


def test_rotated_key_is_followed_by_one_that_is_shown_once(staff: Client, team: Team) -> None:
    key, _ = make_key(team)
    button = reverse("admin:accounts_key_rotate", args=[key.pk])
    page = staff.post(button, {"_form_submitted": "True"}, follow=True).content.decode()
    new = Key.objects.get(replaces=key)
    assert f"sk-gw-{new.public_id}-" in page
    assert (new.created_by is not None, new.lineage_id) == (True, key.pk)


def test_key_is_held_to_what_staff_say_of_it(staff: Client, team: Team) -> None:
    account = ServiceAccount.objects.create(team=team, slug="robot", name="Robot")
    lists = {"surfaces": "messages responses", "ip_ranges": "192.0.2.0/24\n2001:db8::1"}
    form = key_form(team=team.pk, service_account=account.pk, scopes=["catalogue", "usage"], **lists)
    staff.post(reverse("admin:accounts_key_add"), form)
    key = Key.objects.get()
    assert (key.service_account, key.scopes, key.scope) == (account, ["catalogue", "usage"], "feed")
    assert (key.surfaces, key.ip_ranges) == (["messages", "responses"], ["192.0.2.0/24", "2001:db8::1"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("surfaces", "chat"),
        ("ip_ranges", "192.0.2.1/24"),
        ("scopes", ["feed", "usage"]),
        ("concurrency", "9"),
    ],
)
def test_term_that_cannot_be_is_refused_at_its_field(
    staff: Client, team: Team, field: str, value: Any
) -> None:
    Team.objects.update(key_concurrency_most=5)
    answer = staff.post(reverse("admin:accounts_key_add"), key_form(team=team.pk, **{field: value}))
    assert field in answer.context["adminform"].form.errors
    assert not Key.objects.exists()


def test_teams_and_projects_are_archived_and_brought_back(staff: Client, team: Team) -> None:
    project = Project.objects.create(team=team, slug="blue", name="Blue")
    for row in (team, project):
        page = reverse(f"admin:accounts_{row._meta.model_name}_changelist")
        for action, is_over in (("archive", True), ("bring_back", False)):
            staff.post(page, {"action": action, "_selected_action": [row.pk]})
            row.refresh_from_db()
            assert (row.archived_at is not None) is is_over


def test_member_who_is_switched_off_takes_their_keys_along(staff: Client, team: Team) -> None:
    person = make_user("ann", teams=[team])
    key, _ = make_key(team, owner=person)
    form = {"username": "ann", "date_joined_0": "2026-01-01", "date_joined_1": "00:00"}
    staff.post(reverse("admin:accounts_user_change", args=[person.pk]), form)
    person.refresh_from_db()
    assert not person.is_active
    assert Key.objects.get().revision > key.revision


def test_revoked_key_can_only_be_looked_at(staff: Client, team: Team) -> None:
    key, _ = make_key(team)
    revoke_key(key=key)
    page = reverse("admin:accounts_key_change", args=[key.pk])
    looked_at = staff.get(page)
    assert looked_at.status_code == 200
    assert ' style="' not in looked_at.text
    assert staff.post(page, key_form()).status_code == 403


@pytest.mark.parametrize("page", ["team", "key", "ledgerentry"])
def test_nothing_that_the_ledger_refers_to_can_be_deleted(staff: Client, team: Team, page: str) -> None:
    key, _ = make_key(team)
    row = {"team": team, "key": key, "ledgerentry": make_entry(key)}[page]
    assert staff.post(reverse(f"admin:accounts_{page}_delete", args=[row.pk])).status_code == 403


@pytest.mark.parametrize(
    ("page", "instead"),
    [
        ("team", "Switch it off, or archive it."),
        ("key", "Revoke it"),
        ("serviceaccount", "Switch it off instead."),
        ("project", "Archive it in the list instead."),
        ("membership", "Suspend it in the list instead."),
    ],
)
def test_who_would_delete_what_stays_is_told_what_to_do_instead(
    staff: Client, team: Team, page: str, instead: str
) -> None:
    row = {
        "team": team,
        "key": make_key(team)[0],
        "serviceaccount": ServiceAccount.objects.create(team=team, slug="robot", name="Robot"),
        "project": Project.objects.create(team=team, slug="blue", name="Blue"),
        "membership": Membership.objects.create(team=team, user=make_user()),
    }[page]
    address = reverse(f"admin:accounts_{page}_delete", args=[row.pk])
    answer = staff.get(address, follow=True)
    assert (answer.status_code, instead in answer.text) == (200, True)
    stranger = Client()
    stranger.force_login(make_user("stranger", is_staff=True))
    assert stranger.get(address).status_code == 403


def test_switching_a_team_off_marks_its_keys(staff: Client, team: Team) -> None:
    key, _ = make_key(team)
    form = {"action": "switch_off", "_selected_action": [team.pk]}
    staff.post(reverse("admin:accounts_team_changelist"), form)
    assert not Team.objects.get().is_active
    assert Key.objects.get().revision > key.revision


def test_ledger_is_never_counted(staff: Client, team: Team, django_assert_max_num_queries: Any) -> None:
    key, _ = make_key(team)
    for _ in range(20):
        make_entry(key)
    with django_assert_max_num_queries(12) as queries:
        staff.get(reverse("admin:accounts_ledgerentry_changelist") + "?outcome__exact=finished")
    ledger = [query["sql"] for query in queries if "accounts_ledgerentry" in query["sql"]]
    assert ledger
    assert all("LIMIT" in sql for sql in ledger if "COUNT(" in sql)


@pytest.mark.parametrize(("page", "most"), [("key", 9), ("team", 8)])
def test_list_does_not_ask_once_a_row(
    staff: Client, django_assert_max_num_queries: Any, page: str, most: int
) -> None:
    for _ in range(10):
        make_key(make_team())
    with django_assert_max_num_queries(most):
        staff.get(reverse(f"admin:accounts_{page}_changelist"))


@pytest.fixture
def clerk() -> Client:
    """Staff with every permission there is, who is no superuser."""
    user = make_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("page", ["change", "password_change", "delete"])
def test_staff_cannot_change_people_even_with_the_permission(clerk: Client, page: str) -> None:
    me = User.objects.get(username="clerk")
    names = {"password_change": "auth_user_password_change"}
    address = reverse(f"admin:{names.get(page, f'accounts_user_{page}')}", args=[me.pk])
    answer = clerk.post(address, {"is_superuser": "on", "username": "clerk", "password1": "x", "post": "yes"})
    assert answer.status_code == 403
    assert not User.objects.get(username="clerk").is_superuser


def test_staff_cannot_make_people_or_groups(clerk: Client) -> None:
    assert clerk.post(reverse("admin:accounts_user_add"), {}).status_code == 403
    before = set(Group.objects.values_list("name", flat=True))
    assert clerk.post(reverse("admin:auth_group_add"), {"name": "x"}).status_code == 403
    assert set(Group.objects.values_list("name", flat=True)) == before


def test_superuser_can_make_people(staff: Client) -> None:
    form = {
        "username": "new",
        "password1": "a-long-phrase-9",
        "password2": "a-long-phrase-9",
        "usable_password": "true",
    }
    answer = staff.post(reverse("admin:accounts_user_add"), form)
    assert answer.status_code == 302
    assert User.objects.filter(username="new").exists()


def limit_form(amount: str, *, unit: str = "tokens", window: str = "minute", **fields: str) -> dict[str, str]:
    """One row of limits, as it is typed."""
    row = {"unit": unit, "window": window, "amount": amount} | fields
    ids = NO_LIMITS | {"limits-TOTAL_FORMS": "1"}
    if "id" in fields:
        ids["limits-INITIAL_FORMS"] = "1"
    return ids | {f"limits-0-{name}": value for name, value in row.items()}


def limited_page(kind: str, team: Team) -> tuple[str, dict[str, str]]:
    """The address of a page with limits on it, and what it holds besides."""
    if kind == "key":
        key, _ = make_key(team)
        return f"key/{key.pk}", key_form()
    if kind == "membership":
        forms = {"grants-TOTAL_FORMS": "0", "grants-INITIAL_FORMS": "0"}
        return f"membership/{Membership.objects.create(team=team, user=make_user()).pk}", forms
    made = {"serviceaccount": ServiceAccount, "project": Project}[kind].objects.create(
        team=team, slug="blue", name="Blue"
    )
    return f"{kind}/{made.pk}", {"name": "Blue", "slug": "blue", "is_active": "on"}


@pytest.mark.parametrize("kind", ["key", "membership", "serviceaccount", "project"])
def test_staff_set_change_and_remove_limits_on_the_page_of_whom_they_are_for(
    staff: Client, team: Team, kind: str
) -> None:
    place, form = limited_page(kind, team)
    page = f"/admin/accounts/{place}/change/"
    assert staff.post(page, form | limit_form("1000")).status_code == 302
    limit = Limit.objects.get()
    assert (limit.amount, limit.most, limit.set_by) == (1000, 1000, "curator")
    owner = {f"limits-0-{limit.subject_kind}": str(limit.subject[1])}
    there = form | owner | limit_form("2000", id=str(limit.pk), is_teams="on")
    assert staff.post(page, there).status_code == 302
    limit.refresh_from_db()
    assert (limit.amount, limit.most) == (2000, None)
    assert "2,000 tokens" in staff.get(page).text or 'value="2000"' in staff.get(page).text
    assert staff.post(page, there | {"limits-0-DELETE": "on"}).status_code == 302
    assert not Limit.objects.exists()


@pytest.mark.parametrize(
    ("unit", "window", "amount", "complaint"),
    [
        ("tokens", "none", "5", "use one of minute, day"),
        ("tokens", "minute", "0", "it must be 1 to"),
        ("requests", "minute", "5", "among its own fields"),
        ("concurrency", "minute", "5", "among its own fields"),
    ],
)
def test_limit_that_cannot_be_is_refused_on_the_page(
    staff: Client, team: Team, unit: str, window: str, amount: str, complaint: str
) -> None:
    key, _ = make_key(team)
    form = key_form() | limit_form(amount, unit=unit, window=window)
    answer = staff.post(f"/admin/accounts/key/{key.pk}/change/", form)
    assert (answer.status_code, complaint in answer.text) == (200, True)
    assert not Limit.objects.exists()


def test_limits_of_a_lineage_stand_on_the_page_of_each_of_its_keys(staff: Client, team: Team) -> None:
    old, _ = make_key(team)
    new, _ = rotate_key(key=old, overlap=OVERLAP)
    staff.post(f"/admin/accounts/key/{new.pk}/change/", key_form() | limit_form("77"))
    assert Limit.objects.get().key == old
    assert 'value="77"' in staff.get(f"/admin/accounts/key/{new.pk}/change/").text


def act_on_members(staff: Client, action: str, *rows: Membership) -> str:
    return staff.post(
        reverse("admin:accounts_membership_changelist"),
        {"action": action, "_selected_action": [row.pk for row in rows]},
        follow=True,
    ).text


def test_staff_suspend_members_and_let_them_back_in(staff: Client, team: Team) -> None:
    make_membership(team, role="owner")
    row = make_membership(team, role="admin")
    key, _ = make_key(team, owner=row.user)
    assert "1 done" in act_on_members(staff, "suspend", row)
    row.refresh_from_db()
    assert not row.is_active
    assert Key.objects.get().revision > key.revision
    assert "1 done" in act_on_members(staff, "let_back_in", row)
    row.refresh_from_db()
    assert (row.is_active, row.role) == (True, "admin")


def test_staff_leave_each_team_an_owner_and_see_those_without(staff: Client, team: Team) -> None:
    row = make_membership(team, role="owner")
    assert "would have no owner any more" in act_on_members(staff, "suspend", row)
    row.refresh_from_db()
    assert row.is_active
    list_of = f"{reverse('admin:accounts_team_changelist')}?owner=none"
    assert team.name not in staff.get(list_of).text
    User.objects.filter(pk=row.user_id).update(is_active=False)
    assert team.name in staff.get(list_of).text


@pytest.mark.parametrize("id_", ["x", "1/change", "9" * 30, "0"])
@pytest.mark.parametrize("button", ["revoke", "rotate"])
def test_button_of_a_row_that_is_not_there_is_a_404(staff: Client, button: str, id_: str) -> None:
    address = f"/admin/accounts/key/{id_}/{button}/"
    assert staff.post(address, {"_form_submitted": "True"}).status_code == 404


def test_row_that_another_one_was_a_moment_before_is_told_and_no_fault(staff: Client) -> None:
    def first(sender: Any, instance: ScimDirectory, **_: Any) -> None:
        ScimDirectory.objects.bulk_create([ScimDirectory(name=instance.name)])

    pre_save.connect(first, sender=ScimDirectory)
    try:
        form = {"name": "Okta", "trusted_domains": "", "tokens-TOTAL_FORMS": "0", "tokens-INITIAL_FORMS": "0"}
        answer = staff.post(reverse("admin:accounts_scimdirectory_add"), form, follow=True)
    finally:
        pre_save.disconnect(first, sender=ScimDirectory)
    assert "somebody else saved a row a moment before" in answer.text
    assert not ScimDirectory.objects.exists()
