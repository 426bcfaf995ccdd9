"""What the chart draws, as data that its script reads, and the table of the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from gateway.core.reader import current
from gateway.portal.overview.measures import MEASURES, Measure, Sums, Value, write_share
from gateway.portal.overview.question import Asked
from gateway.portal.overview.usage import DRAWN, Group, Used
from gateway.public.amounts import Amount

_UNDRAWN = DRAWN + 1


@dataclass(frozen=True, slots=True)
class Column:
    """`address` leads to the same page with this measure; `is_sorted`: rows are in its order."""

    measure: Measure
    address: str
    is_sorted: bool


@dataclass(frozen=True, slots=True)
class Line:
    """`colour` is the number of its series; 0: it is drawn among the others. `address` is empty where none leads on."""

    title: str
    colour: int
    address: str
    cells: Sequence[tuple[Amount, bool]]
    share: str


def chart_data(asked: Asked, used: Used) -> dict[str, Any]:
    """`series` from the bottom up, each with one value for each step, which begins at one of `starts`; None: a gap."""
    measure = asked.measure
    series = [_series(group.title, place, group.steps, measure) for place, group in enumerate(used.drawn, 1)]
    if not asked.column:
        series = [_series("All of it", 1, used.steps, measure)]
    elif (undrawn := used.undrawn) is not None:
        series.append(_series("others", 0, undrawn, measure))
    totals = [_number(measure.value(step)) for step in used.steps]
    told = {"starts": list(used.span.steps), "running": used.span.running, "series": series, "totals": totals}
    return _drawn(measure, asked.period.bucket, used.span.zone) | told


def chart_of_one(
    measure: Measure, name: str, steps: Sequence[tuple[int, Sums]], bucket: str, zone: str
) -> dict[str, Any]:
    """Of one thing in steps that begin then (Unix seconds), of which the last is not over."""
    values = [_number(measure.value(sums)) for _, sums in steps]
    series = [{"name": name, "colour": 1, "values": values}]
    told = {"starts": [at for at, _ in steps], "running": "the last one", "series": series, "totals": values}
    return _drawn(measure, bucket, zone) | told


def _drawn(measure: Measure, bucket: str, zone: str) -> dict[str, Any]:
    return {
        "kind": measure.kind,
        "stacked": not measure.is_average,
        "locale": current().locale.for_browsers,
        "zone": zone,
        "bucket": bucket,
    }


def _series(title: str, colour: int, steps: Sequence[Sums], measure: Measure) -> dict[str, Any]:
    return {"name": title, "colour": colour, "values": [_number(measure.value(step)) for step in steps]}


def _number(value: Value) -> float | int | None:
    """As text it is the same digits again: those of money are few enough."""
    return float(value) if isinstance(value, Decimal) else value


def columns_of(asked: Asked) -> Sequence[Column]:
    return [
        Column(measure, replace(asked, measure=measure).address, measure.of == asked.measure.size)
        for measure in MEASURES.values()
    ]


def lines_of(asked: Asked, used: Used) -> Sequence[Line]:
    """The largest first, as the groups are."""
    lines = [_line(asked, group, place, used.total) for place, group in enumerate(used.groups, 1)]
    return [*lines, _line(asked, used.others, _UNDRAWN, used.total)] if used.others else lines


def total_of(asked: Asked, used: Used) -> Line:
    return _line(asked, Group("All of it", used.total), _UNDRAWN, used.total)


def _line(asked: Asked, group: Group, place: int, total: Sums) -> Line:
    return Line(
        group.title,
        place if place <= DRAWN else 0,
        asked.narrowed(group.filter).address if group.filter else "",
        [
            (measure.write(measure.value(group.sums)), measure == asked.measure)
            for measure in MEASURES.values()
        ],
        _share(asked.measure, group.sums, total),
    )


def _share(measure: Measure, sums: Sums, total: Sums) -> str:
    """Of that measure's whole; of averages none has any."""
    if measure.is_average or total[measure.of] <= 0:
        return ""
    return write_share(max(0.0, sums[measure.of] / total[measure.of]))
