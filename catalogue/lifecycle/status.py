"""A model's status, derived from its dates, and what people are told of it. Pure; the one rule for every surface."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from catalogue.instants import date_text

if TYPE_CHECKING:
    from catalogue.published.snapshot import ModelFacts


class Status(StrEnum):
    ANNOUNCED = "announced"
    ACTIVE = "active"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


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


def lifecycle_message(model: "ModelFacts", successor: "ModelFacts | None", at: datetime) -> str | None:
    """What people should know of its life; None while it is simply active."""
    retired_on = date_text(model.retirement_at)
    match model.status(at):
        case Status.ACTIVE:
            return None
        case Status.ANNOUNCED:
            return f"Model '{model.id}' will be released on {date_text(model.release_at)}."
        case Status.RETIRED:
            news = f"was retired on {retired_on}"
        case Status.DEPRECATED:
            end = f" and will be retired on {retired_on}" if retired_on else ""
            news = f"has been deprecated since {date_text(model.deprecation_at)}{end}"
    advice = f"; use '{successor.id}'" if successor else ""
    return f"Model '{model.id}' {news}{advice}."
