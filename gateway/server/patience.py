"""What a client is granted: how large a head, how long a silence, how many connections; and the clock for it."""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from gateway.core.client_address import NO_PROXIES, TrustedProxies, counted_as

logger = logging.getLogger(__name__)

TICK_S = 0.5
# Connections beyond the limit that are told so; what comes on top is closed without a word.
_TOLD = 64
_WARN_EVERY_TICKS = 120


@dataclass(frozen=True, slots=True)
class EdgeLimits:
    """Of one web process. `per_address` 0: no limit."""

    head_bytes: int = 64 * 1024
    head_fields: int = 200
    head_s: float = 10
    body_silence_s: float = 60
    body_bytes_per_s: int = 1024
    """Asked for on average, once `body_silence_s` is over."""
    # Longer than the idle time of the usual reverse proxies: they, and not we, should close.
    idle_s: float = 75
    write_s: float = 60
    connections: int = 10_000
    per_address: int = 0
    proxies: TrustedProxies = NO_PROXIES
    """Each of them is one address for many clients, so it has no limit of its own."""
    base_path: str = ""
    """What precedes every path, unless a proxy has taken it off: see gateway.server.front."""


class Member(Protocol):
    """A connection. `due` is the tick at which its patience has to be looked at; `address` is its peer's."""

    due: int
    address: str

    @property
    def is_idle(self) -> bool: ...

    def lose_patience(self) -> None: ...


class Patience:
    """One ticker for all connections: a timer for each request would cost every call for the few.

    Time is counted in turns of the loop, so that a loop that stood still does not blame its clients for it.
    """

    def __init__(self, limits: EdgeLimits) -> None:
        self.limits = limits
        self.now = 0
        """In ticks."""
        self.head = _ticks(limits.head_s)
        self.body = _ticks(limits.body_silence_s)
        self.idle = _ticks(limits.idle_s)
        self.write = _ticks(limits.write_s)
        self._members: set[Member] = set()
        self._by_address: Counter[str] = Counter()
        self._is_full = False
        self._turned_away = 0
        self._warned_at = -_WARN_EVERY_TICKS
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._members)

    def start(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._turn)

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()

    def tick(self) -> None:
        self.now += 1
        for member in [each for each in self._members if each.due <= self.now]:
            member.lose_patience()
        if self._is_full:
            self._make_room()
        self._warn()

    def enter(self, member: Member) -> bool:
        """Whether there is room for it; it counts in any case, until it leaves."""
        self._members.add(member)
        may_have_it = self._may_have_one_more(member)
        has_room = may_have_it and len(self._members) <= self.limits.connections
        self._turned_away += not has_room
        self._is_full = self._is_full or not has_room
        return has_room

    def may_be_told(self) -> bool:
        """Whether one that found no room may stay for as long as it takes to say so."""
        return len(self._members) <= self.limits.connections + _TOLD

    def leave(self, member: Member) -> None:
        if member not in self._members:
            return
        self._members.remove(member)
        if not self.limits.per_address:
            return
        counted = counted_as(member.address)
        self._by_address[counted] -= 1
        if not self._by_address[counted]:
            del self._by_address[counted]

    def _may_have_one_more(self, member: Member) -> bool:
        if not self.limits.per_address:
            return True
        counted = counted_as(member.address)
        self._by_address[counted] += 1
        is_within = self._by_address[counted] <= self.limits.per_address
        return is_within or self.limits.proxies.trusts(member.address)

    def _turn(self) -> None:
        # First, so that nothing that a tick meets can stop the clock.
        self.start()
        self.tick()

    def _make_room(self) -> None:
        """Where somebody was turned away, whoever asks for nothing is kept no longer than a head may take."""
        self._is_full = False
        for member in [each for each in self._members if each.is_idle]:
            if member.due - self.now <= self.idle - self.head:
                member.lose_patience()

    def _warn(self) -> None:
        """Once a minute at most, with the number."""
        if self._turned_away and self.now - self._warned_at >= _WARN_EVERY_TICKS:
            logger.warning(
                "%d connections were turned away: %d are open (GATEWAY_CONNECTIONS).",
                self._turned_away,
                len(self._members),
            )
            self._turned_away, self._warned_at = 0, self.now


def _ticks(seconds: float) -> int:
    return max(1, round(seconds / TICK_S))
