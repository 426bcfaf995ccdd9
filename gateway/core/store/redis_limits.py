"""Admission and guessing over all processes, and by this process alone while Redis is away."""

import math
import struct
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from gateway.core.store.address import ADMISSION, PREFIX
from gateway.core.store.admission_scripts import RENEW
from gateway.core.store.connection import Connection
from gateway.core.store.interface import (
    Ask,
    Limit,
    Standing,
    StoreUnavailable,
    Tokens,
    Verdict,
)
from gateway.core.store.limits import MemoryLimits, correction_of, standing_of
from gateway.core.store.memory import admit_here
from gateway.core.store.packing import AdmissionForm, PackedLimits, Packer
from gateway.core.store.redis_budgets import RedisBudgets
from gateway.core.store.redis_turn import Turn
from gateway.core.store.script import bulk
from gateway.core.store.scripts import TAKE_TRY
from gateway.core.store.tries import Patience, Tries

_RENEWED_AT_ONCE = 1000


class RedisLimits:
    def __init__(self, commands: Connection, turn: Turn, budgets: RedisBudgets, *, lease_s: float) -> None:
        self._commands = commands
        self._turn = turn
        self._asking = turn.asking
        self._budgets = budgets
        self._lease_ms = round(lease_s * 1000)
        self._here = MemoryLimits(time.monotonic)
        self._tries = Tries()
        self._packer = Packer(bulk(self._lease_ms))
        self._live: dict[str, list[str]] = {}

    async def admit(self, ask: Ask) -> Verdict:
        form = self._packer.form(ask)
        if form.asks_nothing:
            return Verdict(is_admitted=True)
        if not self._commands.accepts_writes:
            return self._admit_here(ask, form)
        try:
            reply = await self._asking.ask(form, ask, self._budgets.born)
        except BaseException as error:
            self._give_back(ask.call_id, form)
            if not isinstance(error, StoreUnavailable):
                raise
            # What this process knows is better than nothing, and than no answer.
            self._budgets.is_behind = True
            return self._admit_here(ask, form)
        if not reply[0]:
            if reply[1] == b"lost":
                return self._budgets.lost(str(reply[2]), reply[3] / 1_000_000)
            return _refusal(reply, form)
        self._note_taken(ask.call_id, form, reply)
        return Verdict(True, None, None, "", 0.0, max(0, reply[1] - 1), _standings(form.limits, reply, 2))

    def _give_back(self, call_id: str, form: AdmissionForm) -> None:
        """No answer is not a no: all may have been taken, whichever candidate's slots."""
        if form.budgets:
            self._turn.release(call_id, form.subjects)
        if slots := [slot for limits in (form.limits, *form.candidates) for slot in limits.slots]:
            self._turn.give_back(call_id, slots)

    def _admit_here(self, ask: Ask, form: AdmissionForm) -> Verdict:
        self._budgets.forget_elsewhere()
        self._budgets.has_asked |= bool(form.budgets)
        return admit_here(ask, self._here, self._budgets.mine)

    def _note_taken(self, call_id: str, form: AdmissionForm, reply: list[Any]) -> None:
        slots = form.limits.slots
        if form.candidates:
            slots = slots + form.candidates[reply[1] - 1].slots
        if slots:
            self._live[call_id] = slots + self._live[call_id] if call_id in self._live else slots
        if form.budgets:
            *holds, born = reply[-len(form.budgets) - 1 :]
            self._budgets.note_taken(call_id, form.subjects, holds, born)

    async def standings(self, limits: Sequence[Limit]) -> Sequence[Standing]:
        windows = [limit for limit in limits if limit.window_s]
        if not windows:
            return []
        self._turn.finish()
        try:
            second, millionth = await self._commands.call("TIME")
            buckets = await self._commands.call("MGET", *(ADMISSION + limit.name for limit in windows))
        except StoreUnavailable:
            return self._here.standings(windows)
        now = int(second) + int(millionth) / 1_000_000
        return [
            standing_of(limit, _level(limit, bucket, now))
            for limit, bucket in zip(windows, buckets, strict=True)
        ]

    def correct(
        self,
        limits: Sequence[Limit],
        reserved: Tokens,
        actual: Tokens,
        reserved_at: float,
        *,
        waits: bool = False,
    ) -> None:
        age_s = time.time() - reserved_at
        if not self._commands.accepts_writes:
            return self._here.correct(limits, reserved, actual, age_s)
        for limit in limits:
            if taken := correction_of(limit, reserved, actual, age_s):
                self._turn.correct(limit, taken, waits=waits)
        return None

    async def take_try(self, subject: str, patience: Patience) -> float:
        if self._commands.accepts_writes:
            try:
                return await self._take_shared_try(subject, patience)
            except StoreUnavailable:
                pass
        return self._tries.take(subject, patience)

    async def _take_shared_try(self, subject: str, patience: Patience) -> float:
        limits = (patience.free, round(patience.longest_s * 1000), round(patience.kept_s * 1000))
        return float(await self._commands.run(TAKE_TRY, _tries_keys(subject), limits)) / 1000

    async def forgive(self, subject: str) -> None:
        self._tries.forgive(subject)
        self._commands.send_muted("DEL", *_tries_keys(subject))

    def release(self, call_id: str, *, leaves_holds: bool = False) -> None:
        if slots := self._live.pop(call_id, None):
            self._turn.give_back(call_id, slots)
        if self._here.slots_of:
            # Where Redis came or went meanwhile, it has some of each.
            self._here.release(call_id)
        if call_id in self._budgets.mine.holding:
            self._budgets.release(call_id, leaves_holds=leaves_holds)

    def release_all(self) -> None:
        for call_id in list(self._live):
            self.release(call_id)

    def renew(self) -> None:
        """Prolong the leases of all running calls, in order with whatever is released meanwhile."""
        by_slots = defaultdict(list)
        for call_id, held in self._live.items():
            for slots in held:
                by_slots[slots].append(call_id)
        for slots, call_ids in by_slots.items():
            for some in _in_parts(call_ids):
                self._commands.send("EVAL", RENEW.source, 1, slots, self._lease_ms, *some)


def _level(limit: Limit, bucket: bytes | None, now: float) -> float:
    """What a bucket holds now, as `level_of` in `admission_scripts.py` has it; `now` in seconds of Redis' clock."""
    if bucket is None:
        return 0.0
    level, at_us = struct.unpack("dd", bucket)
    drained: float = (now - at_us / 1_000_000) * limit.amount / limit.window_s
    return max(0.0, float(level) - drained)


def _tries_keys(subject: str) -> list[str]:
    return [f"{PREFIX}tries:{subject}", f"{PREFIX}wait:{subject}"]


def _in_parts(call_ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(call_ids), _RENEWED_AT_ONCE):
        yield call_ids[start : start + _RENEWED_AT_ONCE]


def _refusal(reply: list[Any], form: AdmissionForm) -> Verdict:
    _, said, number, wait_us, window = reply[:5]
    reason = said.decode()
    refused_by = form.limits.limits[number - 1] if reason == "limit" else None
    budget = None
    if window:
        refusing = form.budgets[number - 1]
        budget = (refusing.subject, refusing.windows[window - 1])
    retry_after_s = wait_us / 1_000_000 if wait_us >= 0 else math.inf
    return Verdict(False, refused_by, budget, reason, retry_after_s, 0, _standings(form.limits, reply, 5))


def _standings(packed: PackedLimits, reply: list[Any], start: int) -> list[Standing]:
    told = iter(reply[start:])
    return [Standing(limit, next(told), next(told) / 1_000_000) for limit in packed.windows]
