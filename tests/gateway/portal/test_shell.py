"""The column beside every page: sections, whose they are, and where it does not stand."""

import pytest
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils.html import escape
from pytest_django import DjangoAssertNumQueries

from accounts.rights import RIGHTS, Role
from gateway.portal.shell import SECTIONS, Section
from tests.make import make_key, make_membership, make_team, make_user

pytestmark = pytest.mark.django_db


def column_of(client: Client, address: str) -> str:
    page = client.get(address, follow=True).content.decode()
    return page.partition('<nav class="column"')[2].partition("</nav>")[0]


@pytest.mark.parametrize("role", Role)
def test_column_shows_what_a_role_may_open_and_nothing_else(client: Client, role: Role) -> None:
    client.force_login(make_user("mary", teams=[make_team("atlas")], role=role))
    column = column_of(client, reverse("portal:team"))
    for section in SECTIONS:
        assert (f">{escape(section.label)}</a>" in column) == (section.right in RIGHTS[role]), section.label


@pytest.mark.parametrize("section", SECTIONS, ids=lambda each: each.label)
def test_each_section_opens_and_says_that_one_is_there(client: Client, section: Section) -> None:
    client.force_login(make_user("mary", teams=[make_team("atlas")], role="owner"))
    column = column_of(client, f"{reverse(section.view)}?team=atlas")
    assert column.count('aria-current="page"') == 1
    assert f'aria-current="page">{escape(section.label)}</a>' in column


def test_each_page_named_by_a_section_has_an_address_and_stands_in_one_section() -> None:
    pages = [page for section in SECTIONS for page in section.pages]
    assert len(pages) == len(set(pages))
    known = {
        f"{namespace}:{name}"
        for namespace, (_, resolver) in get_resolver().namespace_dict.items()
        for name in resolver.reverse_dict
        if isinstance(name, str)
    }
    assert set(pages) <= known


def test_column_follows_the_team_whose_key_a_page_shows(client: Client) -> None:
    atlas, borealis = make_team("atlas"), make_team("borealis")
    client.force_login(make_user("mary", teams=[atlas, borealis]))
    key, _ = make_key(borealis, name="Nightly")
    column = column_of(client, reverse("portal:key", args=[key.public_id]))
    assert f"<summary><bdi>{borealis.name}</bdi></summary>" in column
    assert "/keys?team=borealis" in column
    assert "/keys?team=atlas" in column


def test_column_leads_to_another_team_at_the_same_section_where_one_may_open_it(client: Client) -> None:
    atlas, borealis, corvus = make_team("atlas"), make_team("borealis"), make_team("corvus")
    mary = make_user("mary", teams=[atlas, borealis], role="owner")
    make_membership(corvus, mary, role="viewer")
    client.force_login(mary)
    column = column_of(client, f"{reverse('portal:audit')}?team=atlas")
    others = column.partition("<details")[2].partition("</details>")[0]
    assert f"{reverse('portal:audit')}?team=borealis" in others
    assert f"{reverse('portal:audit')}?team=corvus" not in others
    assert "?team=corvus" in others


def test_column_stands_beside_the_catalogue_for_who_signed_in_and_for_nobody_else(client: Client) -> None:
    make_team("atlas")
    assert column_of(client, reverse("public:models")) == ""
    client.force_login(make_user("alone", teams=[]))
    assert column_of(client, reverse("public:models")) == ""
    client.force_login(make_user("mary", teams=[make_team("borealis")]))
    assert 'aria-current="page">Models</a>' in column_of(client, reverse("public:models"))


def test_column_takes_one_query_at_most(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(make_user("mary", teams=[make_team(f"team-{number}") for number in range(20)]))
    client.get(reverse("docs"))
    # The session, the person, the teams.
    with django_assert_max_num_queries(3):
        page = client.get(reverse("docs"))
    assert b'class="column"' in page.content


def test_names_of_teams_stay_text_and_keep_their_direction(client: Client) -> None:
    team = make_team("atlas", name="<script>alert(1)</script> \u0641\u0631\u064a\u0642")
    client.force_login(make_user("mary", teams=[team]))
    column = column_of(client, reverse("portal:keys"))
    assert "<bdi>&lt;script&gt;" in column
    assert "<script>" not in column
