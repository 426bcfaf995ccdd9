"""A model's history, and the addresses by which it can be followed."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Key
from catalogue.models import Model
from catalogue.published.reading import Reading, read_now
from catalogue.publishing.editions import publish
from gateway.public.feeds import KEY
from gateway.public.history import ChangedField, Event, events_of
from tests.make import make_key, make_published

pytestmark = pytest.mark.django_db


def events() -> list[Event]:
    reading = read_now()
    return list(events_of(reading.snapshot.models["acme/one"], reading))


def change(model: Model, **fields: object) -> None:
    for name, value in fields.items():
        setattr(model, name, value)
    model.save()
    publish([model])


def test_publishing_is_the_first_that_happened() -> None:
    make_published("acme/one")
    assert [event.word for event in events()] == ["added"]


def test_newest_comes_first_with_what_was_and_what_is() -> None:
    model = make_published("acme/one", context_length=128_000)
    change(model, context_length=256_000)
    newest = events()[0]
    assert (newest.word, newest.fields) == ("changed", [ChangedField("context length", "128K", "256K")])


def test_of_a_list_it_tells_what_came_and_what_went() -> None:
    model = make_published("acme/one", input_types=["text", "file"])
    change(model, input_types=["text", "image"])
    assert events()[0].fields == [ChangedField("input types", came=["image"], went=["file"])]


def test_prices_are_told_as_people_read_them() -> None:
    model = make_published("acme/one")
    model.offerings.get().prices.filter(meter="input_text_tokens").update(amount="3")
    publish([model])
    repriced = next(event for event in events() if event.word == "repriced")
    assert repriced.fields[0] == ChangedField(
        "input price", "$1.00 / million tokens", "$3.00 / million tokens"
    )


def test_dates_are_told_as_days() -> None:
    model = make_published("acme/one")
    change(model, retirement_at=timezone.now().replace(2031, 5, 2, 0, 0, 0, 0))
    assert events()[0].fields == [ChangedField("retirement date", "none", "2 May 2031")]


def test_date_that_came_is_no_edition() -> None:
    change(make_published("acme/one"), deprecation_at=timezone.now() + timedelta(hours=1))
    later = Reading(read_now().snapshot, timezone.now() + timedelta(hours=2))
    newest = events_of(later.snapshot.models["acme/one"], later)[0]
    assert (newest.word, newest.edition) == ("deprecated", None)


def test_long_history_tells_its_newest_part() -> None:
    model = make_published("acme/one")
    for number in range(25):
        change(model, description=f"Number {number}.")
    told = events()
    assert len(told) == 20
    assert {event.word for event in told} == {"changed"}


def test_page_shows_the_history(client: Client) -> None:
    model = make_published("acme/one", input_types=["text"])
    change(model, input_types=["text", "image"])
    assert "<ins>image</ins>" in client.get("/models/acme/one").content.decode()


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("/models/acme/one", "acme/one"),
        ("/models?organisation=acme&limit=10", "acme/one"),
        ("/models/retirements", "VCALENDAR"),
    ],
)
def test_address_to_follow_opens_with_a_feed_key(client: Client, page: str, said: str) -> None:
    change(make_published("acme/one"), retirement_at=timezone.now() + timedelta(days=9))
    _, key = make_key(scope=Key.Scope.FEED)
    addresses = re.findall(r'<code id="feed-\w+">http://testserver([^<]+)', client.get(page).content.decode())
    answers = [client.get(address.replace("&amp;", "&").replace(KEY, key)) for address in addresses]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert said in answers[0].content.decode()
