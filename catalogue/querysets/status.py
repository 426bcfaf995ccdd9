"""The rule of catalogue.lifecycle.status in SQL."""

from datetime import datetime

from django.db.models import Case, CharField, Value, When

from catalogue.lifecycle.status import Status


def status_case(at: datetime) -> Case:
    """For any table with the three dates."""
    return Case(
        When(retirement_at__lte=at, then=Value(Status.RETIRED)),
        When(release_at__gt=at, then=Value(Status.ANNOUNCED)),
        When(deprecation_at__lte=at, then=Value(Status.DEPRECATED)),
        default=Value(Status.ACTIVE),
        output_field=CharField(),
    )
