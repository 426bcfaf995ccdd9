"""Limits on the portal's pages: what counts for a key's calls and who set it, and setting them there."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from accounts.limiting import set_limit
from accounts.models import Key, Limit, Membership, Project, ServiceAccount, Team
from accounts.rights import Role
from accounts.services import OVERLAP, revoke_key, rotate_key
from tests.make import make_key, make_team, make_user
from tests.pages import MOST_QUERIES

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return make_team("atlas", name="Atlas")


@pytest.fixture
def member(client: Client, team: Team) -> Client:
    client.force_login(make_user("mary", teams=[team], role="admin"))
    return client


@pytest.fixture
def owner(member: Client) -> Client:
    Membership.objects.update(role=Role.OWNER)
    return member


@pytest.fixture
def key(team: Team) -> Key:
    return make_key(team, "nightly", requests_per_minute=60)[0]


def limits_on(page: str) -> list[list[str]]:
    """The cells of all tables of limits, as text, the buttons' without what only ears are told."""
    tables = re.findall(r'aria-label="Limits[^"]*".*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    rows = [row for table in tables for row in table.split("</tr>")[:-1]]
    unheard = r'<span class="unseen">[^<]*</span>|<span class="id">.*?</span>'
    plain = [re.sub(unheard, "", row, flags=re.DOTALL) for row in rows]
    return [
        [
            unescape(re.sub(r"<[^>]+>", "", cell)).strip("\N{EN DASH} \n")
            for cell in re.split(r"</t[hd]>", row)[:-1]
        ]
        for row in plain
    ]


def typed(
    amount: str = "500", *, unit: str = "tokens", window: str = "minute", **more: str
) -> dict[str, str]:
    fields = {"unit": unit, "window": window, "amount": amount} | more
    return {f"limit-{name}": value for name, value in fields.items()}


def test_key_page_shows_all_limits_that_count_for_its_calls_and_who_set_them(
    member: Client, team: Team
) -> None:
    mary = Membership.objects.get()
    project = Project.objects.create(team=team, slug="blue", name="Blue")
    key, _ = make_key(team, owner=mary.user, project=project, concurrency=3)
    set_limit(subject=mary, unit="tokens", window="day", amount=9_000)
    set_limit(subject=project, unit="requests", window="minute", amount=5)
    set_limit(subject=team, unit="output_tokens", window="minute", amount=70, most=100, is_staff=True)
    set_limit(subject=Project.objects.create(team=team, slug="red", name="Red"), **TOKENS)
    Team.objects.update(key_requests_per_minute_most=600)
    member.post(f"/keys/{key.public_id}/limits", typed("500"))
    assert limits_on(member.get(f"/keys/{key.public_id}").text) == [
        ["This key", "3 calls at once", "", "", "", "", "ChangeRemove"],
        ["This key", "500 tokens a minute", "", "", "", "mary", "ChangeRemove"],
        ["mary", "9,000 tokens a day", "", "", "", "", ""],
        ["Project Blue", "5 requests a minute", "", "", "", "", ""],
        ["All of Atlas", "70 output tokens a minute", "", "", "100", "", "Ask for more"],
        ["Every key of Atlas", "600 requests a minute", "", "", "600", "staff", ""],
    ]


TOKENS: Any = {"unit": "tokens", "window": "minute", "amount": 5}


def test_key_without_limits_says_so(member: Client, team: Team) -> None:
    assert "its calls are not limited" in member.get(f"/keys/{make_key(team)[0].public_id}").text


def test_limit_of_a_key_is_set_changed_and_removed(member: Client, key: Key) -> None:
    for amount in ("500", "400"):
        page = member.post(f"/keys/{key.public_id}/limits", typed(amount), follow=True).text
        assert "Saved." in page
    limit = Limit.objects.get(unit="tokens")
    assert (limit.key, limit.amount) == (key, 400)
    page = member.post(f"/team/limits/{limit.pk}/remove", {"key": key.public_id}, follow=True)
    assert page.redirect_chain[-1][0] == f"/keys/{key.public_id}"
    assert not Limit.objects.filter(unit="tokens").exists()


def test_limit_set_on_a_successor_is_its_lineages(member: Client, key: Key) -> None:
    new, _ = rotate_key(key=key, overlap=OVERLAP)
    member.post(f"/keys/{new.public_id}/limits", typed("500"))
    assert Limit.objects.get(unit="tokens").key == key
    for each in (key, new):
        assert [row[1] for row in limits_on(member.get(f"/keys/{each.public_id}").text)] == [
            "60 requests a minute",
            "500 tokens a minute",
        ]


def test_field_of_a_key_is_one_of_its_limits(member: Client, key: Key) -> None:
    member.post(f"/keys/{key.public_id}/limits", typed("7", unit="requests"))
    assert 'name="requests_per_minute" value="7"' in member.get(f"/keys/{key.public_id}").text


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (typed("0"), "amount"),
        (typed("many"), "amount"),
        (typed("1000001", unit="requests"), "amount"),
        (typed(window="none"), "window"),
        (typed(unit="words"), "unit"),
    ],
)
def test_limit_that_cannot_be_is_refused_at_its_field(
    member: Client, key: Key, given: dict[str, str], field: str
) -> None:
    page = member.post(f"/keys/{key.public_id}/limits", given).text
    assert re.search(rf'id="id_limit-{field}_error"[^>]*><li>', page)
    assert Limit.objects.count() == 1


def test_ceiling_of_the_team_holds_for_limits_of_its_keys(member: Client, key: Key) -> None:
    Team.objects.update(key_requests_per_minute_most=60)
    page = member.post(f"/keys/{key.public_id}/limits", typed("61", unit="requests")).text
    assert re.search(r'id="id_limit-amount_error"[^>]*><li>[^<]*at most 60', page)
    limit = Limit.objects.get()
    page = member.post(f"/team/limits/{limit.pk}/remove", {"key": key.public_id}, follow=True).text
    assert "at most 60" in page
    assert Limit.objects.filter(pk=limit.pk).exists()


def test_revoked_key_gets_no_limits(member: Client, key: Key) -> None:
    revoke_key(key=key)
    assert member.post(f"/keys/{key.public_id}/limits", typed()).status_code == 403
    assert "Set this limit" not in member.get(f"/keys/{key.public_id}").text


def choices_on(page: str) -> list[str]:
    options = unescape(page).partition('name="limit-subject"')[2].partition("</select>")[0]
    return re.findall(r">([^<]+)</option>", options)


def test_owner_sets_limits_of_the_team_and_of_all_in_it(owner: Client, team: Team) -> None:
    ServiceAccount.objects.create(team=team, slug="robot", name="Robot")
    Project.objects.create(team=team, slug="blue", name="Blue")
    page = owner.get("/team/limits").text
    assert choices_on(page) == ["All of Atlas", "mary", "Service account Robot", "Project Blue"]
    for value in re.findall(r'<option value="(\w+-\d+)"', page):
        answer = owner.post("/team/limits", {"form": "limit"} | typed(subject=value), follow=True)
        assert "Saved." in answer.text
    assert {limit.subject_kind for limit in Limit.objects.all()} == {
        "team",
        "member",
        "service_account",
        "project",
    }
    assert {row[0] for row in limits_on(owner.get("/team/limits").text)} == set(choices_on(page))


def test_admin_sets_limits_of_people_programs_and_projects(member: Client, team: Team) -> None:
    assert choices_on(member.get("/team/limits").text) == ["mary"]
    Project.objects.create(team=team, slug="blue", name="Blue")
    assert choices_on(member.get("/team/limits").text) == ["mary", "Project Blue"]
    taken = member.post("/team/limits", {"form": "limit"} | typed(subject=f"team-{team.pk}"))
    assert "Nothing was changed" in taken.text
    limit = set_limit(subject=team, **TOKENS)
    assert limits_on(member.get("/team/limits").text)[0][-1] == "Ask for more"
    assert member.post(f"/team/limits/{limit.pk}/remove").status_code == 403
    assert Limit.objects.get() == limit


def test_owner_lowers_what_staff_set_and_cannot_pass_or_remove_it(owner: Client, team: Team) -> None:
    limit = set_limit(subject=team, **TOKENS, most=5, is_staff=True)
    form = {"form": "limit"} | typed("3", subject=f"team-{team.pk}")
    owner.post("/team/limits", form)
    assert limits_on(owner.get("/team/limits").text) == [
        ["All of Atlas", "3 tokens a minute", "", "", "5", "mary", "Change"]
    ]
    page = owner.post("/team/limits", form | {"limit-amount": "6"}).text
    assert re.search(r'id="id_limit-amount_error"[^>]*><li>[^<]*5 at most', page)
    assert (
        "staff allow this limit to be 5 at most"
        in owner.post(f"/team/limits/{limit.pk}/remove", follow=True).text
    )
    assert Limit.objects.get().amount == 3


def test_page_asks_as_many_queries_for_many_limits_as_for_few(
    owner: Client, team: Team, django_assert_max_num_queries: Any
) -> None:
    for number in range(10):
        project = Project.objects.create(team=team, slug=f"p{number}", name="P")
        set_limit(subject=project, **TOKENS)
        set_limit(subject=Membership.objects.create(team=team, user=make_user()), **TOKENS)
    # The first page lists the session, which takes queries of its own.
    owner.get("/team/limits")
    with django_assert_max_num_queries(MOST_QUERIES):
        owner.get("/team/limits")
