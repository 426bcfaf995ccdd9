"""Pages of the catalogue's list, bounded as the published page says, and a cursor beyond its bounds."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from rest_framework.request import Request

from catalogue.listing.parameters import CountField, ParameterField, read_parameter, refuse

LIMIT = CountField(1, 250, default=50)
OFFSET = CountField(0, 5000, default=0)
CURSOR = ParameterField()
_DEFAULT_LIMIT = 50
PARAMETERS = {
    "limit": (LIMIT, "How many models to return."),
    "offset": (OFFSET, "How many models to skip."),
    "cursor": (
        CURSOR,
        "Where the last page ended: `next_cursor` of its answer. Instead of `offset`, without its bound.",
    ),
}


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the ids that match. `next_cursor` is None on the last page."""

    ids: Sequence[str]
    total: int
    limit: int
    offset: int
    next_cursor: str | None


def cut_page(ids: Sequence[str], request: Request) -> Page:
    """The page that the request asks for. Raises ApiError for what is out of bounds, never bends it."""
    query = request.query_params
    limit: int = read_parameter(query, "limit", LIMIT) or _DEFAULT_LIMIT
    offset: int | None = read_parameter(query, "offset", OFFSET)
    cursor: str | None = read_parameter(query, "cursor", CURSOR)
    if cursor is not None and offset is not None:
        raise refuse("cursor", "cursor and offset exclude each other; send one of them.", provided=cursor)
    begins = (offset or 0) if cursor is None else _resume(cursor, ids)
    shown = ids[begins : begins + limit]
    has_more = begins + limit < len(ids)
    following = _write_cursor(shown[-1], begins + limit) if shown and has_more else None
    return Page(shown, len(ids), limit, begins, following)


def page_links(page: Page, request: Request) -> str:
    """Source: RFC 8288. Empty where there is no other page."""
    links = []
    if page.next_cursor:
        links.append(_link(request, "next", cursor=page.next_cursor))
    if page.offset:
        links.append(_link(request, "first"))
    return ", ".join(links)


def _link(request: Request, relation: str, **changes: str) -> str:
    query = request.query_params.copy()
    for name in ("offset", "cursor", "token"):
        query.pop(name, None)
    query.update(changes)
    return f'<{request.path}?{query.urlencode()}>; rel="{relation}"'


def _write_cursor(last_id: str, position: int) -> str:
    return base64.urlsafe_b64encode(f"{position} {last_id}".encode()).decode().rstrip("=")


def _resume(cursor: str, ids: Sequence[str]) -> int:
    """Behind the model that came last; where that has left the list, at the place that it had."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        position, last_id = text.split(" ", 1)
        place = int(position)
    except (binascii.Error, ValueError) as error:
        message = "cursor must be next_cursor of an earlier answer."
        raise refuse("cursor", message, provided=cursor) from error
    return ids.index(last_id) + 1 if last_id in ids else min(max(0, place - 1), len(ids))
