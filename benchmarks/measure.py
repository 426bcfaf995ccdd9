"""The run: every figure of every system in turn, round after round, so that all meet the same noise."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks.load import Pace, Streamed, ask_streams, ask_whole, hold_streams
from benchmarks.processes import cpu_s, pss_bytes
from benchmarks.systems import System

Figures = dict[str, float]
"""By name, such as `json50_cpu_ms`."""
Results = dict[str, list[Figures]]
"""By system, one entry a round."""

CONCURRENCIES = (4, 50)
OPEN_STREAMS = 500
_PACE = Pace()
# The fewer at a time, the more often: CPU is counted in ticks of 10 ms.
_TIMES = {4: 6, 50: 3}
_SLOW = Pace(chunks=12, first_ms=50, gap_ms=500)
# Recording goes on after the answer, and falls behind while a core is full: a call's CPU includes its way into the
# ledger. It begins four times a second; whoever spends no more than this in the time is done.
_LOOK_S, _IDLE_CPU_S = 0.4, 0.02
# On a slow machine the idle processes alone take more than that: after ten seconds all are done.
_MOST_LOOKS = 25


@dataclass(frozen=True, slots=True)
class Plan:
    rounds: int
    seconds: int
    """Of each run of whole answers."""


def run(systems: Sequence[System], plan: Plan, note: Callable[[str], None]) -> Results:
    """Raises WrongAnswer as soon as one call is not answered as it should be."""
    for system in systems:
        ask_whole(system.target, concurrency=50, seconds=system.warm_up_s)
        if system.streams:
            ask_streams(system.target, concurrency=50, times=1, pace=_PACE)
    streaming = [system for system in systems if system.streams]
    results: Results = {system.name: [] for system in systems}
    for number in range(1, plan.rounds + 1):
        note(f"round {number} of {plan.rounds}")
        for name, figures in _round(systems, plan).items():
            results[name].append(figures)
    note(f"memory with {OPEN_STREAMS} open streams")
    for system in streaming:
        results[system.name][-1].update(_measure_memory(system))
    return results


def _round(systems: Sequence[System], plan: Plan) -> Mapping[str, Figures]:
    figures: Mapping[str, Figures] = {system.name: {} for system in systems}
    for concurrency in CONCURRENCIES:
        for system in systems:
            figures[system.name].update(_measure_whole(system, concurrency, plan.seconds))
        for system in [system for system in systems if system.streams]:
            figures[system.name].update(_measure_streams(system, concurrency))
    return figures


def _measure_whole(system: System, concurrency: int, seconds: int) -> Figures:
    before = cpu_s(system.roots)
    answers = ask_whole(system.target, concurrency=concurrency, seconds=seconds)
    spent_s = cpu_when_done(system) - before
    name = f"json{concurrency}"
    return {
        f"{name}_per_s": answers.per_second,
        f"{name}_cpu_ms": spent_s / answers.count * 1000,
        f"{name}_p50_ms": answers.p50_ms,
        f"{name}_p99_ms": answers.p99_ms,
    }


def _measure_streams(system: System, concurrency: int) -> Figures:
    before = cpu_s(system.roots)
    answers = ask_streams(system.target, concurrency=concurrency, times=_TIMES[concurrency], pace=_PACE)
    spent_s = cpu_when_done(system) - before
    name, delays_s = f"sse{concurrency}", _delays(answers)
    return {
        f"{name}_first_ms": median(answer.first_s for answer in answers) * 1000,
        f"{name}_chunk_cpu_us": spent_s / len(delays_s) * 1e6,
        f"{name}_delay_p50_ms": median(delays_s) * 1000,
        f"{name}_delay_p99_ms": quantiles(delays_s, n=100)[98] * 1000,
    }


def cpu_when_done(system: System) -> float:
    before = cpu_s(system.roots)
    for _ in range(_MOST_LOOKS):
        time.sleep(_LOOK_S)
        spent = cpu_s(system.roots)
        if spent - before <= _IDLE_CPU_S:
            return spent
        before = spent
    return before


def _delays(answers: Sequence[Streamed]) -> list[float]:
    return [delay_s for answer in answers for delay_s in answer.delays_s]


def _measure_memory(system: System) -> Figures:
    idle = pss_bytes(system.roots)
    held = hold_streams(
        system.target, concurrency=OPEN_STREAMS, pace=_SLOW, look=lambda: pss_bytes(system.roots)
    )
    return {"idle_mb": idle / 1e6, "open_mb": held / 1e6, "stream_kb": (held - idle) / OPEN_STREAMS / 1000}
