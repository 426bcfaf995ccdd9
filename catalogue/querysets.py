"""Questions that are asked of working rows. Whatever depends on time takes `at`."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db.models import Case, CharField, Prefetch, QuerySet, Value, When

from catalogue.lifecycle import Status
from catalogue.models.offering import Offering

if TYPE_CHECKING:
    from catalogue.models.model import Model  # noqa: F401  # named in a base class, as text


class ModelQuerySet(QuerySet["Model"]):
    """Working rows."""

    def complete(self) -> Self:
        """With everything that compiling reads: a fixed number of queries for any number of models."""
        offerings = Prefetch("offerings", queryset=Offering.objects.select_related("provider"))
        related = self.select_related("organisation", "successor", "previous")
        return related.prefetch_related("aliases", offerings, "offerings__prices")

    def with_status(self, at: datetime) -> Self:
        """Annotated with `status`, by the rule of catalogue.lifecycle."""
        return self.annotate(status=status_case(at))


def status_case(at: datetime) -> Case:
    """The rule of catalogue.lifecycle in SQL, for any table with its three dates."""
    return Case(
        When(retirement_at__lte=at, then=Value(Status.RETIRED)),
        When(release_at__gt=at, then=Value(Status.ANNOUNCED)),
        When(deprecation_at__lte=at, then=Value(Status.DEPRECATED)),
        default=Value(Status.ACTIVE),
        output_field=CharField(),
    )
