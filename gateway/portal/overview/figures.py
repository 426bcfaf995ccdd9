"""The figures on top of the overview: how much it was, how that compares, and its course as one small line."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from gateway.core.locales import write_number, write_percent
from gateway.core.reader import current
from gateway.portal.overview.measures import MEASURES, Measure, Value, write_share
from gateway.portal.overview.medians import Spread, Spreads
from gateway.portal.overview.question import Asked
from gateway.portal.overview.usage import Used
from gateway.public.amounts import Amount

SHOWN = ("spend", "calls", "errors", "first_token")
WIDTH, HEIGHT = 120, 28
_MANY_TIMES = 10
_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Figure:
    """`line` and `running` are paths in a box of WIDTH by HEIGHT: what is over, and on to the step that is not."""

    measure: Measure
    amount: Amount
    aside: str
    change: str
    line: str
    running: str
    address: str
    is_shown: bool


def figures_of(asked: Asked, used: Used, spreads: Spreads) -> Sequence[Figure]:
    return [_figure(MEASURES[name], asked, used, spreads) for name in SHOWN]


def _figure(measure: Measure, asked: Asked, used: Used, spreads: Spreads) -> Figure:
    """Of times the median, where enough calls were looked at for one; compared as such where both times have it."""
    value, before = measure.value(used.total), measure.value(used.before)
    amount, aside = measure.write(value), _aside(measure, used)
    now, then = spreads.now.get(measure.name), spreads.before.get(measure.name)
    if now:
        amount, aside = _write_median(measure, now, used), write_spread(measure, now)
        if then:
            value, before = now.median, then.median
    line, running = spark([measure.value(step) for step in used.steps], is_over=used.span.is_over)
    return Figure(
        measure,
        amount,
        aside,
        compare(measure, value, before, asked.period.before),
        line,
        running,
        replace(asked, measure=measure).address,
        measure == asked.measure,
    )


def _write_median(measure: Measure, spread: Spread, used: Used) -> Amount:
    here = current().locale
    looked, told = write_number(spread.looked_at, here), write_number(used.total[measure.told], here)
    average = measure.write(measure.value(used.total)).text
    exact = f"the median of {looked} looked at, of {told} measured; {average} on average"
    return Amount(measure.write(spread.median).text, exact)


def write_spread(measure: Measure, spread: Spread) -> str:
    """Beside a median."""
    return f"median; {write_share(0.95)} within {measure.write(spread.most).text}"


def _aside(measure: Measure, used: Used) -> str:
    if measure.name == "errors" and used.total["calls"] and used.total["errors"]:
        return f"{write_share(used.total['errors'] / used.total['calls'])} of calls"
    return "on average" if measure.is_average else ""


def compare(measure: Measure, value: Value, before: Value, when: str) -> str:
    """Such as “+12 % against the 7 days before”."""
    if value is None or before is None:
        return f"not measured in {when}" if before is None else ""
    if not before:
        return f"none in {when}" + ("" if value else " either")
    if measure.kind == "share":
        return _points(float(value) - float(before), when)
    now, then = Decimal(str(value)), Decimal(str(before))
    if now >= _MANY_TIMES * then > 0:
        return f"{write_number(round(now / then), current().locale)} times that of {when}"
    percent = round((now - then) / abs(then) * 100)
    if not percent:
        return f"as in {when}"
    return f"{_sign(percent)}{write_percent(Decimal(abs(percent)), current().locale)} against {when}"


def _points(difference: float, when: str) -> str:
    points = round(difference * 100)
    if not points:
        return f"as in {when}"
    written = write_number(abs(points), current().locale)
    return f"{_sign(points)}{written} point{'' if abs(points) == 1 else 's'} against {when}"


def _sign(number: int) -> str:
    return "+" if number > 0 else _MINUS


def spark(values: Sequence[Value], *, is_over: bool = False) -> tuple[str, str]:
    """Paths from zero up to the highest; what was not measured is a gap, and what stands alone in gaps a dot. The
    second one leads to the last step, unless that is over, too.
    """
    known = [float(value) for value in values if value is not None]
    top = max([*known, 0.0])
    wide = WIDTH / max(len(values) - 1, 1)
    points = [
        None if value is None else f"{place * wide:.1f} {_height(float(value), top):.1f}"
        for place, value in enumerate(values)
    ]
    path: list[str] = []
    for place, point in enumerate(points if is_over else points[:-1]):
        if point is not None:
            begins = place == 0 or points[place - 1] is None
            path.append(f"M{point}h0" if begins else f"L{point}")
    if is_over:
        return "".join(path), ""
    last = [point for point in points[-2:] if point is not None]
    running = "M" + "L".join(last) if len(last) == 2 else f"M{points[-1]}h0" if points and points[-1] else ""
    return "".join(path), running


def _height(value: float, top: float) -> float:
    """From the top of the box down, with a pixel left for the line's own width."""
    return HEIGHT - 1 - (max(value, 0.0) / top * (HEIGHT - 2) if top else 0.0)
