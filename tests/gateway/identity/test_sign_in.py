"""Signing in to the portal and out of it."""

import pytest
from django.test import Client

from accounts.models import User
from tests.make import make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def member() -> User:
    return make_user("mary", teams=[make_team("atlas")])


def test_member_who_signs_in_sees_the_overview(client: Client, member: User) -> None:
    response = client.post("/sign-in", {"username": "mary", "password": "password"}, follow=True)
    assert response.redirect_chain == [("/overview", 302)]
    assert "Overview of Atlas" in response.text


def test_first_page_leads_strangers_to_sign_in(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/sign-in"


def test_first_page_leads_members_to_the_overview(client: Client, member: User) -> None:
    client.force_login(member)
    assert client.get("/").headers["Location"] == "/overview"


def test_stranger_is_asked_to_sign_in_and_then_goes_where_they_wanted(client: Client, member: User) -> None:
    asked = client.get("/keys?team=atlas").headers["Location"]
    assert asked == "/sign-in?next=/keys%3Fteam%3Datlas"
    response = client.post(asked, {"username": "mary", "password": "password", "next": "/keys?team=atlas"})
    assert response.headers["Location"] == "/keys?team=atlas"


@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_signing_in_never_leads_to_another_site(client: Client, member: User, place: str) -> None:
    fields = {"username": "mary", "password": "password", "next": place}
    assert client.post("/sign-in", fields).headers["Location"] == "/overview"


def test_error_does_not_tell_whether_the_person_exists(client: Client, member: User) -> None:
    User.objects.filter(pk=make_user("gone").pk).update(is_active=False)
    answers = {
        client.post("/sign-in", {"username": name, "password": "wrong-one"}).text.replace(
            f'value="{name}"', ""
        )
        for name in ("mary", "nobody", "gone")
    }
    bare = {_without_token(answer) for answer in answers}
    assert len(bare) == 1
    assert "do not match" in bare.pop()


def test_person_switched_off_is_refused_with_the_right_password(client: Client, member: User) -> None:
    User.objects.update(is_active=False)
    response = client.post("/sign-in", {"username": "mary", "password": "password"})
    assert "do not match" in response.text


def test_signing_out_ends_the_session(client: Client, member: User) -> None:
    client.force_login(member)
    assert client.post("/sign-out").headers["Location"] == "/sign-in"
    assert client.get("/keys").status_code == 302


def test_signing_out_takes_a_post(client: Client, member: User) -> None:
    client.force_login(member)
    assert client.get("/sign-out").status_code == 405
    assert client.get("/keys").status_code == 200


@pytest.mark.parametrize("address", ["/sign-in", "/sign-out", "/keys"])
def test_form_without_its_token_is_refused_in_words(member: User, address: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(member)
    response = client.post(address, {"name": "forged"})
    assert response.status_code == 403
    assert "too old, or from another place" in response.text
    assert not member.teams.get().keys.exists()


def _without_token(page: str) -> str:
    return "\n".join(line for line in page.splitlines() if "csrfmiddlewaretoken" not in line)
