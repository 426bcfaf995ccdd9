"""Records as JSON, built once and kept for as long as they stay true."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from catalogue.facts import ModelFacts
from catalogue.published.reading import Reading
from catalogue.published.record import record, serving_offerings


@dataclass(frozen=True, slots=True)
class _Entry:
    """`state` is the last reading's for which it was known to be true; `ends` is when it changes by itself."""

    model: ModelFacts
    serving: tuple[int, ...]
    successor: str | None
    begins: datetime
    ends: datetime | None
    state: str
    text: bytes

    def holds(self, serving: tuple[int, ...], successor: str | None, at: datetime) -> bool:
        """Whether it would be written the same, of the same model."""
        is_in_time = self.begins <= at and (self.ends is None or at < self.ends)
        return is_in_time and (self.serving, self.successor) == (serving, successor)


class RecordCache:
    """One record a model, of what is published now. Safe from any thread: at worst two build the same."""

    def __init__(self) -> None:
        self._kept: dict[str, _Entry] = {}

    def record(self, model: ModelFacts, reading: Reading) -> orjson.Fragment:
        """For a renderer that takes fragments."""
        return orjson.Fragment(self.text(model, reading))

    def text(self, model: ModelFacts, reading: Reading) -> bytes:
        """The record as JSON."""
        if not reading.is_present:
            return orjson.dumps(record(model, reading.snapshot, reading.at))
        kept = self._kept.get(model.id)
        if kept is None or kept.state != reading.state:
            kept = self._kept[model.id] = self._renew(kept, model, reading)
        return kept.text

    def fields(self, model: ModelFacts, reading: Reading, names: Sequence[str]) -> dict[str, Any]:
        """Some of the record's fields, in the order in which they were asked for."""
        whole = orjson.loads(self.text(model, reading))
        return {name: whole[name] for name in names}

    def forget(self) -> None:
        self._kept.clear()

    def _renew(self, kept: _Entry | None, model: ModelFacts, reading: Reading) -> _Entry:
        snapshot, at = reading.snapshot, reading.at
        serving = tuple(offering.id for offering in serving_offerings(model, snapshot, at))
        following = snapshot.successor(model, at)
        successor = following.id if following else None
        if kept and kept.model is model and kept.holds(serving, successor, at):
            return replace(kept, state=reading.state)
        text = orjson.dumps(record(model, snapshot, at))
        ends = min((instant for instant in model.instants() if instant > at), default=None)
        return _Entry(model, serving, successor, at, ends, reading.state, text)


record_cache = RecordCache()
"""Of this process."""
