"""An alert is raised once for its cause and window, whoever asks how often, and tells in words what it is about."""

from typing import Any

import orjson
import pytest
from django.db import transaction

from accounts.alerts.kinds import KINDS
from accounts.alerts.raising import DATA_BYTES, bounded, raise_alert
from accounts.models import Alert
from tests.make import make_team

pytestmark = pytest.mark.django_db


def test_alert_is_new_once_for_each_cause_window_and_team() -> None:
    team = make_team()
    asked: list[dict[str, Any]] = [
        {"cause": "model:1"},
        {"cause": "model:1"},
        {"cause": "model:2"},
        {"cause": "model:1", "window": "2026-06"},
        {"cause": "model:1", "team": team},
        {"cause": "model:1", "team": team},
    ]
    assert [raise_alert("model.retired", **each) for each in asked] == [True, False, True, True, True, False]
    assert Alert.objects.count() == 4


def test_two_kinds_of_one_cause_are_two_alerts() -> None:
    assert [raise_alert(kind, cause="x") for kind in ("model.retired", "model.repriced")] == [True, True]


def test_causes_that_begin_alike_for_longer_than_is_kept_are_told_apart() -> None:
    assert [raise_alert("books.differ", cause="x" * 300 + end) for end in "aba"] == [True, True, False]


def test_alert_that_is_there_does_not_end_the_transaction_that_asks_again() -> None:
    with transaction.atomic():
        raise_alert("books.differ", cause="x")
        assert not raise_alert("books.differ", cause="x")
        assert Alert.objects.count() == 1


def test_alert_of_a_transaction_that_failed_is_not_there() -> None:
    with transaction.atomic():
        raise_alert("books.differ", cause="x")
        transaction.set_rollback(True)
    assert raise_alert("books.differ", cause="x")


def test_words_name_what_the_data_says_and_dash_what_it_does_not() -> None:
    data = {"model": "acme/one", "news": "Gone.\0", "calls": 3}
    raise_alert("model.retired", cause="x", data=data)
    alert = Alert.objects.get()
    assert alert.title == "acme/one is retired"
    assert alert.text == "Gone.\n\nYour team called it 3 times in the last — days."
    assert alert.data == {"model": "acme/one", "news": "Gone.", "calls": 3}


def test_title_stays_one_line_of_two_hundred_letters() -> None:
    raise_alert("books.differ", cause="x", data={"what": "a\nBcc: everybody" + "x" * 300})
    title = Alert.objects.get().title
    assert title.startswith(r"a\nBcc: everybody")
    assert len(title) <= 200


def test_kind_that_there_is_not_is_an_error() -> None:
    with pytest.raises(KeyError):
        raise_alert("budget.exploded", cause="x")


@pytest.mark.parametrize("over", [0, 1])
def test_data_that_is_too_long_says_that_it_is_cut(over: int) -> None:
    around = len(orjson.dumps({"lines": ""}))
    data = {"lines": "x" * (DATA_BYTES - around + over)}
    assert bounded(data) == ({"truncated": True, "lines": "x" * 1000} if over else data)


def test_members_that_do_not_fit_are_left_out() -> None:
    kept = bounded({"short": 1, "long": ["x" * 900] * 20, "last": 2})
    assert kept == {"truncated": True, "short": 1, "last": 2}


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_says_something_without_any_data(name: str) -> None:
    assert KINDS[name].title_of({})
    assert "{" not in KINDS[name].text_of({})
