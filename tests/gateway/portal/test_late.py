"""A page left open until its session was over, until somebody signed in elsewhere, and until another version ran."""

import re

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Team
from gateway.portal.late import TOLD
from tests.make import make_team, make_user

pytestmark = pytest.mark.django_db
PAGE = "/team/projects?team=atlas"


@pytest.fixture
def team() -> Team:
    team = make_team("atlas")
    make_user("mary", teams=[team], role="owner")
    return team


def test_form_sent_after_the_session_leads_back_to_its_page_and_says_that_nothing_changed(
    client: Client, team: Team
) -> None:
    answer = client.post(
        "/team/unfreeze?team=atlas", headers={"referer": "http://testserver/team?team=atlas"}, follow=True
    )
    assert answer.redirect_chain[0][0] == "/sign-in?next=%2Fteam%3Fteam%3Datlas"
    assert TOLD in answer.text
    sent = {"username": "mary", "password": "password", "next": "/team?team=atlas"}
    assert client.post("/sign-in", sent)["Location"] == "/team?team=atlas"


@pytest.mark.parametrize(
    "referer", ["", "https://evil.example/team", "//evil.example", "javascript:alert(1)"]
)
def test_page_of_another_host_is_not_led_back_to(client: Client, team: Team, referer: str) -> None:
    answer = client.post(PAGE, headers={"referer": referer})
    assert answer["Location"] == "/sign-in?next=/team/projects%3Fteam%3Datlas"


def test_form_of_before_a_sign_in_elsewhere_is_refused_with_what_to_do(team: Team) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/sign-in")
    client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    client.force_login(team.memberships.get().user)
    answer = client.post(PAGE, {"csrfmiddlewaretoken": "b" * 32})
    assert answer.status_code == 403
    assert "Go back, load the page again and send the form once more." in answer.text
    sent_from = {"referer": f"http://testserver{PAGE}"}
    answer = client.post("/team/unfreeze", {"csrfmiddlewaretoken": "b" * 32}, headers=sent_from)
    assert f'<a class="button primary" href="{PAGE}">Load its page again</a>' in answer.text


def test_files_of_a_page_of_another_version_are_still_answered(client: Client, team: Team) -> None:
    page = client.get("/sign-in").text
    address = re.findall(r'href="(/static/gateway/gatehouse.css\?v=)\w+"', page)[0]
    answer = client.get(f"{address}0123456789abcdef")
    assert answer.status_code == 200
    assert "immutable" not in answer.get("Cache-Control", "")
    answer.close()
