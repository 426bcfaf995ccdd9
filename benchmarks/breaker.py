"""What an open breaker takes of a call's time: `python -m benchmarks.breaker`.

Two models have two providers each, over the same upstream. One of the second model's always fails, so that its breaker
opens by itself, and is tried again after each of its pauses. Both are asked in turn, round after round: what is extra
is the median of the differences of neighbours.
"""

import argparse
import sys
from collections import defaultdict
from statistics import median

from benchmarks.load import WholeAnswers, ask_whole
from benchmarks.measure import CONCURRENCIES, cpu_when_done
from benchmarks.processes import take_cores
from benchmarks.systems import LANES, started_systems

WELL, SICK = "acme/two", "acme/sick"
MOST_EXTRA_MS = 20.0
"""At the 95th percentile."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.breaker", description=__doc__)
    parser.add_argument("--rounds", type=int, default=12, help="how often each figure is taken (12)")
    parser.add_argument("--seconds", type=int, default=2, help="of each run (2)")
    parser.add_argument("--sqlite", action="store_true", help="keep the ledger in SQLite, not in PostgreSQL")
    options = parser.parse_args()
    found: dict[tuple[str, int, str], list[WholeAnswers]] = defaultdict(list)
    with started_systems(take_cores(), use_sqlite=options.sqlite, against=None) as systems:
        lanes = [system for system in systems if system.name in LANES]
        for number in range(1, options.rounds + 1):
            print(f"round {number} of {options.rounds}", file=sys.stderr, flush=True)
            for system in lanes:
                for many in CONCURRENCIES:
                    for model in (WELL, SICK) if number % 2 else (SICK, WELL):
                        target = system.target.of_model(model)
                        answers = ask_whole(target, concurrency=many, seconds=options.seconds)
                        found[system.name, many, model].append(answers)
                        # What is still to be recorded would make the next one slower.
                        cpu_when_done(system)
    return _tell(found)


def _tell(found: dict[tuple[str, int, str], list[WholeAnswers]]) -> int:
    print("time of a call in ms: both providers well | the breaker of one open, p50, p95, p99")
    extras = []
    for lane in LANES:
        for many in CONCURRENCIES:
            well, sick = found[lane, many, WELL], found[lane, many, SICK]
            # Neighbours in time: what else a machine does is the same for both.
            extras.append(median(ill.p95_ms - sound.p95_ms for ill, sound in zip(sick, well, strict=True)))
            told = " | ".join(
                " ".join(f"{_median(answers, name):6.2f}" for name in ("p50_ms", "p95_ms", "p99_ms"))
                for answers in (well, sick)
            )
            print(f"{lane}, {many} at a time: {told}; extra at p95 {extras[-1]:.2f}")
    return 0 if max(extras) <= MOST_EXTRA_MS else 1


def _median(answers: list[WholeAnswers], name: str) -> float:
    return median(getattr(each, name) for each in answers)


if __name__ == "__main__":
    sys.exit(main())
