"""What came out: medians side by side, ratios, and whether the goals are met."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.measure import CONCURRENCIES, OPEN_STREAMS, Results
from benchmarks.peers import LITELLM, PEERS, PORTKEY
from benchmarks.systems import BARE, BEFORE, DIRECT, NGINX, WORKER

Summary = dict[str, dict[str, float]]
"""By figure, then by system: the median of all rounds. The bare upstream's own cost is not counted."""

_SYSTEMS = (BARE, NGINX, DIRECT, WORKER)
_RATIOS = ((DIRECT, NGINX), (WORKER, DIRECT), *((peer, DIRECT) for peer in PEERS))
_BEFORE_COLUMNS = ("direct:before", "worker:before")


_SHARES = {PORTKEY: 10, LITELLM: 100 / 60}
"""Of a peer's CPU a call, in %, the most that ours may take."""


@dataclass(frozen=True, slots=True)
class Goal:
    """`value` may be at most `most`."""

    text: str
    value: float
    most: float
    unit: str

    @property
    def is_met(self) -> bool:
        return self.value <= self.most

    @property
    def line(self) -> str:
        mark = "\N{CHECK MARK}" if self.is_met else "\N{BALLOT X}"
        return f"{mark} {self.text}: {self.value:.3g} {self.unit} (at most {self.most:g})"


def summarise(results: Results) -> Summary:
    for rounds in results.values():
        for own, bare in zip(rounds, results[BARE], strict=True):
            for name in filter(
                own.__contains__, [f"sse{concurrency}_first_ms" for concurrency in CONCURRENCIES]
            ):
                own[name.replace("first", "added_first")] = own[name] - bare[name]
    names = dict.fromkeys(name for rounds in results.values() for figures in rounds for name in figures)
    return {name: _medians(results, name) | _changes(results, name) for name in names}


def _changes(results: Results, name: str) -> dict[str, float]:
    """Beside the earlier revision: medians of the ratios of each round."""
    changes = {}
    for column, (lane, before) in zip(_BEFORE_COLUMNS, BEFORE.items(), strict=True):
        pairs = zip(results.get(lane, []), results.get(before, []), strict=False)
        ratios = [now[name] / then[name] for now, then in pairs if then.get(name, 0) > 0]
        if ratios:
            changes[column] = median(ratios)
    return changes


def _medians(results: Results, name: str) -> dict[str, float]:
    values = {
        system: [figures[name] for figures in rounds if name in figures] for system, rounds in results.items()
    }
    return {system: median(found) for system, found in values.items() if found}


def goals(summary: Summary) -> list[Goal]:
    cpu, chunk, first = (
        summary["json50_cpu_ms"],
        summary["sse50_chunk_cpu_us"],
        summary["sse4_added_first_ms"],
    )
    shares = [
        Goal(f"direct lane, CPU a call at 50, of what {peer} takes", cpu[DIRECT] / cpu[peer] * 100, most, "%")
        for peer, most in _SHARES.items()
        if peer in cpu
    ]
    return [
        Goal("direct lane, CPU a call at 50", cpu[DIRECT] / cpu[NGINX], 18, "times nginx's"),
        Goal("worker lane, CPU a call at 50 beyond direct", cpu[WORKER] - cpu[DIRECT], 0.25, "ms"),
        Goal("worker lane, CPU a chunk at 50 beyond direct", chunk[WORKER] - chunk[DIRECT], 60, "us"),
        Goal("direct lane, added time to first token with 4 streams", first[DIRECT], 4, "ms"),
        Goal("worker lane, added time to first token with 4 streams", first[WORKER], 8, "ms"),
        *shares,
    ]


def table(summary: Summary) -> str:
    changes = [column for column in _BEFORE_COLUMNS if any(column in values for values in summary.values())]
    systems = [*_SYSTEMS, *(peer for peer in PEERS if peer in summary["json50_cpu_ms"])]
    ratios = [(one, other) for one, other in _RATIOS if one in systems]
    rows = [("", *systems, *(f"{one}:{other}" for one, other in ratios), *changes)]
    rows += [
        (*_row(label, summary[name], systems, ratios), *_told(summary[name], changes))
        for name, label in _labels()
    ]
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return "\n".join(_aligned(row, widths) for row in rows)


def _labels() -> Iterator[tuple[str, str]]:
    for many in CONCURRENCIES:
        yield f"json{many}_per_s", f"answers, {many} at a time: calls/s"
        yield f"json{many}_cpu_ms", "  CPU a call, ms"
        yield f"json{many}_p50_ms", "  time p50, ms"
        yield f"json{many}_p99_ms", "  time p99, ms"
    for many in CONCURRENCIES:
        yield f"sse{many}_added_first_ms", f"streams, {many} at a time: added time to first token p50, ms"
        yield f"sse{many}_chunk_cpu_us", "  CPU a chunk, us"
        yield f"sse{many}_delay_p50_ms", "  chunk delay p50, ms"
        yield f"sse{many}_delay_p99_ms", "  chunk delay p99, ms"
    yield "idle_mb", "memory idle, MB"
    yield "open_mb", f"  with {OPEN_STREAMS} open streams, MB"
    yield "stream_kb", "  for each open stream, KB"


def _row(
    label: str, values: Mapping[str, float], systems: Sequence[str], ratios: Sequence[tuple[str, str]]
) -> tuple[str, ...]:
    counted = {name: value for name, value in values.items() if name != BARE or value}
    figures = [_figure(counted.get(name)) for name in systems]
    return (label, *figures, *(_ratio(counted, one, other) for one, other in ratios))


def _told(values: Mapping[str, float], changes: Sequence[str]) -> list[str]:
    return [f"{values[column]:.2f}" if column in values else "-" for column in changes]


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def _ratio(values: Mapping[str, float], one: str, other: str) -> str:
    return f"{values[one] / values[other]:.2f}" if one in values and values.get(other, 0) > 0 else "-"


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    label, *figures = row
    return "  ".join(
        [
            label.ljust(widths[0]),
            *(text.rjust(width) for text, width in zip(figures, widths[1:], strict=True)),
        ]
    )
