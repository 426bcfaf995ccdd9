"""When an offering is left alone, and who finds out whether it is well again. Pure; times are monotonic seconds."""

import math
from collections import deque
from dataclasses import dataclass, field

from providers.wire.failure import FailureKind

FAILURES_TO_OPEN = 5
"""In a row."""
RATE_TO_OPEN, CALLS_TO_RATE, RATE_WINDOW_S = 0.5, 20, 60
"""This share of failures among at least so many calls within that time."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 30.0, 300.0
LONGEST_WAIT_S = 60.0
"""For a limit, whatever the provider asks for: clients are told that, and we find out."""
# A probe that ended without a word, because its client left, does not block the next one for longer.
PROBE_LEASE_S = 30.0
_SLOT_S = 10

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half_open"
BY_FAILURES, BY_RATE, BY_CREDENTIAL, BY_MODEL_MISSING, BY_RETRY_AFTER, BY_STAFF = (
    "failures",
    "rate",
    "credential",
    "model_missing",
    "retry_after",
    "staff",
)
CAUSES = (BY_FAILURES, BY_RATE, BY_CREDENTIAL, BY_MODEL_MISSING, BY_RETRY_AFTER, BY_STAFF)
SPARING = frozenset({BY_FAILURES, BY_RATE})
"""The causes that do not keep a call from the only offering that is left for it."""
_AT_ONCE = {FailureKind.AUTH: BY_CREDENTIAL, FailureKind.MODEL_MISSING: BY_MODEL_MISSING}


class Recent:
    """Calls of the last minute that went well, and that failed."""

    __slots__ = ("_slots",)

    def __init__(self) -> None:
        self._slots: deque[list[int]] = deque()

    def add(self, served: int, failed: int, at: float) -> None:
        slot = int(at // _SLOT_S)
        if not self._slots or self._slots[-1][0] < slot:
            self._slots.append([slot, 0, 0])
        self._slots[-1][1] += served
        self._slots[-1][2] += failed
        while self._slots[0][0] <= slot - RATE_WINDOW_S // _SLOT_S:
            self._slots.popleft()

    def clear(self) -> None:
        self._slots.clear()

    @property
    def is_bad(self) -> bool:
        failed = sum(slot[2] for slot in self._slots)
        calls = failed + sum(slot[1] for slot in self._slots)
        return calls >= CALLS_TO_RATE and failed >= calls * RATE_TO_OPEN


@dataclass(slots=True)
class Breaker:
    """Of one way. What changes its state returns True."""

    open_until: float | None = None
    """None while closed; once it has passed, the breaker is half-open until a probe succeeds."""
    cause: str = ""
    """One of CAUSES; "" while closed."""
    number: int = 0
    """Of its last change: the higher one is the later one, whichever process made it."""
    opened_at: float = -math.inf
    opened_times: int = 0
    failures_in_row: int = 0
    recent: Recent = field(default_factory=Recent)
    hold: str = ""
    """Staff's word, `open` or `closed`; "": they let it be."""
    leased_until: float = -math.inf
    taken_until: float = -math.inf
    """Another process has the lease, as far as was heard."""
    probed_at: float | None = None

    def state(self, at: float) -> str:
        if self.open_until is None:
            return CLOSED
        return OPEN if at < self.open_until else HALF_OPEN

    def is_open(self, at: float) -> bool:
        return self.open_until is not None and at < self.open_until

    def pause_s(self, at: float) -> float:
        """For how long it is still open; infinite while staff hold it so."""
        return 0.0 if self.open_until is None else max(0.0, self.open_until - at)

    def succeed(self, count: int, at: float, began: float) -> bool:
        """Of calls made here. One that began before the breaker opened does not close it."""
        if self.open_until is None:
            self.failures_in_row = 0
            self.recent.add(count, 0, at)
            return False
        if self.hold or at < self.open_until or began < self.opened_at:
            return False
        self.close()
        return True

    def fail(self, kind: FailureKind, at: float, began: float, retry_after_s: float | None = None) -> bool:
        """Of a call made here, and no mistake of its caller's."""
        self.failures_in_row += 1
        self.recent.add(0, 1, at)
        if self.hold or self.is_open(at):
            return False
        is_probe = self.open_until is not None
        if is_probe and began < self.opened_at:
            return False
        if kind is FailureKind.RATE_LIMIT and retry_after_s is not None:
            return self._open(BY_RETRY_AFTER, at, at + min(retry_after_s, LONGEST_WAIT_S))
        cause = _AT_ONCE.get(kind) or self._cause_to_open() or (BY_FAILURES if is_probe else "")
        return self._pause(cause, at) if cause else False

    def hear(self, served: int, failed: int, trailing: int, at: float) -> bool:
        """Of calls that others made. They never end a pause: who made the probe says how that went."""
        self.failures_in_row = trailing if served else self.failures_in_row + failed
        self.recent.add(served, failed, at)
        if not failed or self.hold or self.open_until is not None:
            return False
        cause = self._cause_to_open()
        return self._pause(cause, at) if cause else False

    def excuse(self) -> None:
        """The probe was its caller's own mistake: it told nothing, and the next one may be made."""
        self.probed_at = None

    def adopt(self, until: float | None, cause: str, opened_times: int, number: int, at: float) -> bool:
        """What another process made of it, where that is later than what we know."""
        if number <= self.number or self.hold:
            return False
        was, self.number = self.open_until, number
        if until is None:
            self.close()
            return was is not None
        self.opened_times = opened_times
        return self._open(cause, at, until)

    def hold_to(self, word: str) -> bool:
        """Staff's hand; whatever was before is forgotten once they let go."""
        if word == self.hold:
            return False
        self.close()
        self.hold = word
        return self._open(BY_STAFF, -math.inf, math.inf) if word == OPEN else True

    def admits(self, at: float, *, is_shared: bool, is_only: bool) -> bool:
        """Whether a call may be made now. Half-open, the first to ask is the probe; the others wait for it.

        `is_shared`: other processes see the same offering, and only the one with the lease may try.
        """
        if self.open_until is None:
            return True
        is_spared = is_only and self.cause in SPARING
        if at < self.open_until:
            return is_spared
        if self.is_probed(at) or (is_shared and at >= self.leased_until):
            return is_spared
        self.probed_at = at
        return True

    def is_probed(self, at: float) -> bool:
        return self.probed_at is not None and at - self.probed_at < PROBE_LEASE_S

    def may_claim(self, at: float) -> bool:
        """Whether a call that would find out has only the lease to ask for."""
        if self.state(at) != HALF_OPEN or self.is_probed(at):
            return False
        return at >= self.leased_until and at >= self.taken_until

    def is_found_out(self, at: float) -> bool:
        """Half-open with a call under way that finds out, here or elsewhere."""
        return self.state(at) == HALF_OPEN and (self.is_probed(at) or at < self.taken_until)

    def keeps_lease(self, at: float) -> bool:
        """Half-open with a call of this process under way that finds out."""
        return self.state(at) == HALF_OPEN and self.is_probed(at)

    def close(self) -> None:
        self.open_until = self.probed_at = None
        self.cause = ""
        self.opened_times = self.failures_in_row = 0
        self.recent.clear()

    def _cause_to_open(self) -> str:
        if self.failures_in_row >= FAILURES_TO_OPEN:
            return BY_FAILURES
        return BY_RATE if self.recent.is_bad else ""

    def _pause(self, cause: str, at: float) -> bool:
        pause_s = min(FIRST_PAUSE_S * 2.0**self.opened_times, LONGEST_PAUSE_S)
        self.opened_times = min(self.opened_times + 1, 10)
        return self._open(cause, at, at + pause_s)

    def _open(self, cause: str, at: float, until: float) -> bool:
        self.open_until, self.cause, self.opened_at = until, cause, at
        self.probed_at, self.leased_until, self.taken_until = None, -math.inf, -math.inf
        return True
