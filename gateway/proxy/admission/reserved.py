"""What a call has reserved, put right by whoever makes its attempts."""

import time
from collections.abc import Mapping

from accounts.attempts import AttemptRecord
from gateway.proxy.admission.admission import Admission
from gateway.proxy.settle import FAILED_OVER
from gateway.proxy.targets import Quotas, Target
from providers.wire.call import Call


class Reserved:
    """Of one call, while it is made. `close` it, however it ends."""

    _quotas: Quotas = ()
    _at = 0.0
    _has_taken = False
    _outcome = FAILED_OVER

    def __init__(self, admission: Admission, call: Call) -> None:
        self._admission = admission
        self._call = call
        self._used: Mapping[str, int] = {}

    async def has_room(self, target: Target) -> bool:
        """Whether its quotas let an attempt go there; it takes its share, unless that was taken before."""
        call, quotas = self._call, target.quotas
        if target.way == call.has_room_at:
            call.has_room_at = 0
            self._at = call.reserved_at
        elif await self._admission.make_room(call, quotas):
            self._at, self._has_taken = time.time(), True
        else:
            return False
        self._quotas = quotas
        return True

    def note(self, attempt: AttemptRecord) -> None:
        """What an attempt used, once it has ended."""
        if attempt.closed:
            self._outcome = attempt.closed.outcome
        if not (self._call.reserved_at or self._quotas):
            return
        used = (attempt.closed and attempt.closed.usage) or {}
        self._used = _sum(self._used, used) if self._used else used
        if self._quotas:
            self._admission.correct_quotas(self._call, self._quotas, used, self._at)
            self._quotas = ()

    def close(self) -> None:
        if self._call.reserved_at:
            self._admission.correct(self._call, self._used)
        if self._has_taken:
            self._admission.release(self._call)
        if self._outcome == FAILED_OVER:
            # No attempt follows that would be settled.
            self._admission.release_holds(self._call)


def _sum(some: Mapping[str, int], more: Mapping[str, int]) -> Mapping[str, int]:
    return {name: some.get(name, 0) + more.get(name, 0) for name in some.keys() | more.keys()}
