"""What every store can do. Both forms pass tests/gateway/core/store/test_contract.py.

All of it may be lost at any moment without losing money; nothing here is a record.
Calls that return None and are not coroutines are sent without waiting, in order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from gateway.core.store.tries import Patience


class StoreUnavailable(Exception):
    """The store cannot be reached or has refused; retryable."""


@dataclass(slots=True)
class Limit:
    """A limit on one subject, such as key 7. None means that this kind is not limited."""

    subject: str
    """Such as `key:7`."""
    requests_per_minute: int | None = None
    concurrency: int | None = None


@dataclass(slots=True)
class Verdict:
    """Whether a call is let in. If not, `refused_by` names the subject and `kind` what ran out.

    `limit`, `remaining` and `reset_s` describe the tightest requests-a-minute window (None where there is
    none); `reset_s` is the time until it has room for one request more. `retry_after_s` is set on refusal.
    """

    is_admitted: bool
    refused_by: str = ""
    kind: str = ""
    """`requests` or `concurrency`."""
    retry_after_s: float = 0.0
    limit: int | None = None
    remaining: int | None = None
    reset_s: float | None = None


class TakeBack(Enum):
    """What a web process learns when it wants a job back that no worker has started."""

    OURS = "ours"  # nobody started it, and now nobody can: run it directly
    STARTED = "started"  # a worker owns it
    LOST = "lost"  # the store lost its data since the job was sent: nobody can prove that it was not started


@dataclass(slots=True)
class JobEntry:
    """One job read from the queue. `entry_id` acknowledges it."""

    entry_id: str
    call_id: str
    inbox: str
    start_by: float
    """Seconds of the store's own clock, which alone decides whether it is too late: those of processes may differ."""
    body: bytes
    epoch: str = ""
    """Of the store when it took the job; a job from before a loss of data is never started."""


class Subscription(Protocol):
    @property
    def is_up_since(self) -> float | None:
        """Monotonic time since when messages arrive without a gap; None while disconnected."""

    async def close(self) -> None: ...


class Store(Protocol):
    """One process' access to the store, bound to one event loop.

    `is_shared` is True where other processes see it. `is_up` is False while it cannot be reached or refuses to
    write; coroutines then raise StoreUnavailable, but for limits and tries, which fall back on this process alone.
    What is sent without waiting never raises: messages are lost then, releases are made up for, and a job that
    could not be sent is OURS when it is taken back.
    """

    @property
    def is_shared(self) -> bool: ...

    @property
    def is_up(self) -> bool: ...

    @property
    def is_connected(self) -> bool:
        """What is published now is not lost on our side; also where writes are refused."""

    @property
    def epoch(self) -> str | None:
        """Changes when the store has lost its data; None while unknown."""

    @property
    def unsent_bytes(self) -> int:
        """Waiting to be written; callers slow down on it."""

    async def open(self) -> None: ...

    async def close(self) -> None:
        """Write what is unsent, then disconnect."""

    # Admission

    async def admit(self, call_id: str, limits: Sequence[Limit]) -> Verdict:
        """Count the call against all limits at once, or against none of them. One round trip.

        Requests a minute is a sliding window of 60 s. Concurrency slots are leased and renewed while this
        process lives; a dead process' slots are free again within 60 s.
        """

    def release(self, call_id: str, limits: Sequence[Limit]) -> None:
        """Give the call's concurrency slots back. Safe to repeat."""

    # Guessing

    async def take_try(self, subject: str, patience: Patience) -> float:
        """Count a try and hear it: 0.0. Or the seconds that its sender has to wait first; then it is not counted."""

    async def forgive(self, subject: str) -> None:
        """The last try was the right one: none of them counts any more."""

    # The worker lane (roles and frames: gateway.proxy.lane)

    def send_job(self, call_id: str, inbox: str, start_within_s: float, body: bytes) -> None: ...

    async def read_jobs(self, worker: str, *, count: int = 64, block_s: float = 2.0) -> list[JobEntry]:
        """New jobs for this worker, [] if none came in time. Raises StoreUnavailable."""

    async def start_job(self, entry: JobEntry, worker: str, frame: bytes) -> bool:
        """Become a call's owner, atomically: then the entry is gone and `frame` is published to its inbox.

        False: another owns it, or it is too late. Raises StoreUnavailable: not proven ours, so it must not be run.
        """

    def drop_job(self, entry: JobEntry) -> None:
        """Remove an entry that we cannot make; who sent it takes the call back."""

    async def take_back(self, call_id: str, epoch: str | None) -> TakeBack:
        """Own a call of which the job was sent at `epoch`, unless a worker has started it."""

    def publish(self, channel: str, message: bytes) -> None:
        """To whoever is subscribed now, in order; lost where nobody is."""

    async def subscribe(self, channels: Sequence[str], receive: Callable[[str, bytes], None]) -> Subscription:
        """Call `receive(channel, message)` on the loop for each message. Reconnects by itself."""
