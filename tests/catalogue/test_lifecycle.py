"""A model's status at an instant."""

from datetime import datetime

from catalogue.lifecycle import Status, status_at
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
