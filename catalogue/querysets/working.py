"""Questions that are asked of working rows. Whatever depends on time takes `at`."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db.models import Exists, OuterRef, Prefetch, QuerySet, Subquery

from catalogue.models.offering import Offering
from catalogue.models.published import PublishedModel
from catalogue.models.route_member import RouteMember
from catalogue.querysets.status import status_case

if TYPE_CHECKING:
    from catalogue.models.model import Model  # noqa: F401  # named in a base class, as text


class ModelQuerySet(QuerySet["Model"]):
    """Working rows."""

    def complete(self) -> Self:
        """With everything that compiling reads: a fixed number of queries for any number of models."""
        offerings = Prefetch("offerings", queryset=Offering.objects.select_related("provider"))
        related = self.select_related("organisation", "successor", "previous")
        members = RouteMember.objects.select_related("model", "provider", "team", "project")
        return related.prefetch_related(
            "aliases", offerings, "offerings__prices", Prefetch("members", queryset=members)
        )

    def with_live(self) -> Self:
        """Annotated with `live_edition`, `live_place` and `live_digest` of what is live or None, and `was_published`.

        The place is the edition's among all, as people count them.
        """
        rows = PublishedModel.objects.filter(public_id=OuterRef("public_id"))
        live = rows.current()
        return self.annotate(
            live_edition=Subquery(live.values("edition_from")[:1]),
            live_place=Subquery(live.values("edition_from__place")[:1]),
            live_digest=Subquery(live.values("digest")[:1]),
            was_published=Exists(rows),
        )

    def with_status(self, at: datetime) -> Self:
        """Annotated with `status`, by the rule of catalogue.lifecycle.status."""
        return self.annotate(status=status_case(at))
