"""Deprecations and retirements as a calendar. Source: RFC 5545, RFC 7986."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event, vDuration

from catalogue.changes.model_changes import Kind, stable_id
from catalogue.feeds.entries import LinkTo
from catalogue.lifecycle.events import LifecycleEvent
from catalogue.lifecycle.message import tell_life
from catalogue.published.reading import Reading
from gateway.core.lines import as_one_line

CONTENT_TYPE = "text/calendar; charset=utf-8"
_REFRESH = timedelta(hours=6)
# They turn single letters, where the others of as_one_line turn all that follows.
_MARKS = dict.fromkeys(map(ord, "\u061c\u200e\u200f"))
_ENDINGS = frozenset({Kind.DEPRECATED, Kind.RETIRED})


def write_calendar(
    turns: Iterable[LifecycleEvent],
    reading: Reading,
    editions: Mapping[str, tuple[int, datetime]],
    link_to: LinkTo,
) -> bytes:
    """One all-day event for each deprecation and retirement.

    `editions` has, by model id, from which edition on its record is as it is, and when that was made. A date that is
    moved keeps its event, which tells by that number that it is a later word.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Gatehouse//Model lifecycle//EN")
    calendar.add("version", "2.0")
    for name in ("name", "x-wr-calname"):
        calendar.add(name, "Model retirements")
    calendar.add("refresh-interval", vDuration(_REFRESH), parameters={"VALUE": "DURATION"})
    for turn in turns:
        if turn.kind in _ENDINGS and turn.model.id in editions:
            calendar.add_component(_event(turn, reading, editions[turn.model.id], link_to))
    text: bytes = calendar.to_ical()
    return text


def _event(turn: LifecycleEvent, reading: Reading, edition: tuple[int, datetime], link_to: LinkTo) -> Event:
    model, (number, published) = turn.model, edition
    successor = reading.snapshot.successor(model, reading.at)
    day = turn.at.astimezone(UTC).date()
    event = Event()
    event.add("uid", stable_id(model, turn.kind))
    # Without a METHOD it is when the event was last revised, not when it was written out.
    event.add("dtstamp", published.astimezone(UTC))
    event.add("last-modified", published.astimezone(UTC))
    event.add("sequence", number)
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("summary", _plain(f"{model.name}: {turn.kind}"))
    event.add("description", _plain(tell_life(model, successor, reading.at) or turn.title(reading.at)))
    event.add("url", link_to(model))
    event.add("categories", [turn.kind.value])
    event.add("transp", "TRANSPARENT")
    return event


def _plain(text: str) -> str:
    """Without what programs take for an end of a line, or for another direction of what follows."""
    return as_one_line(text).translate(_MARKS)
