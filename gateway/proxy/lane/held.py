"""What finished calls are booked as, held back until their reader says that it has the answer."""

from dataclasses import replace

from gateway.proxy.ports import AttemptClosed, AttemptOpened, CallRecorder
from gateway.proxy.settle import CANCELLED, FINISHED, Payer, find_payer


class HeldRecords:
    """A recorder in front of the spool's. An answer that ended here has not arrived yet: nobody shall pay for one
    that was lost on the way. A process that dies meanwhile leaves an attempt without an end, as with any other.
    """

    def __init__(self, recorder: CallRecorder) -> None:
        self._recorder = recorder
        self._calls: dict[str, str] = {}
        self._held: dict[str, AttemptClosed] = {}

    @property
    def lag_s(self) -> float:
        return self._recorder.lag_s

    @property
    def trouble(self) -> str:
        return self._recorder.trouble

    @property
    def is_empty(self) -> bool:
        return not self._held

    def opened(self, record: AttemptOpened) -> None:
        self._recorder.opened(record)
        self._calls[record.attempt_id] = record.call_id

    def closed(self, record: AttemptClosed) -> None:
        call_id = self._calls.pop(record.attempt_id)
        if record.outcome == FINISHED:
            self._held[call_id] = record
        else:
            self._recorder.closed(record)

    def taken(self, call_id: str) -> None:
        """Its reader has it."""
        if record := self._held.pop(call_id, None):
            self._recorder.closed(record)

    def lost(self, call_id: str, code: str) -> None:
        """Its reader will not have it, for this reason."""
        if record := self._held.pop(call_id, None):
            self._recorder.closed(_broken_off(record, code))

    def lose_all(self, code: str) -> None:
        for call_id in list(self._held):
            self.lost(call_id, code)


def _broken_off(record: AttemptClosed, code: str) -> AttemptClosed:
    ended = replace(record, outcome=CANCELLED, error_code=code)
    if find_payer(CANCELLED, code) is Payer.TEAM:
        return ended
    return replace(ended, cost_usd="0", loss_usd=record.cost_usd)
