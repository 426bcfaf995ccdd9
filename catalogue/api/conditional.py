"""Answers that a client need not fetch twice: ETag, Last-Modified, 304, gzip."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, time
from functools import wraps
from typing import Any, Protocol, cast

from django.http import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import http_date
from rest_framework.request import Request

from catalogue.instants import OF_DAY, day_text
from catalogue.published.loading import snapshots
from catalogue.published.reading import Reading


class ReadingView(Protocol):
    """A view that says what it looks at, and who may see the same."""

    request: Request

    @property
    def reading(self) -> Reading: ...

    @property
    def visibility(self) -> str: ...

    @property
    def depends_on_day(self) -> bool: ...


Handler = Callable[..., HttpResponseBase]


def conditional(handler: Handler) -> Handler:
    """A GET handler whose answer depends on its address, its reading and who asks alone."""

    @wraps(handler)
    def answer(view: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        tag, modified = _tag(view), _modified(view)
        early = get_conditional_response(
            request._request, etag=tag, last_modified=int(modified.timestamp()) if modified else None
        )
        response: HttpResponseBase = early or handler(view, request, *args, **kwargs)
        _stamp(response, tag, modified)
        return response

    return answer


def _tag(view: ReadingView) -> str:
    """Weak, for the same record may be written with other spaces or packed otherwise."""
    request = view.request
    form = "anthropic" if "anthropic-version" in request.headers else ""
    asked = (request.get_full_path(), form, view.visibility)
    digest = hashlib.sha256("\n".join(asked).encode()).hexdigest()[:16]
    state = view.reading.state
    if view.depends_on_day:
        state += f"{OF_DAY}{day_text(view.reading.at)}"
    return f'W/"{state}-{digest}"'


def _modified(view: ReadingView) -> datetime | None:
    """When what is published or on last changed, as far as this process knows. None: it is not about now."""
    reading = view.reading
    if not reading.is_present:
        return None
    boundary = reading.snapshot.last_boundary(reading.at)
    changes = [snapshots.changed_at, *([boundary] if boundary else [])]
    if view.depends_on_day:
        changes.append(datetime.combine(reading.at.astimezone(UTC).date(), time.min, UTC))
    return max(changes)


def _stamp(response: HttpResponseBase, tag: str, modified: datetime | None) -> None:
    response["ETag"] = tag
    response["Cache-Control"] = "private, max-age=0, must-revalidate"
    if modified:
        response["Last-Modified"] = http_date(modified.astimezone(UTC).timestamp())
    patch_vary_headers(cast("Any", response), ("Authorization", "X-Api-Key", "X-Goog-Api-Key"))
