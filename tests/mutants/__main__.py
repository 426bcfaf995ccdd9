"""Mutate the pure rules that `rules.toml` names, one small change at a time, and see whether their tests notice.

    python -m tests.mutants [--only TEXT] [--sample N]

Exits with 1 where a mutant lives that `equivalents.toml` does not excuse, or where one that it excuses is dead. All
tests are collected once; each mutant is a fork of that process, so that it costs what its tests take and no start.
"""

import argparse
import gc
import os
import resource
import signal
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.mutants.mutations import Mutation, functions_of, mutations_of

ROOT = Path(__file__).resolve().parents[2]
RULES = Path(__file__).with_name("rules.toml")
EQUIVALENTS = Path(__file__).with_name("equivalents.toml")
LIVES, NO_MUTANT, FELL, KILLED = 0, 2, 3, 10
"""What a mutant's process ends with. From KILLED on, the place of the test that noticed is added."""
MOST_PLACES = 255 - KILLED
# Of what its tests take without a change; a mutant that goes on for ever is noticed by that.
PATIENCE, LEAST_S = 5, 5.0
MOST_BYTES = 6 * 1024**3
OPTIONS = ["-qq", "--capture=no", "-p", "no:cacheprovider", "-o", "faulthandler_timeout=0"]


@dataclass(frozen=True)
class Rules:
    """One module and the tests nearest to it: those that a change of it should wake."""

    path: Path
    tests: tuple[Path, ...]


@dataclass(frozen=True)
class Running:
    mutation: Mutation
    items: Sequence[pytest.Item]
    ends_at: float


class Loop:
    """Runs, in place of pytest's own loop, the tests of each module against each of its mutants."""

    def __init__(self, rules: Sequence[Rules], equivalents: Set[str], sample: int | None) -> None:
        self._rules = rules
        self._equivalents = equivalents
        self._sample = sample
        self.survivors: set[str] = set()
        self.has_run = self.has_passed = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("the tests cannot be collected")
        chosen = self._choose()
        for path in chosen:
            functions_of(path)
        # No fork has to look for garbage in what there was before it, and to have that copied.
        gc.freeze()
        verdicts = []
        for rules in self._rules:
            quick = list(filter(_is_quick, session.items))
            items = [item for test in rules.tests for item in quick if item.path == test]
            if mutations := chosen.get(rules.path):
                verdicts.append(self._try(rules, mutations, items))
        self.has_run, self.has_passed = True, all(verdicts)
        return True

    def _choose(self) -> Mapping[Path, Sequence[Mutation]]:
        every = [mutation for rules in self._rules for mutation in mutations_of(rules.path)]
        if self._sample:
            every = sorted(every, key=lambda each: each.rank)[: self._sample]
        return {rules.path: [each for each in every if each.path == rules.path] for rules in self._rules}

    def _try(self, rules: Rules, mutations: Sequence[Mutation], items: Sequence[pytest.Item]) -> bool:
        """Whether the tests notice each of them that is no equivalent."""
        name, started_at = rules.path.relative_to(ROOT), time.monotonic()
        if _wait(_fork(None, items)) != LIVES:
            print(f"{name}: its tests fail without a mutant", flush=True)
            return False
        limit_s = max(LEAST_S, PATIENCE * (time.monotonic() - started_at))
        mutants = 0
        survivors = set()
        for mutation, outcome in _outcomes(mutations, items, limit_s):
            mutants += outcome != NO_MUTANT
            if outcome == LIVES:
                survivors.add(mutation.name(ROOT))
        self.survivors |= survivors
        alive = sorted(survivors - self._equivalents)
        print(f"{mutants:4} mutants in {time.monotonic() - started_at:4.0f} s, {len(alive)} alive: {name}")
        print(*(f"ALIVE {each}\n" for each in alive), sep="", end="", flush=True)
        return not alive


def _outcomes(
    mutations: Iterable[Mutation], items: Sequence[pytest.Item], limit_s: float
) -> Iterator[tuple[Mutation, int]]:
    """Whoever noticed the last one goes first: it will often notice the next."""
    running: dict[int, Running] = {}
    waiting = iter(mutations)
    while True:
        while len(running) < (os.cpu_count() or 1) and (mutation := next(waiting, None)):
            running[_fork(mutation, items)] = Running(mutation, items, time.monotonic() + limit_s)
        if not running:
            return
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid in running:
            ended, outcome = running.pop(pid), os.waitstatus_to_exitcode(status)
            if outcome >= KILLED:
                noticed = ended.items[outcome - KILLED]
                items = [noticed, *(item for item in items if item is not noticed)]
            yield ended.mutation, outcome
        elif not pid:
            for late in [pid for pid, each in running.items() if time.monotonic() > each.ends_at]:
                os.kill(late, signal.SIGKILL)
            time.sleep(0.005)


def _fork(mutation: Mutation | None, items: Sequence[pytest.Item]) -> int:
    """The id of a process that ends with what became of the mutant."""
    if pid := os.fork():
        return pid
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nowhere, stream)
        os._exit(NO_MUTANT if mutation and not mutation.apply() else _run(items))
    finally:
        os._exit(FELL)


def _run(items: Sequence[pytest.Item]) -> int:
    items[0].config.pluginmanager.unregister(name="terminalreporter")
    for place, (item, following) in enumerate(zip(items, [*items[1:], None], strict=True)):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if item.session.testsfailed:
            return KILLED + min(place, MOST_PLACES)
    return LIVES


def _wait(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _is_quick(item: pytest.Item) -> bool:
    return not any(item.get_closest_marker(name) for name in ("django_db", "slow", "drill"))


def read_rules(only: str) -> list[Rules]:
    known = tomllib.loads(RULES.read_text("utf-8"))
    return [
        Rules(ROOT / path, tuple(ROOT / "tests" / test for test in tests))
        for path, tests in known.items()
        if only in path
    ]


def read_equivalents(only: str) -> Mapping[str, str]:
    known: Mapping[str, Mapping[str, str]] = tomllib.loads(EQUIVALENTS.read_text("utf-8"))
    return {
        f"{path}: {change}": reason
        for path, changes in known.items()
        if only in path
        for change, reason in changes.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="modules whose path has this in it")
    parser.add_argument("--sample", type=int, metavar="N", help="as many mutants, always the same ones")
    options = parser.parse_args()
    rules = read_rules(options.only)
    excused = read_equivalents(options.only)
    loop = Loop(rules, excused.keys(), options.sample)
    files = sorted({str(test) for each in rules for test in each.tests})
    pytest.main([*files, *OPTIONS], [loop])
    is_partial = options.sample or not loop.has_run
    dead = [] if is_partial else sorted(excused.keys() - loop.survivors)
    print(*(f"DEAD, so no equivalent: {each}\n" for each in dead), sep="", end="")
    return 0 if loop.has_run and loop.has_passed and not dead else 1


if __name__ == "__main__":
    sys.exit(main())
