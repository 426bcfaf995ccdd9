"""Pages in the zone of whoever reads them, with numbers as where they live; programs are told the same as ever."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.template import Context, Template
from django.test import Client

from accounts.models import Team, User
from gateway.core.reader import NOBODY, current, reader_of, reading
from tests.make import make_key, make_membership, make_team, make_user

pytestmark = pytest.mark.django_db
AT = datetime(2026, 7, 1, 22, 30, 5, tzinfo=UTC)


@pytest.fixture
def team() -> Team:
    return make_team("atlas", name="Atlas")


@pytest.fixture
def ann(team: Team) -> User:
    return make_membership(team, make_user("ann", email="ann@example.com"), role="owner").user


@pytest.fixture
def page(client: Client, ann: User) -> Client:
    client.force_login(ann)
    return client


def written(template: str, **context: Any) -> str:
    return Template(f"{{% load moments amounts %}}{template}").render(Context({"at": AT} | context))


@pytest.mark.parametrize(
    ("template", "text", "title"),
    [
        (
            "{% instant at %}",
            "02.07.2026, 00:30:05 CEST",
            "02.07.2026, 00:30:05 CEST, 2026-07-01 22:30:05 UTC",
        ),
        ("{{ 0.004|usd }}", "&lt; 0,01\xa0$", "0,004\xa0$"),
        ("{{ 1234567|tokens }}", "1,23M", "1.234.567"),
    ],
)
def test_reader_sees_their_own_and_what_is_exact_in_the_title(template: str, text: str, title: str) -> None:
    with reading(reader_of(User(time_zone="Europe/Berlin", locale="de"))):
        found = written(template)
    assert f'title="{title}" tabindex="-1">{text}</' in found


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ 1234567|count }}", "1,234,567"),
        ("{{ 12.5|usd }}", "$12.50"),
        ("{{ 0.125|percent }}", "12.5\xa0%"),
        ("{{ nothing|usd }}{{ nothing|count }}{{ nothing|tokens }}{{ nothing|percent }}", "————"),
        ('{{ "<b>"|usd }}', "—"),
        ("{{ 1234.5|usd_text }} {{ 0.0001|usd_exactly }}", "$1,234.50 $0.0001"),
        ("{% zone %}", "UTC"),
    ],
)
def test_numbers_are_written_for_nobody_in_particular(template: str, text: str) -> None:
    assert written(template) == text


def test_person_chooses_zone_and_locale(page: Client, ann: User) -> None:
    answer = page.post("/notifications", {"time_zone": "Asia/Kolkata", "locale": "de"}, follow=True)
    ann.refresh_from_db()
    assert (ann.time_zone, ann.locale) == ("Asia/Kolkata", "de")
    assert '<option value="Asia/Kolkata" selected>' in answer.text
    assert "German: 1.234,50\xa0$, 31.12.2026" in answer.text


@pytest.mark.parametrize("given", [{"time_zone": "Mars/Olympus"}, {"locale": "tlh"}, {"time_zone": "../etc"}])
def test_what_is_no_zone_or_locale_is_refused_and_nothing_is_kept(
    page: Client, ann: User, given: Any
) -> None:
    answer = page.post("/notifications", {"budget.threshold": "none", **given})
    ann.refresh_from_db()
    assert "Nothing was changed." in answer.text
    assert (ann.time_zone, ann.locale, ann.alert_choices.count()) == ("", "", 0)
    with pytest.raises(ValidationError):
        User(username="x", password="x", **given).full_clean()


def test_page_tells_times_of_the_reader_else_of_the_team(page: Client, ann: User, team: Team) -> None:
    Team.objects.update(time_zone="Asia/Tokyo")
    make_key(team, "nightly")
    assert " JST, " in page.get("/keys").text
    User.objects.update(time_zone="Europe/Lisbon")
    assert " JST, " not in (text := page.get("/keys").text)
    assert " WET, " in text or " WEST, " in text


def test_sign_out_and_the_next_request_leave_nothing_behind(page: Client, ann: User) -> None:
    User.objects.update(time_zone="Asia/Tokyo", locale="de")
    page.get("/keys")
    assert current() is NOBODY


def test_forms_read_numbers_as_before_whatever_the_locale(page: Client, ann: User, team: Team) -> None:
    User.objects.update(locale="de")
    key, _ = make_key(team, "nightly")
    path = f"/keys/{key.public_id}/budgets?team=atlas"
    answer = page.post(
        path, {"budget-amount_usd": "1.234,50", "budget-window": "month", "budget-zone": "UTC"}
    )
    assert "Enter a number" in answer.text
    assert not key.budgets.exists()
