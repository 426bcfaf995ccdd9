"""What was typed into a form that was sent too late is offered again after the sign-in, but for secrets."""

import pytest
from django.conf import settings

from catalogue.models import Organisation
from tests.gateway.conftest import browser, one_browser
from tests.make import make_organisation, make_staff, make_team, make_user
from tests.pages import Browser

__all__ = ["browser", "one_browser"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PAGE = "/team/projects?team=atlas"
KEPT = "return sessionStorage.getItem('sent-form')"


def test_what_was_typed_is_put_back_for_the_same_person_alone(browser: Browser) -> None:
    team = make_team("atlas")
    for name in ("mary", "ann"):
        make_user(name, teams=[team], role="owner")
    browser.enter("mary")
    browser.open(PAGE)
    browser.find("[name=project-name]").send_keys("Blue שלום")
    browser.run(
        "const form = document.querySelector('[name=project-name]').form;"
        "const extra = document.createElement('input'); extra.name = 'secret'; extra.value = 'hushed';"
        "form.append(extra); document.querySelector('[name=project-slug]').value = 'blue';"
    )
    browser.driver.delete_cookie(settings.SESSION_COOKIE_NAME)
    browser.run("document.querySelector('[name=project-name]').form.requestSubmit()")
    browser.wait_for("[name=username]")
    assert "Blue" in str(browser.run(KEPT))
    assert "hushed" not in str(browser.run(KEPT))
    browser.enter("mary")
    browser.open(PAGE)
    browser.wait_for("main > .notice.info button").click()
    assert browser.find("[name=project-name]").get_property("value") == "Blue שלום"
    assert browser.find("[name=project-slug]").get_property("value") == "blue"
    browser.run("document.querySelector('[name=project-name]').form.requestSubmit()")
    browser.wait_until(team.projects.exists)
    browser.open(PAGE)
    assert browser.run(KEPT) is None
    browser.find("[name=project-name]").send_keys("Red")
    browser.driver.delete_cookie(settings.SESSION_COOKIE_NAME)
    browser.run("document.querySelector('[name=project-name]').form.requestSubmit()")
    browser.wait_until(lambda: browser.address.startswith(("/sign-in", "/team")) and browser.run(KEPT))
    browser.enter("ann")
    browser.open(PAGE)
    assert browser.count("main > .notice.info") == 0
    assert browser.run(KEPT) is None
    assert browser.complaints() == []


def test_what_staff_typed_in_the_admin_is_put_back_too(browser: Browser) -> None:
    make_organisation("acme")
    make_staff("root")
    page = "/admin/catalogue/organisation/acme/change/"
    browser.enter("root")
    browser.open(page)
    typed = "const field = document.querySelector('[name=name]'); field.value = 'Acme of today'; "
    browser.driver.delete_cookie(settings.SESSION_COOKIE_NAME)
    browser.run(f"{typed} field.form.requestSubmit(document.querySelector('[name=_save]'))")
    browser.wait_for("[name=username]")
    assert "nothing was changed" in browser.text
    assert Organisation.objects.get().name == "Acme"
    browser.enter("root")
    browser.open(page)
    browser.wait_for("#content > .notice.info button").click()
    assert browser.find("[name=name]").get_property("value") == "Acme of today"
    assert browser.complaints() == []
