"""Who is told of a call's stops: the spool that accounts for it, its offerings' health, whatever measures calls.

An observer is told and not asked: whether a call may be made is decided at its stops. Only the spool is asked, one
thing and before all others: an attempt that it cannot record is not made, and nobody else hears of it.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar, cast

from accounts.attempts import AttemptRecord
from accounts.keys import KeyFacts
from gateway.proxy.exchange import CallResult, ResponseHead
from gateway.proxy.routing.plan import RoutePlan
from gateway.proxy.settle import CUT, FAILED
from gateway.proxy.surfaces.base import Surface
from providers.wire.call import Call

_log = logging.getLogger(__name__)
_Told = TypeVar("_Told")

REFUSED = "refused"
"""Of a call that came to no lane: beside it, calls end as attempts do."""


@dataclass(slots=True)
class CallRecord:
    """One request of a client as far as it has come. Filled in at its stops, in the web process; observers only read.

    `started_at` is monotonic. What was not reached is None or empty: a call whose key is refused has no `key`.
    """

    request_id: str
    surface: Surface
    started_at: float
    key: KeyFacts | None = None
    asked: Call | None = None
    plan: RoutePlan | None = None
    lane: str = ""
    head: ResponseHead | None = None
    """Who answers; once the first byte is there."""
    result: CallResult | None = None
    """What its lane came back with; None where it raised, or was not come to."""
    waited_s: float = 0.0
    """For room in this process, before its body was read."""
    status: int | None = None
    """What the client was answered; None where it left before."""
    outcome: str = ""
    error_code: str = ""
    limited_by: tuple[str, str] | None = None
    """Of a call that a limit or a budget refused: the limit's unit, or `spent` or `held`, and the kind of subject."""

    def end(self, outcome: str, error_code: str = "") -> None:
        """The first word counts: what follows it is only told to the client."""
        if not self.outcome:
            self.outcome, self.error_code = outcome, error_code

    def fail(self, error_code: str) -> None:
        self.end(CUT if self.head else FAILED if self.lane else REFUSED, error_code)


class CallObserver:
    """Override what is to be heard: the rest is not called and costs nothing.

    All of it happens on the loop, so be short and wait for nothing. What is raised is logged, and stops neither the
    call nor other observers. A call is told of where its client is, an attempt where it is made: by a worker, that is
    another process.
    """

    def planned(self, call: CallRecord) -> None:
        """What was `asked`, and the `plan` for it."""

    def admitted(self, call: CallRecord) -> None:
        """It is within its limits, and goes to a lane."""

    def attempt_opened(self, attempt: AttemptRecord) -> None:
        """Before request bytes leave. `closed` is still None."""

    def first_byte(self, call: CallRecord) -> None:
        """The answer begins: its `head` is known."""

    def attempt_closed(self, attempt: AttemptRecord) -> None:
        """Once for each that was opened, when it is known who pays: a worker's, when its answer has been taken."""

    def ended(self, call: CallRecord) -> None:
        """Once for every request that the edge answers, refused ones too, however it ended."""


class CallSpool(CallObserver):
    """The observer that accounts for attempts: the spool. Its `attempt_opened` raises OSError where it cannot.

    Both appends are local, synchronous and survive the process.
    """

    trouble = ""
    """Why nothing can be written; empty while it can."""

    @property
    def lag_s(self) -> float:
        """Age of the oldest record that is not in the ledger yet; 0.0 when all are."""
        raise NotImplementedError


class Observers:
    """All observers of a process, put together once: each event is a function that calls those who listen to it."""

    def __init__(self, spool: CallSpool, others: Iterable[CallObserver] = ()) -> None:
        everybody = [spool, *others]
        self.spool = spool
        self.planned = _telling(everybody, CallObserver.planned)
        self.admitted = _telling(everybody, CallObserver.admitted)
        self.attempt_opened = _asking(spool, _telling(everybody[1:], CallObserver.attempt_opened))
        self.first_byte = _telling(everybody, CallObserver.first_byte)
        self.attempt_closed = _telling(everybody, CallObserver.attempt_closed)
        self.ended = _telling(everybody, CallObserver.ended)


def _telling(
    observers: Iterable[CallObserver], event: Callable[[CallObserver, _Told], None]
) -> Callable[[_Told], None]:
    name = event.__name__
    listeners = tuple(getattr(each, name) for each in observers if getattr(type(each), name) is not event)
    if not listeners:
        return _tell_nobody
    known = set()

    def tell(told: _Told) -> None:
        for listen in listeners:
            try:
                listen(told)
            except Exception as error:  # noqa: BLE001  # whatever it is, the call goes on
                # Once: each call may fail in the same way.
                if (fault := (listen, type(error))) not in known:
                    known.add(fault)
                    _log.exception("An observer failed: %r. This is logged once, and calls go on.", listen)

    return tell


def _asking(spool: CallSpool, tell: Callable[[AttemptRecord], None]) -> Callable[[AttemptRecord], None]:
    if tell is _tell_nobody:
        return spool.attempt_opened

    def attempt_opened(attempt: AttemptRecord) -> None:
        spool.attempt_opened(attempt)
        tell(attempt)

    return attempt_opened


# Takes anything and does nothing, and a builtin is no step of ours.
_tell_nobody = cast("Callable[[object], None]", id)
