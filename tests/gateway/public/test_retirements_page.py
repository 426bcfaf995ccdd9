"""Who retires when."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from catalogue.published.reading import Reading, read_now
from gateway.public.calendar import Calendar, Month, calendar_of
from tests.make import NOW, make_model, publish_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def calendar() -> Calendar:
    successor = make_model("acme/new")
    for slug, end in {
        "may": (2026, 5, 2),
        "june": (2026, 6, 30),
        "july": (2026, 7, 9),
        "july-too": (2026, 7, 3),
    }.items():
        make_model(f"acme/{slug}", retirement_at=datetime(*end, tzinfo=UTC), successor=successor)
    make_model("acme/undated", deprecation_at=NOW)
    publish_all()
    return calendar_of(Reading(read_now().snapshot, NOW))


def test_next_month_comes_first_and_days_are_in_order(calendar: Calendar) -> None:
    assert named(calendar.coming) == {"2026-06": ["acme/june"], "2026-07": ["acme/july-too", "acme/july"]}


def test_past_is_apart(calendar: Calendar) -> None:
    assert named(calendar.past) == {"2026-05": ["acme/may"]}


def test_deprecated_model_without_a_day_is_listed(calendar: Calendar) -> None:
    assert [end.model.id for end in calendar.undated] == ["acme/undated"]


def test_each_has_its_successor(calendar: Calendar) -> None:
    (june,) = calendar.coming[0].retirements
    assert june.successor is not None
    assert june.successor.id == "acme/new"


@pytest.mark.usefixtures("catalogue")
def test_page_folds_the_past_and_names_the_successor(client: Client) -> None:
    page = client.get("/models/retirements").content.decode()
    assert "No retirement is planned" in page
    assert "Retired already: 1 model" in page
    assert 'use <a href="/models/acme/big">Big</a>' in page


def named(months: object) -> dict[str, list[str]]:
    assert isinstance(months, list)
    found: list[Month] = months
    return {f"{month.first:%Y-%m}": [end.model.id for end in month.retirements] for month in found}
