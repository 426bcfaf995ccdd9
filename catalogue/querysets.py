"""Questions that are asked of working and published models. Whatever depends on time takes `at`."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db.models import Case, CharField, Exists, F, OuterRef, Prefetch, Q, QuerySet, Value, When
from django.db.models.functions import Lower

from catalogue.lifecycle import Status
from catalogue.models.offering import Offering
from catalogue.models.published_offering import PublishedOffering

if TYPE_CHECKING:
    from catalogue.models.model import Model  # noqa: F401  # named in a base class, as text
    from catalogue.models.published import PublishedModel  # noqa: F401  # likewise


class ModelQuerySet(QuerySet["Model"]):
    """Working rows."""

    def complete(self) -> Self:
        """With everything that compiling reads: a fixed number of queries for any number of models."""
        offerings = Prefetch("offerings", queryset=Offering.objects.select_related("provider"))
        related = self.select_related("organisation", "successor")
        return related.prefetch_related("aliases", offerings, "offerings__prices")

    def with_status(self, at: datetime) -> Self:
        """Annotated with `status`, by the rule of catalogue.lifecycle."""
        status = Case(
            When(retirement_at__lte=at, then=Value(Status.RETIRED)),
            When(release_at__gt=at, then=Value(Status.ANNOUNCED)),
            When(deprecation_at__lte=at, then=Value(Status.DEPRECATED)),
            default=Value(Status.ACTIVE),
            output_field=CharField(),
        )
        return self.annotate(status=status)


class PublishedModelQuerySet(QuerySet["PublishedModel"]):
    """Published rows."""

    def current(self) -> Self:
        return self.filter(edition_to=None)

    def at_edition(self, number: int) -> Self:
        """As clients saw them when that edition was the newest."""
        return self.filter(Q(edition_to=None) | Q(edition_to__gt=number), edition_from__lte=number)

    def touched_between(self, after: int, until: int) -> Self:
        """Opened or closed by an edition later than `after`, up to `until`."""
        opened = Q(edition_from__gt=after, edition_from__lte=until)
        return self.filter(opened | Q(edition_to__gt=after, edition_to__lte=until))

    def listed(self, at: datetime) -> Self:
        """Released and not retired; an unknown release counts as passed, an unknown retirement as never."""
        released = Q(release_at=None) | Q(release_at__lte=at)
        return self.filter(released, Q(retirement_at=None) | Q(retirement_at__gt=at))

    def routable(self, at: datetime, usable_provider_ids: Iterable[int]) -> Self:
        """Listed, with an offering that is inside its dates, switched on, and at an enabled, usable provider.

        Which offerings there are, and their dates, count as published; both switches count as they are now.
        """
        offerings = PublishedOffering.objects.filter(
            Q(effective_from=None) | Q(effective_from__lte=at),
            Q(effective_to=None) | Q(effective_to__gt=at),
            published=OuterRef("pk"),
            provider_id__in=list(usable_provider_ids),
            provider__is_enabled=True,
            offering__is_enabled=True,
        )
        return self.listed(at).filter(Exists(offerings))

    def newest_first(self) -> Self:
        """By release, unknown last; then by name in whatever case, then by id."""
        return self.order_by(F("release_at").desc(nulls_last=True), Lower("name"), "public_id")
