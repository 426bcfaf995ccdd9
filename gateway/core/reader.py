"""Who reads a page: where they live, and how numbers are written there. What is sent to programs asks nobody."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from gateway.core.locales import HOUSE, Locale, locale_named, write_day, write_time
from gateway.core.middleware import Middleware

_SECONDS = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Reader:
    zone: tzinfo = UTC
    locale: Locale = HOUSE

    def write_instant(self, at: datetime, *, seconds: bool = False) -> str:
        """Such as 30 Nov 2026, 19:05 CET."""
        here = at.astimezone(self.zone)
        time = write_time(here, self.locale, seconds=seconds)
        return f"{write_day(here.date(), self.locale)}, {time} {here:%Z}"

    def write_exactly(self, at: datetime) -> str:
        """The instant of UTC, behind the one here where that is another."""
        exact = f"{at.astimezone(UTC):{_SECONDS}} UTC"
        return exact if self.zone is UTC else f"{self.write_instant(at, seconds=True)}, {exact}"


NOBODY = Reader()
_reading: ContextVar[Callable[[], Reader] | None] = ContextVar("reading", default=None)


def current() -> Reader:
    """Who reads what is written now."""
    find = _reading.get()
    return find() if find else NOBODY


@contextmanager
def reading(reader: Reader) -> Iterator[None]:
    token = _reading.set(lambda: reader)
    try:
        yield
    finally:
        _reading.reset(token)


def zone_named(name: str) -> tzinfo:
    """UTC where nothing, or no zone that is known here, is named."""
    if name in {"", "UTC"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def reader_of(person: Any, team_zone: str = "") -> Reader:
    """As a person wants it; their times are their team's where they have not said."""
    return Reader(zone_named(person.time_zone or team_zone), locale_named(person.locale))


def read_for_team(request: HttpRequest, zone: str) -> None:
    """On a page of a team, times are its own for whoever has not chosen."""
    request.team_zone = zone  # type: ignore[attr-defined]


class ReadersPages(Middleware):
    """Keeps in view for whom a page is written. Who that is, is asked only where a number or an instant is."""

    def before(self, request: HttpRequest) -> None:
        _reading.set(lambda: _reader_of(request))

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:  # noqa: ARG002
        _reading.set(None)
        return response


def _reader_of(request: HttpRequest) -> Reader:
    person = getattr(request, "user", None)
    if person is None or not person.is_authenticated:
        return NOBODY
    return reader_of(person, getattr(request, "team_zone", ""))
