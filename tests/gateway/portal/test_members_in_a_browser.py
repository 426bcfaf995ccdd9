"""An invitation from its link to a role, in a real browser: the secret stands in no address that a server is told."""

import pytest
from selenium.webdriver.support.ui import Select

from accounts.acting import Acting
from accounts.invitations import invite
from accounts.models import Membership, Team, User
from tests.gateway.conftest import browser, one_browser
from tests.make import make_membership, make_team, make_user
from tests.pages import Browser

__all__ = ["browser", "one_browser"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PASSWORD = "a long enough one 9"


@pytest.fixture
def boss() -> Acting:
    team = make_team("atlas", name="Atlas")
    member = make_membership(team, make_user("boss"), role="owner")
    return Acting(member.user, team, member, member.rights)


def invited(boss: Acting) -> str:
    return invite(team=boss.team, email="ann@example.com", role="member", by=boss)[1]


def test_link_takes_its_secret_out_of_the_address_and_leads_to_a_new_account(
    browser: Browser, boss: Acting
) -> None:
    secret = invited(boss)
    browser.open(f"/invitation#{secret}")
    browser.wait_until(lambda: browser.address == "/invitation")
    assert browser.find("[name=secret]").get_attribute("value") == secret
    browser.find("main button.primary").click()
    browser.wait_for("[name=password2]")
    assert "Join Atlas?" in browser.text
    for name, text in {"username": "ann", "password1": PASSWORD, "password2": PASSWORD}.items():
        browser.find(f"[name={name}]").send_keys(text)
    browser.find("main form.fields button.primary").click()
    browser.wait_for_address("/team?team=atlas")
    assert Membership.objects.get(user=User.objects.get(username="ann")).role == "member"
    assert browser.complaints() == []


def test_link_leads_through_a_sign_in(browser: Browser, boss: Acting) -> None:
    make_user("ann")
    browser.open(f"/invitation#{invited(boss)}")
    browser.wait_until(lambda: browser.find("[name=secret]").get_attribute("value"))
    browser.find("main button.primary").click()
    browser.wait_for("main a.primary").click()
    browser.wait_for("[name=password]")
    browser.find("[name=username]").send_keys("ann")
    browser.find("[name=password]").send_keys("password")
    browser.find("main button.primary").click()
    browser.wait_for("[value=accept]")
    browser.find("main button.primary").click()
    browser.wait_for_address("/team?team=atlas")


def test_owner_invites_changes_a_role_and_takes_somebody_out(browser: Browser, boss: Acting) -> None:
    mary = make_membership(Team.objects.get(), make_user("mary"))
    browser.enter("boss")
    browser.open("/team/members")
    browser.find("[name=invitation-email]").send_keys("ann@example.com")
    browser.find("#invite form.card button").click()
    assert "/invitation#" in browser.wait_for("#new-link").text
    browser.open(f"/team/members/{mary.pk}")
    Select(browser.find("[name=role]")).select_by_value("viewer")
    browser.find("#role button.primary").click()
    assert "mary is now viewer of Atlas." in browser.wait_for(".notice.success").text
    browser.find("#role a.danger").click()
    browser.wait_for("button.solid").click()
    assert "does not belong any more" in browser.wait_for(".notice.success").text
    mary.refresh_from_db()
    assert not mary.is_active
