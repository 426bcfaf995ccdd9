"""The command: `python -m benchmarks`, also `make bench`."""

import argparse
import json
import os
import platform
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks.measure import Plan, run
from benchmarks.peers import started_litellm, started_portkey
from benchmarks.processes import NotReady, take_cores
from benchmarks.report import goals, summarise, table
from benchmarks.systems import started_systems


def main() -> int:
    options = _parser().parse_args()
    try:
        cores = take_cores()
        with ExitStack() as stack:
            peers = (started_litellm, started_portkey) if options.peers else ()
            systems = stack.enter_context(
                started_systems(cores, use_sqlite=options.sqlite, against=options.against, peers=peers)
            )
            results = run(systems, Plan(options.rounds, options.seconds), note=_note)
    except NotReady as missing:
        print(f"benchmarks: {missing}", file=sys.stderr)
        return 2
    summary = summarise(results)
    if options.json:
        options.json.write_text(json.dumps({"median": summary, "rounds": results}, indent=2))
    judged = goals(summary)
    print(_conditions(), table(summary), *(goal.line for goal in judged), sep="\n")
    return 0 if all(goal.is_met for goal in judged) else 1


def _conditions() -> str:
    """What a reader must know before using a number. The load average includes what the benchmark itself does."""
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    python, compiler = platform.python_version(), platform.python_compiler()
    return f"Python {python} ({compiler}), {platform.platform()}, {os.cpu_count()} cores, load average {load}"


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each figure is taken (5)")
    parser.add_argument("--seconds", type=int, default=4, help="of each run of whole answers (4)")
    parser.add_argument("--sqlite", action="store_true", help="keep the ledger in SQLite, not in PostgreSQL")
    parser.add_argument(
        "--against", metavar="REVISION", help="also measure this earlier one, in turn, and tell the ratios"
    )
    parser.add_argument(
        "--peers", action="store_true", help="also install and measure LiteLLM and Portkey (800 MB)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write medians and all rounds there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
