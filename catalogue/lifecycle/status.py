"""A model's status, derived from its dates. Pure; the one rule for every surface."""

from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    ANNOUNCED = "announced"
    ACTIVE = "active"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


STATUSES = [status.value for status in Status]


def status_at(
    at: datetime, release_at: datetime | None, deprecation_at: datetime | None, retirement_at: datetime | None
) -> Status:
    """The status at that instant. A date counts from its first moment on; an unknown date never comes."""
    if retirement_at is not None and retirement_at <= at:
        return Status.RETIRED
    if release_at is not None and release_at > at:
        return Status.ANNOUNCED
    if deprecation_at is not None and deprecation_at <= at:
        return Status.DEPRECATED
    return Status.ACTIVE
