"""What changed in the catalogue between two instants."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.http import HttpResponseBase
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.api.change_serializers import ChangeListSerializer
from catalogue.api.conditional import conditional
from catalogue.api.views.base import refusals
from catalogue.api.views.feed_view import (
    FORMAT_PARAMETERS,
    TOKEN,
    FeedView,
    Parameters,
    documented,
    feed_answers,
)
from catalogue.changes.change_text import tell_change
from catalogue.changes.history import change_cache, read_versions, rows_between
from catalogue.changes.model_changes import INSTANT, Change, Kind, changes_between
from catalogue.facts import EPOCH
from catalogue.feeds.entries import change_entries
from catalogue.instants import instant_text
from catalogue.listing.filters import check_names, check_organisations
from catalogue.listing.pagination import CURSOR, LIMIT, cut_page, page_links
from catalogue.listing.parameters import InstantField, ParameterField, WordsField, read_parameter, refuse
from catalogue.querysets.published import PublishedModelQuerySet

DAYS = 30
DAYS_MAX = 366
_CLOCKS_DIFFER = timedelta(minutes=5)
_KIND = WordsField(*(kind.value for kind in Kind))
PARAMETERS: Parameters = {
    "from": (InstantField(), f"The first instant that counts. Left out: {DAYS} days before the end."),
    "to": (
        InstantField(),
        "The first instant that does not count. Left out: now. To come: what dates will bring.",
    ),
    "kind": (_KIND, "Of any of these kinds."),
    "organisation": (WordsField(), "Of models of any of these organisations, by exact id."),
    "model": (ParameterField(example="anthropic/claude-haiku-4.5"), "Of this model, by id or alias."),
    "limit": (LIMIT, "How many changes to return."),
    "cursor": (CURSOR, "Where the last page ended: `next_cursor` of its answer."),
    **FORMAT_PARAMETERS,
}


@dataclass(frozen=True, slots=True)
class Window:
    """From `begins` until before `ends`. `is_open`: until now, however late that is."""

    begins: datetime
    ends: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class _Rows:
    """Whose changes are asked for. None: of all."""

    window: Window
    organisations: tuple[str, ...] | None
    public_id: str | None

    @property
    def question(self) -> Hashable:
        """Equal for those that have the same answer while nothing changes: an open end may move."""
        ends = None if self.window.is_open else self.window.ends
        return self.window.begins, ends, self.organisations, self.public_id

    def read(self) -> PublishedModelQuerySet:
        ahead = _CLOCKS_DIFFER if self.window.is_open else timedelta()
        rows = rows_between(self.window.begins, self.window.ends + ahead)
        if self.organisations is not None:
            rows = rows.filter(organisation_id__in=self.organisations)
        return rows if self.public_id is None else rows.filter(public_id=self.public_id)


class ChangeViewSet(FeedView):
    serializer_class = ChangeListSerializer

    @property
    def depends_on_day(self) -> bool:
        """What is open at the end begins with another day each day."""
        return self.window.is_open and "from" not in self.request.query_params

    @extend_schema(
        tags=["catalogue"],
        operation_id="gateway_changes_list",
        summary="See what changed",
        description="Models added, released, deprecated, retired, withdrawn, repriced or changed, the newest first: "
        "by an edition, or because a date came. Also as RSS, Atom and JSON Feed.",
        parameters=documented(PARAMETERS),
        responses=feed_answers(ChangeListSerializer)
        | refusals(
            _400="A parameter is unknown or its value is not allowed.", _404="There never was such a model."
        ),
    )
    @conditional
    def list(self, request: Request) -> HttpResponseBase:
        check_names(request, {*PARAMETERS, TOKEN})
        form, changes = self.asked_format, {change.id: change for change in self._changes()}
        page = cut_page(list(changes), request)
        shown = [changes[id_] for id_ in page.ids]
        if form == "json":
            response: HttpResponseBase = Response(self._body(shown, page.total, page.limit, page.next_cursor))
        else:
            entries = list(change_entries(shown, self.reading, self.link_to))
            response = self.feed(
                "Model changes",
                "Models added, repriced, changed, deprecated, retired and withdrawn.",
                entries,
            )
        if links := page_links(page, request):
            response["Link"] = links
        return response

    @cached_property
    def window(self) -> Window:
        """Raises ApiError for one that ends before it begins, or is too long."""
        query = self.request.query_params
        begins: datetime | None = read_parameter(query, "from", InstantField())
        ends: datetime | None = read_parameter(query, "to", InstantField())
        is_open, ends = ends is None, ends or self.reading.at + INSTANT
        if ends <= EPOCH:
            raise refuse(
                "to", "to must be after 1970-01-01; nothing was published before.", provided=query.get("to")
            )
        begins = begins or _days_before(ends)
        if begins >= ends:
            raise refuse(
                "from", f"from must be before to, which is {instant_text(ends)}.", provided=query.get("from")
            )
        if ends - begins > timedelta(days=DAYS_MAX):
            message = f"from and to lie more than {DAYS_MAX} days apart; ask for one such part after another."
            raise refuse("from", message, provided=query.get("from"), maximum=DAYS_MAX)
        return Window(begins, ends, is_open)

    def _changes(self) -> Sequence[Change]:
        query, window = self.request.query_params, self.window
        kinds = read_parameter(query, "kind", _KIND)
        organisations = read_parameter(query, "organisation", WordsField())
        check_organisations("organisation", organisations or ())
        name = read_parameter(query, "model", ParameterField())
        rows = _Rows(
            window, None if organisations is None else tuple(organisations), name and self.id_of(name)
        )
        found = change_cache.answer(self.reading.state, rows.question, lambda: self._find(rows))
        return [change for change in found if kinds is None or change.kind in kinds]

    def _find(self, rows: _Rows) -> Sequence[Change]:
        window, versions = rows.window, read_versions(rows.read(), self.reading.snapshot)
        # Whoever published what is live now may have a clock that is ahead of ours.
        latest = [version.last_edition_at + INSTANT for version in versions] if window.is_open else []
        return changes_between(versions, window.begins, max([window.ends, *latest]))

    def _body(self, changes: Sequence[Change], total: int, limit: int, cursor: str | None) -> dict[str, Any]:
        return {
            "ok": True,
            "from": instant_text(self.window.begins),
            "to": None if self.window.is_open else instant_text(self.window.ends),
            "limit": limit,
            "total": total,
            "changes": [self._record(change) for change in changes],
            "next_cursor": cursor,
        }

    def _record(self, change: Change) -> dict[str, Any]:
        successor = self.reading.snapshot.successor(change.model, self.reading.at)
        return {
            "id": change.id,
            "kind": change.kind.value,
            "at": instant_text(change.at),
            "edition": change.edition,
            "model_id": change.model.id,
            "model_name": change.model.name,
            "organisation_id": change.model.organisation_id,
            "replacement_model_id": successor.id if successor else None,
            "summary": tell_change(change, successor),
            "fields": list(change.fields),
        }


def _days_before(ends: datetime) -> datetime:
    """The beginning of a day, so that it stays where it is for a day."""
    return datetime.combine((ends - timedelta(days=DAYS)).astimezone(UTC).date(), time.min, UTC)
