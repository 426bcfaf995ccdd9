"""A model's status at an instant."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from catalogue.lifecycle.message import lifecycle_message
from catalogue.lifecycle.status import Status, status_at
from tests.gateway.proxy.values import a_model
from tests.make import NOW, TOMORROW, YESTERDAY


def status(
    release: datetime | None = None, deprecation: datetime | None = None, retirement: datetime | None = None
) -> Status:
    return status_at(NOW, release, deprecation, retirement)


def test_model_without_dates_is_active() -> None:
    assert status() is Status.ACTIVE


def test_model_is_announced_before_its_release() -> None:
    assert status(release=TOMORROW) is Status.ANNOUNCED


def test_model_is_active_from_the_instant_of_its_release() -> None:
    assert status(release=NOW) is Status.ACTIVE


def test_deprecation_ahead_changes_nothing_yet() -> None:
    assert status(YESTERDAY, TOMORROW) is Status.ACTIVE


def test_model_is_deprecated_from_the_instant_of_its_deprecation() -> None:
    assert status(YESTERDAY, NOW) is Status.DEPRECATED


def test_deprecated_model_with_retirement_ahead_is_still_deprecated() -> None:
    assert status(YESTERDAY, YESTERDAY, TOMORROW) is Status.DEPRECATED


def test_model_is_retired_from_the_instant_of_its_retirement() -> None:
    assert status(YESTERDAY, YESTERDAY, NOW) is Status.RETIRED


def test_retirement_without_deprecation_retires() -> None:
    assert status(retirement=YESTERDAY) is Status.RETIRED


DAY = NOW.replace(hour=0)
DAY_BEFORE, NEXT_DAY = DAY - timedelta(days=1), DAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("dates", "message"),
    [
        ({}, None),
        ({"release_at": NEXT_DAY}, "Model 'acme/one' will be released on 2026-06-02."),
        ({"deprecation_at": NEXT_DAY}, None),
        ({"deprecation_at": DAY}, "Model 'acme/one' has been deprecated since 2026-06-01; use 'acme/two'."),
        (
            {"deprecation_at": DAY_BEFORE, "retirement_at": NEXT_DAY},
            "Model 'acme/one' has been deprecated since 2026-05-31 and will be retired on 2026-06-02; use 'acme/two'.",
        ),
        ({"retirement_at": DAY}, "Model 'acme/one' was retired on 2026-06-01; use 'acme/two'."),
    ],
)
def test_people_are_told_what_its_dates_mean(dates: dict[str, Any], message: str | None) -> None:
    assert lifecycle_message(a_model(**dates), a_model("acme/two"), DAY) == message
