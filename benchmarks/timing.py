"""How long something takes in this process and in its database: in time, and in CPU, which other work changes less."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from django.db import connection

_MS = 1_000_000
_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """`cpu_ms` is of this process and of the database together."""

    wall_ms: float
    cpu_ms: float


class Meter:
    """PostgreSQL's processes have to be of this machine: their CPU is read where the kernel tells it."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (backend,) = cursor.fetchone()
        status = Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()
        self._server = int(status[1])

    def cost(self, act: Callable[[], object], times: int = 5) -> Cost:
        """Medians, after it was done once."""
        act()
        tries = [self._once(act) for _ in range(times)]
        return Cost(median(each.wall_ms for each in tries), median(each.cpu_ms for each in tries))

    def _once(self, act: Callable[[], object]) -> Cost:
        cpu_ms, began = self._cpu_ms(), time.perf_counter()
        act()
        wall_ms = (time.perf_counter() - began) * 1000
        return Cost(wall_ms, self._cpu_ms() - cpu_ms)

    def _cpu_ms(self) -> float:
        return time.process_time_ns() / _MS + self._servers_ms()

    def _servers_ms(self) -> float:
        """Of all that runs, and in ticks of those that have ended, as workers of one query do."""
        children = Path(f"/proc/{self._server}/task/{self._server}/children").read_text().split()
        ended = Path(f"/proc/{self._server}/stat").read_text().rpartition(")")[2].split()
        return sum(map(_ran_ms, children)) + (int(ended[13]) + int(ended[14])) * _TICK_MS


def _ran_ms(pid: str) -> float:
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / _MS
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
