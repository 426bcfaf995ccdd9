"""What processes cost: CPU and memory of a whole tree, read from Linux' /proc; and which core they run on."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PPID, _UTIME, _CSTIME = 1, 11, 14
"""Places in /proc/PID/stat, counted from the state on."""


class NotReady(Exception):
    """This machine cannot run the benchmarks; the message says what to install or change."""


@dataclass(frozen=True, slots=True)
class Cores:
    """`system` is what is measured runs alone on one core; load and upstream share the other."""

    system: int
    load: int


def take_cores() -> Cores:
    """Put this process, and so what it starts from now on, on the load's core. Raises NotReady."""
    if not hasattr(os, "sched_getaffinity"):
        raise NotReady("Linux is needed: CPU and memory are read from /proc.")
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        raise NotReady("Two cores are needed: one for what is measured, one for load and upstream.")
    cores = Cores(*available[:2])
    os.sched_setaffinity(0, {cores.load})
    return cores


@contextmanager
def running_on(core: int) -> Iterator[None]:
    """What is started inside runs on that core for life."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_s(roots: Iterable[int]) -> float:
    """User and system time of these processes, their descendants, and those of them that ended."""
    ticks = 0
    for pid in tree(roots):
        with suppress(FileNotFoundError, ProcessLookupError):
            ticks += sum(map(int, _stat(pid)[_UTIME : _CSTIME + 1]))
    return ticks / _TICKS_PER_S


def pss_bytes(roots: Iterable[int]) -> int:
    """Memory of these processes and their descendants; what several share is counted once."""
    total = 0
    for pid in tree(roots):
        with suppress(FileNotFoundError, ProcessLookupError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def tree(roots: Iterable[int]) -> set[int]:
    """These processes and all their descendants."""
    parents = _parents()
    found, fresh = set[int](), set(roots)
    while fresh:
        found |= fresh
        fresh = {pid for pid, parent in parents.items() if parent in fresh} - found
    return found


def children() -> set[int]:
    """The processes that this one has started and that still run."""
    return {pid for pid, parent in _parents().items() if parent == os.getpid()}


def _parents() -> dict[int, int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                parents[int(entry.name)] = int(_stat(int(entry.name))[_PPID])
    return parents


def _stat(pid: int) -> list[str]:
    """What follows the program's name, which may hold spaces and brackets."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
