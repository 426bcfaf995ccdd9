"""What happened to a model here, in words: editions that changed it, and dates that came."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from catalogue.changes.differences import FieldChange
from catalogue.changes.history import read_versions, rows_of
from catalogue.changes.model_changes import INSTANT, Change, Kind, changes_between
from catalogue.facts import EPOCH, ModelFacts
from catalogue.instants import parse_instant
from catalogue.models import Edition
from catalogue.pricing.meters import METERS, unit_of
from catalogue.published.reading import Reading
from gateway.public.amounts import MILLION, day, money, price_unit, shorten

_VERSIONS = 20
_FIELDS_TOLD = 6
_TEXT_SHOWN = 90
_TONES = {
    Kind.ADDED: "good",
    Kind.RELEASED: "good",
    Kind.ANNOUNCED: "info",
    Kind.DEPRECATED: "warning",
    Kind.WITHDRAWN: "bad",
}
_PRICE_NAMES = {
    "prompt": ("input price", "input_text_tokens"),
    "completion": ("output price", "output_text_tokens"),
    "input_cache_read": ("cached input price", "cached_read_text_tokens"),
    "input_cache_write": ("cache writing price", "cached_write_text_tokens"),
    "image": ("image price", "output_images"),
    "request": ("request price", "requests"),
    "web_search": ("web search price", "web_searches"),
}


@dataclass(frozen=True, slots=True)
class ChangedField:
    """One field: before and after; of a list, what came and what went."""

    name: str
    before: str = ""
    after: str = ""
    came: Sequence[str] = ()
    went: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """`edition` is its place among all; None: a date came and nobody published. `more` fields changed than are told."""

    word: str
    tone: str
    at: datetime
    edition: int | None
    fields: Sequence[ChangedField]
    more: int


def events_of(model: ModelFacts, reading: Reading) -> Sequence[Event]:
    """The newest first, from as many of its newest versions; four queries."""
    newest = rows_of(model.id).order_by("-edition_from_id").values_list("pk", flat=True)[: _VERSIONS + 1]
    versions = read_versions(rows_of(model.id).filter(pk__in=list(newest)), reading.snapshot)
    # Of the oldest one only its end is told, where there are others before it.
    begins = versions[0].opened_at + INSTANT if len(versions) > _VERSIONS else EPOCH
    changes = changes_between(versions, begins, reading.at + INSTANT)
    numbers = {change.edition for change in changes if change.edition}
    places = dict(Edition.objects.filter(number__in=numbers).values_list("number", "place"))
    return [_event(change, places) for change in changes]


def _event(change: Change, places: Mapping[int, int | None]) -> Event:
    told = [_changed_field(field) for field in change.fields[:_FIELDS_TOLD]]
    more = len(change.fields) - len(told)
    edition = places.get(change.edition or 0) or change.edition
    return Event(change.kind.value, _TONES.get(change.kind, "neutral"), change.at, edition, told, more)


def _changed_field(change: FieldChange) -> ChangedField:
    name, write = _reading_of(change.field)
    if isinstance(change.before, list) and isinstance(change.after, list):
        came = [_short(each) for each in change.after if each not in change.before]
        went = [_short(each) for each in change.before if each not in change.after]
        return ChangedField(name, came=came, went=went)
    return ChangedField(name, write(change.before), write(change.after))


def _reading_of(field: str) -> tuple[str, Callable[[Any], str]]:
    """How people call the field, and how its values are written for them."""
    where, _, last = field.rpartition(".")
    at = where.removeprefix("offerings.").removesuffix(".pricing")
    if where == "pricing" and last in _PRICE_NAMES:
        name, meter = _PRICE_NAMES[last]
        return name, _price_writer(meter)
    if where.endswith(".pricing") and last in METERS:
        return f"{METERS[last][0].lower()} at {at}", _price_writer(last)
    name = last.replace("_", " ")
    return (f"{name} at {at}" if at else name), _WRITERS.get(last, _short)


def _price_writer(meter: str) -> Callable[[Any], str]:
    many = MILLION if price_unit(meter) != unit_of(meter) else 1

    def write(value: Any) -> str:
        return "none" if value is None else f"{money(Decimal(value) * many)} / {price_unit(meter)}"

    return write


def _count(value: Any) -> str:
    return "unknown" if value is None else shorten(value)


def _short(value: Any) -> str:
    if value is None:
        return "none"
    text = _pairs(value) if isinstance(value, Mapping) else str(value)
    return text if len(text) <= _TEXT_SHOWN else f"{text[:_TEXT_SHOWN]}…"


def _date(value: Any) -> str:
    return "none" if value is None else day(parse_instant(value))


def _pairs(value: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {each}" for name, each in value.items())


_WRITERS: Mapping[str, Callable[[Any], str]] = {
    "context_length": _count,
    "max_completion_tokens": _count,
    "release_date": _date,
    "deprecation_date": _date,
    "retirement_date": _date,
    "effective_from": _date,
    "effective_to": _date,
}
