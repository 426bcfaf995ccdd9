"""Admission and guessing over all processes, and by this process alone while Redis is away."""

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from typing import Any

from gateway.core.store.address import PREFIX
from gateway.core.store.connection import Argument, Connection
from gateway.core.store.interface import Limit, StoreUnavailable, Verdict
from gateway.core.store.memory import CONCURRENCY_RETRY_S, MemoryStore
from gateway.core.store.scripts import ADMIT, RENEW, TAKE_TRY
from gateway.core.store.tries import Patience

_RENEWED_AT_ONCE = 1000
_OWED_KEPT = 10_000
_RUNNING = f"{PREFIX}running:"


class RedisLimits:
    def __init__(self, commands: Connection, *, window_s: float, lease_s: float) -> None:
        self._commands = commands
        self._window_ms = round(window_s * 1000)
        self._lease_ms = round(lease_s * 1000)
        self._local = MemoryStore(window_s=window_s)
        self._live: dict[str, list[str]] = {}
        self._owed: deque[tuple[str, list[str]]] = deque(maxlen=_OWED_KEPT)

    async def admit(self, call_id: str, limits: Sequence[Limit]) -> Verdict:
        if not limits:
            return Verdict(is_admitted=True)
        if self._commands.accepts_writes:
            try:
                return await self._admit_shared(call_id, limits)
            except StoreUnavailable:
                # The limits of this process are better than none, and than no answer.
                pass
        return await self._local.admit(call_id, limits)

    async def _admit_shared(self, call_id: str, limits: Sequence[Limit]) -> Verdict:
        keys: list[str] = []
        slotted: list[str] = []
        arguments: list[Argument] = [call_id, self._window_ms, self._lease_ms]
        for limit in limits:
            subject, rate, slots = limit.subject, limit.requests_per_minute, limit.concurrency
            keys += (f"{PREFIX}rpm:{subject}", f"{_RUNNING}{subject}")
            arguments += (-1 if rate is None else rate, -1 if slots is None else slots)
            if slots is not None:
                slotted.append(subject)
        try:
            reply = await self._commands.run(ADMIT, keys, arguments)
        except BaseException:
            # No answer is not a no: a slot may have been taken.
            self._give_back(call_id, slotted)
            raise
        if reply[0] and slotted:
            self._live[call_id] = slotted
        return _admission(reply) if reply[0] else _refusal(reply, limits)

    async def take_try(self, subject: str, patience: Patience) -> float:
        if self._commands.accepts_writes:
            try:
                return await self._take_shared_try(subject, patience)
            except StoreUnavailable:
                pass
        return await self._local.take_try(subject, patience)

    async def _take_shared_try(self, subject: str, patience: Patience) -> float:
        limits = (patience.free, round(patience.longest_s * 1000), round(patience.kept_s * 1000))
        return float(await self._commands.run(TAKE_TRY, _tries_keys(subject), limits)) / 1000

    async def forgive(self, subject: str) -> None:
        await self._local.forgive(subject)
        self._commands.send_muted("DEL", *_tries_keys(subject))

    def release(self, call_id: str, limits: Sequence[Limit]) -> None:
        if slotted := self._live.pop(call_id, None):
            self._give_back(call_id, slotted)
        else:
            self._local.release(call_id, limits)

    def release_all(self) -> None:
        for call_id in list(self._live):
            self.release(call_id, ())

    def pay_debts(self) -> None:
        """Give back the slots of calls that ended while Redis was away."""
        while self._owed and self._commands.is_up:
            self._give_back(*self._owed.popleft())

    def renew(self) -> None:
        """Prolong the leases of all running calls, in order with whatever is released meanwhile."""
        by_subject = defaultdict(list)
        for call_id, slotted in self._live.items():
            for subject in slotted:
                by_subject[subject].append(call_id)
        for subject, call_ids in by_subject.items():
            for some in _in_parts(call_ids):
                self._commands.send("EVAL", RENEW.source, 1, f"{_RUNNING}{subject}", self._lease_ms, *some)

    def _give_back(self, call_id: str, slotted: list[str]) -> None:
        for subject in slotted:
            self._commands.send_muted("ZREM", f"{_RUNNING}{subject}", call_id)
        if slotted and not self._commands.is_up:
            self._owed.append((call_id, slotted))


def _tries_keys(subject: str) -> list[str]:
    return [f"{PREFIX}tries:{subject}", f"{PREFIX}wait:{subject}"]


def _in_parts(call_ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(call_ids), _RENEWED_AT_ONCE):
        yield call_ids[start : start + _RENEWED_AT_ONCE]


def _admission(reply: list[Any]) -> Verdict:
    _, limit, remaining, reset_ms = reply
    if limit < 0:
        return Verdict(is_admitted=True)
    return Verdict(is_admitted=True, limit=limit, remaining=remaining, reset_s=reset_ms / 1000)


def _refusal(reply: list[Any], limits: Sequence[Limit]) -> Verdict:
    _, index, kind, retry_ms = reply
    limit = limits[index]
    if kind == b"concurrency":
        return Verdict(False, limit.subject, "concurrency", CONCURRENCY_RETRY_S)
    retry_s = retry_ms / 1000
    return Verdict(False, limit.subject, "requests", retry_s, limit.requests_per_minute, 0, retry_s)
