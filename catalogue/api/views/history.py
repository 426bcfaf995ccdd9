"""The history of one model: which edition changed what of it, and the dates that its record holds."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Q
from django.http import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.api.change_serializers import HistorySerializer
from catalogue.api.conditional import conditional
from catalogue.api.views.base import refusals
from catalogue.api.views.feed_view import FeedView, documented
from catalogue.changes.differences import differences
from catalogue.changes.history import read_versions, rows_of
from catalogue.changes.model_changes import Version
from catalogue.facts import ModelFacts
from catalogue.instants import instant_text
from catalogue.lifecycle.events import dated_instants
from catalogue.listing.filters import check_names
from catalogue.listing.pagination import CURSOR, LIMIT, Page, cut_page, page_links

PARAMETERS = {
    "limit": (LIMIT, "How many editions to return."),
    "cursor": (CURSOR, "Where the last page ended: `next_cursor` of its answer."),
}
_ID = OpenApiParameter(
    "id", location="path", description="An id or an alias, such as `acme/one`, also of a model withdrawn."
)


class HistoryViewSet(FeedView):
    serializer_class = HistorySerializer
    formats = ("json",)
    lookup_value_regex = ".+"

    @extend_schema(
        tags=["catalogue"],
        operation_id="gateway_models_history",
        summary="Read a model's history",
        description="Every edition that changed it, with what it said before and after; and the dates that its "
        "record holds, past and to come.",
        parameters=[_ID, *documented(PARAMETERS)],
        responses={200: HistorySerializer} | refusals(_404="There never was such a model."),
    )
    @conditional
    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002  # the address names it
        check_names(request, PARAMETERS)
        public_id = self.id_of(id)
        page = cut_page(_editions_of(public_id), request)
        newest = self._newest(public_id)
        body = {
            "ok": True,
            "id": public_id,
            "name": newest.name,
            "limit": page.limit,
            "total": page.total,
            "editions": list(self._told(public_id, page)),
            "instants": dated_instants(newest, self.reading.at),
            "next_cursor": page.next_cursor,
        }
        links = page_links(page, request)
        return Response(body, headers={"Link": links} if links else None)

    def _newest(self, public_id: str) -> ModelFacts:
        """As it is published, or was at last. Raises ApiError where no record of it can be read."""
        live = self.reading.snapshot.models.get(public_id)
        versions = [] if live else read_versions(rows_of(public_id), self.reading.snapshot)
        return versions[-1].model if versions else self.find(public_id)

    def _told(self, public_id: str, page: Page) -> Iterator[dict[str, Any]]:
        numbers = [int(number) for number in page.ids]
        rows = rows_of(public_id).filter(Q(edition_from__in=numbers) | Q(edition_to__in=numbers))
        versions = read_versions(rows, self.reading.snapshot)
        for number in numbers:
            yield from _tell_edition(number, versions)


def _editions_of(public_id: str) -> list[str]:
    """Numbers of those that opened or closed a row of it, the newest first."""
    spans = rows_of(public_id).values_list("edition_from", "edition_to")
    return [
        str(number) for number in sorted({n for span in spans for n in span if n is not None}, reverse=True)
    ]


def _tell_edition(number: int, versions: Sequence[Version]) -> Iterator[dict[str, Any]]:
    before = next((version for version in versions if version.closed == number), None)
    after = next((version for version in versions if version.opened == number), None)
    at = after.opened_at if after else before.closed_at if before else None
    if at is not None:
        is_both = before is not None and after is not None
        kind = "changed" if is_both else "withdrawn" if after is None else "added"
        fields = list(differences(before.model, after.model)) if before and after else []
        yield {"edition": number, "at": instant_text(at), "kind": kind, "fields": fields}
