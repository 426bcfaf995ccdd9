"""Limits as the scripts take them: put together once for the same tuple, since most calls come with it."""

from collections.abc import Sequence

from gateway.core.store.address import ADMISSION
from gateway.core.store.connection import Argument
from gateway.core.store.interface import CONCURRENCY, REQUESTS, Ask, Limit
from gateway.core.store.limits import cost_of

_KEPT = 10_000


class PackedLimits:
    """`slots` are the keys of those on concurrency, `windows` the limits that have one."""

    __slots__ = ("_arguments", "_counted", "keys", "limits", "slots", "windows")

    def __init__(self, limits: Sequence[Limit]) -> None:
        self.limits = limits
        self.keys = [ADMISSION + limit.name for limit in limits]
        self.slots = [ADMISSION + limit.name for limit in limits if not limit.window_s]
        self.windows = [limit for limit in limits if limit.window_s]
        # Each limit's amount, window and cost, which is 1 where tokens are not what it counts.
        self._arguments = [number for limit in limits for number in (limit.amount, limit.window_s, 1)]
        self._counted = [
            (3 * position + 2, limit)
            for position, limit in enumerate(limits)
            if limit.unit not in {REQUESTS, CONCURRENCY}
        ]

    def arguments(self, ask: Ask) -> list[Argument]:
        arguments: list[Argument] = [*self._arguments]
        for position, limit in self._counted:
            arguments[position] = cost_of(limit, ask)
        return arguments


_NOTHING = PackedLimits(())


class Packer:
    def __init__(self) -> None:
        self._packed: dict[int, PackedLimits] = {}

    def pack(self, limits: Sequence[Limit]) -> PackedLimits:
        if not limits:
            return _NOTHING
        packed = self._packed.get(id(limits))
        # What is kept holds its tuple, so that no other can have its id.
        if packed is not None and packed.limits is limits:
            return packed
        packed = PackedLimits(limits)
        if isinstance(limits, tuple):
            if len(self._packed) >= _KEPT:
                self._packed.clear()
            self._packed[id(limits)] = packed
        return packed
