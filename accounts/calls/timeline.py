"""One request drawn to scale: its attempts, the pauses between them, and when the first token came. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from accounts.calls.rows import tone_of, word_of
from accounts.measures import duration
from accounts.models import LedgerEntry
from accounts.receipts import Receipt
from gateway.core.admin_base import Tone

WIDTH = 1000
"""Of the drawing, in its own units."""
_ROW, _BAR, _LEAST = 34, 18, 2.0
_CLOSE_MS = 8
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Bar:
    """An attempt. Places and widths are in the drawing's units; `text` says the same in words."""

    number: int
    title: str
    tone: Tone
    x: float
    y: int
    width: float
    text: str
    streamed_x: float | None = None
    """Where the first token came."""
    streamed_width: float = 0

    @property
    def label_y(self) -> int:
        return self.y - 4

    @property
    def height(self) -> int:
        return _BAR


@dataclass(frozen=True, slots=True)
class Timeline:
    bars: Sequence[Bar]
    total: str
    ticks: Sequence[tuple[float, str]]
    waited: str = ""
    """Before the first attempt; empty: it did not, or that is not known."""
    waited_width: float = 0

    @property
    def height(self) -> int:
        return len(self.bars) * _ROW + 24

    @property
    def foot(self) -> int:
        return self.height - 18


def draw_request(receipt: Receipt) -> Timeline | None:
    """None where nobody saw any of its attempts end."""
    return draw([attempt.entry for attempt in receipt.attempts], receipt.waited_ms)


def draw(entries: Sequence[LedgerEntry], waited_ms: float = 0.0) -> Timeline | None:
    """Of a request's attempts in their order, after it waited; None where nobody saw any of them end."""
    begin = entries[0].started_at
    starts = [waited_ms + (entry.started_at - begin) / _MILLISECOND for entry in entries]
    lasted = [max(entry.latency_ms or 0.0, 0.0) for entry in entries]
    total = max((start + length for start, length in zip(starts, lasted, strict=True)), default=0.0)
    if total <= waited_ms:
        return None
    scale = WIDTH / total
    bars, ended = [], 0.0
    for place, (entry, start, length) in enumerate(zip(entries, starts, lasted, strict=True)):
        bars.append(_bar(entry, place, start, length, scale, pause=start - ended if place else 0.0))
        ended = start + length
    ticks = [(round(part * WIDTH / 4, 1), _at(total * part / 4, total)) for part in range(5)]
    told = duration(waited_ms) if waited_ms >= 1 else ""
    return Timeline(bars, duration(total), ticks, told, round(waited_ms * scale, 1) if told else 0)


def _at(milliseconds: float, total: float) -> str:
    """With a decimal where ticks lie close together."""
    if not milliseconds:
        return "0"
    return duration(milliseconds) if total >= _CLOSE_MS else f"{milliseconds:.1f} ms"


def _bar(entry: LedgerEntry, place: int, start: float, length: float, scale: float, *, pause: float) -> Bar:
    first = entry.first_token_ms if entry.is_streamed else None
    streams = first is not None and 0 <= first <= length
    return Bar(
        entry.number,
        f"{entry.model} at {entry.provider}",
        tone_of(entry),
        round(min(start * scale, WIDTH - _LEAST), 1),
        place * _ROW + 16,
        round(max(length * scale, _LEAST), 1),
        _in_words(entry, start, length, pause),
        round((start + first) * scale, 1) if streams and first is not None else None,
        round(max((length - first) * scale, _LEAST), 1) if streams and first is not None else 0,
    )


def _in_words(entry: LedgerEntry, start: float, length: float, pause: float) -> str:
    parts = [f"began after {duration(start)}" if start >= 1 else "began at once"]
    if pause >= 1:
        parts[0] += f", {duration(pause)} after the one before ended"
    result = word_of(entry)
    if entry.status and entry.status != 200:
        result += f" with status {entry.status}"
    if entry.error_code:
        result += f" ({entry.error_code})"
    if entry.first_token_ms is not None:
        parts.append(f"first token after {duration(entry.first_token_ms)}")
        if entry.is_streamed and length > entry.first_token_ms:
            parts.append(f"streamed for {duration(length - entry.first_token_ms)}")
    parts.append(f"{result} after {duration(length)}" if entry.latency_ms is not None else result)
    return ", ".join(parts)
