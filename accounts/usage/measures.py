"""What is added up of attempts, and by what they are told apart. Pure; accounts.usage.of_ledger says it in SQL."""

from collections.abc import Iterable, Mapping
from math import floor
from operator import attrgetter
from typing import Any

from accounts.attempts import AttemptRecord
from accounts.money import units_in, units_of
from accounts.windows import quarter_of

MEMBERS: Mapping[str, int] = {
    "team_id": 0,
    "project": 64,
    "project_id": 0,
    "lineage_id": 0,
    "member_id": 0,
    "service_account_id": 0,
    "model": 200,
    "provider": 60,
    "endpoint": 40,
    "outcome": 12,
    "surface": 20,
    "kind": 10,
}
"""What all attempts of a series share: columns of UsageSeries, each with the length of its text; 0: a number."""
COUNTS = (
    "input_tokens",
    "output_tokens",
    "cached_read_tokens",
    "cached_write_tokens",
    "cached_write_1h_tokens",
    "reasoning_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
    "input_image_tokens",
    "output_image_tokens",
    "web_searches",
)
"""Of providers.wire.usage, all that a provider of ours tells."""
MONEY = ("cost", "charge", "loss", "own_cost")
"""In 10^-10 USD."""
MEASURES = (
    "calls",
    "attempts",
    *COUNTS,
    *MONEY,
    "latency_us",
    "latency_told",
    "first_token_us",
    "first_token_told",
    "estimated",
)
"""Columns of sums."""
ERRORS, TOKENS = "errors", "tokens"
"""Which are read of sums and stand in none: how many calls ended in any of ERRORS_ARE; input and output together."""
ERRORS_ARE = ("failed", "cut", "unknown")
"""Outcomes for which nobody who called is to blame: neither whole, nor ended by whoever asked."""
MOST = 10**12
"""What one attempt adds at most to a count: more is a fault, and sums of it have to fit a column."""

Series = tuple[Any, ...]
"""Values of MEMBERS."""
Sums = dict[tuple[Series, int], list[int]]
"""By series and quarter of an hour: values of MEASURES."""

ATTEMPT, FAILED_OVER = "attempt", "failed_over"
_opened_members = attrgetter(*(name for name in MEMBERS if name not in {"outcome", "surface", "kind"}))
_PLACE = {name: place for place, name in enumerate(MEASURES)}
_COUNTED = {name: _PLACE[name] for name in COUNTS}
_COST, _CHARGE, _LOSS, _OWN_COST = (_PLACE[name] for name in MONEY)
_LATENCY, _FIRST, _ESTIMATED = _PLACE["latency_us"], _PLACE["first_token_us"], _PLACE["estimated"]


def add_up(records: Iterable[AttemptRecord]) -> Sums:
    """What ended attempts add."""
    sums: Sums = {}
    for record in records:
        opened, closed = record.opened, record.closed
        assert closed is not None, "only what has ended is added up"  # noqa: S101
        series = (*_opened_members(opened), closed.outcome, opened.surface, ATTEMPT)
        place = series, quarter_of(opened.started_at)
        row = sums.get(place)
        if row is None:
            row = sums[place] = [0] * len(MEASURES)
        _count(row, closed)
        cost = units_in(closed.cost_usd)
        row[_COST] += cost
        charge_usd = record.charge_usd
        row[_CHARGE] += cost if charge_usd is None or charge_usd == closed.cost_usd else units_in(charge_usd)
        row[_LOSS] += units_in(closed.loss_usd)
        row[_OWN_COST] += units_in(closed.own_cost_usd)
    return sums


def add_up_entries(entries: Iterable[Any]) -> Sums:
    """What rows of the ledger add that no record was added up for. Those that put others right: their money alone."""
    sums: Sums = {}
    for entry in entries:
        series = tuple(getattr(entry, name) or ("" if length else 0) for name, length in MEMBERS.items())
        row = sums.setdefault((series, quarter_of(entry.started_at.timestamp())), [0] * len(MEASURES))
        if entry.kind == ATTEMPT:
            _count(row, entry)
        row[_COST] += units_of(entry.cost_usd)
        row[_CHARGE] += units_of(entry.charged_usd)
        row[_LOSS] += units_of(entry.loss_usd)
        row[_OWN_COST] += units_of(entry.own_cost_usd)
    return sums


def _count(row: list[int], ended: Any) -> None:
    """All but money, of what is told of an attempt's end: by its record, or by its row."""
    if ended.outcome != FAILED_OVER:
        row[0] += 1
    row[1] += 1
    for name, count in (ended.usage or {}).items():
        if count and (place := _COUNTED.get(name)):
            row[place] += count if type(count) is int and 0 < count < MOST else _within(count)
    if ended.latency_ms is not None:
        row[_LATENCY] += microseconds(ended.latency_ms)
        row[_LATENCY + 1] += 1
    if ended.first_token_ms is not None:
        row[_FIRST] += microseconds(ended.first_token_ms)
        row[_FIRST + 1] += 1
    if ended.is_estimated:
        row[_ESTIMATED] += 1


def _within(count: object) -> int:
    return min(max(int(count), 0), MOST) if type(count) in (int, float) else 0  # type: ignore[call-overload]


def microseconds(milliseconds: float) -> int:
    return min(max(floor(milliseconds * 1000), 0), MOST)
