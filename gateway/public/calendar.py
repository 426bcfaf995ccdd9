"""Who retires when, month by month. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby

from catalogue.facts import ModelFacts
from catalogue.lifecycle.status import Status
from catalogue.published.reading import Reading

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Retirement:
    """`successor` is None where nothing was named, or nothing is left."""

    model: ModelFacts
    status: str
    successor: ModelFacts | None


@dataclass(frozen=True, slots=True)
class Month:
    first: date
    retirements: Sequence[Retirement]


@dataclass(frozen=True, slots=True)
class Calendar:
    """`undated` are deprecated without a day of retirement."""

    coming: Sequence[Month]
    past: Sequence[Month]
    undated: Sequence[Retirement]

    @property
    def coming_total(self) -> int:
        return sum(len(month.retirements) for month in self.coming)

    @property
    def past_total(self) -> int:
        return sum(len(month.retirements) for month in self.past)


def calendar_of(reading: Reading) -> Calendar:
    """The next month first; of the past, the last one."""
    models, at = reading.snapshot.models.values(), reading.at
    dated = sorted((m for m in models if m.retirement_at), key=lambda model: (_end(model), model.id))
    undated = (m for m in models if not m.retirement_at and m.status(at) is Status.DEPRECATED)
    return Calendar(
        coming=_months((model for model in dated if _end(model) > at), reading),
        past=_months(reversed([model for model in dated if _end(model) <= at]), reading),
        undated=[_retirement(model, reading) for model in sorted(undated, key=lambda model: model.id)],
    )


def _months(models: Iterable[ModelFacts], reading: Reading) -> Sequence[Month]:
    return [
        Month(first, [_retirement(model, reading) for model in group])
        for first, group in groupby(models, key=lambda model: _end(model).date().replace(day=1))
    ]


def _retirement(model: ModelFacts, reading: Reading) -> Retirement:
    successor = reading.snapshot.successor(model, reading.at)
    return Retirement(model, model.status(reading.at).value, successor)


def _end(model: ModelFacts) -> datetime:
    return model.retirement_at or _NEVER
