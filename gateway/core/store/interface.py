"""What every store can do. Both forms pass tests/gateway/core/store/test_contract.py.

All of it may be lost at any moment without losing money; nothing here is a record.
Calls that return None and are not coroutines are sent without waiting, in order.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, Protocol

from gateway.core.store.tries import Patience


class StoreUnavailable(Exception):
    """The store cannot be reached or has refused; retryable."""


REQUESTS = "requests"
TOKENS = "tokens"
INPUT_TOKENS = "input_tokens"
OUTPUT_TOKENS = "output_tokens"
CONCURRENCY = "concurrency"
SOON_S = 1.0
"""What one who waits for running calls is told: how long they will still run is unknown."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit on one subject: a caller's, or the operator's own quota at a vendor."""

    subject: str
    """Such as `key:7`."""
    unit: str
    """`requests`, `tokens`, `input_tokens`, `output_tokens` or `concurrency`."""
    amount: int
    window_s: int = 0
    """60 or 86,400; 0 for concurrency."""
    name: str = field(init=False, repr=False, compare=False)
    """What the store calls what it counts for it: the same whatever the amount is."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{self.subject}:{self.unit}:{self.window_s}")

    @property
    def counts_tokens(self) -> bool:
        return self.unit not in {REQUESTS, CONCURRENCY}


@dataclass(frozen=True, slots=True)
class WindowLimit:
    """One budget, in its window now."""

    window: str
    """Its name in what is installed, such as `month:Europe/Berlin:1761955200`; `lifetime:0`."""
    starts_at: int
    """Unix seconds, a multiple of 900."""
    amount: int
    """In 10⁻¹⁰ USD, a raise included."""
    refuses: bool = True
    """False: it only warns, and is never asked."""
    ends_at: int | None = None
    """Unix seconds; None: never. For people: the store does not ask."""


@dataclass(slots=True)
class BudgetAsk:
    """What one subject's budgets are asked to hold for a call, in 10⁻¹⁰ USD."""

    subject: str
    windows: Sequence[WindowLimit]
    hold: int
    most: int = 0
    """The most that the call may cost, where `hold` is less: it is held in its place where all calls that run could
    overshoot the budget by more than a twentieth, if they all cost so much.
    """


class Tokens(NamedTuple):
    """How many tokens a call takes: an estimate, or what was counted at its end."""

    input_tokens: int = 0
    output_tokens: int = 0
    is_capped: bool = False
    """As in `Ask`."""


@dataclass(slots=True)
class Ask:
    """All that a call needs before it may begin: it gets all of it, or nothing."""

    call_id: str
    limits: Sequence[Limit] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    """To reserve."""
    is_capped: bool = False
    """Nobody said how long the answer may be: what is reserved for it never makes a call larger than a limit."""
    candidates: Sequence[Sequence[Limit]] = ()
    """The quotas of each candidate, in the plan's order; () where it has none."""
    budgets: Sequence[BudgetAsk] = ()


@dataclass(slots=True)
class Charge:
    """What an attempt costs one of those whose budgets it counts for."""

    subject: str
    quarter: int
    """Unix seconds at which the quarter of an hour began in which the call did."""
    amount: int
    """In 10⁻¹⁰ USD, above zero."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What the store knows of one subject's money, in 10⁻¹⁰ USD."""

    version: int | None
    """Of what is installed; None: nothing is."""
    base: Mapping[str, int]
    """By window: what was spent at that version."""
    owed: Mapping[int, int]
    """By quarter of an hour: what was settled and is not part of that version."""
    held: int
    ownerless: Mapping[str, int] = field(default_factory=dict)
    """Of that, by call, what nobody has renewed for twice its lease: its process is dead."""

    def spent(self, window: WindowLimit) -> int | None:
        """None: the window is unknown."""
        base = self.base.get(window.window)
        owed = sum(amount for quarter, amount in self.owed.items() if quarter >= window.starts_at)
        return None if base is None else base + owed


@dataclass(slots=True)
class Standing:
    """What is left of a limit; `reset_s` is the time until it is whole again."""

    limit: Limit
    remaining: int
    reset_s: float


@dataclass(slots=True)
class Verdict:
    """Whether a call is let in, and with which candidate of its plan."""

    is_admitted: bool
    refused_by: Limit | None = None
    """The caller's limit that takes longest to have room."""
    budget: tuple[str, WindowLimit] | None = None
    """The subject and window that refused."""
    reason: str = ""
    """`limit`; `candidates`: all of them are full; `spent`; `held`: only what running calls hold is in the way;
    `unknown`: the store does not know what was spent in that window, so install it and ask again; `lost`: it has lost
    what was held, and is being told again."""
    retry_after_s: float = 0.0
    """Until there is room. Infinite: never, as the call is larger than the whole limit."""
    candidate: int = 0
    standings: Sequence[Standing] = ()
    """Of the caller's limits that have windows, in their order; also where the call is refused."""


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

    @property
    def holds_open(self) -> int:
        """Calls that this process let in and for which budgets hold something."""

    async def open(self) -> None: ...

    async def close(self) -> None:
        """Write what is unsent, then disconnect."""

    # Admission

    async def admit(self, ask: Ask) -> Verdict:
        """Take all that the call asks for, or nothing of it, in one round trip.

        Requests and tokens come from buckets that drain evenly, `amount` in a window. Concurrency slots are leased
        and renewed while this process lives; a dead process' slots are free again within 60 s. The first candidate
        whose quotas have room is taken with the rest.
        """

    async def standings(self, limits: Sequence[Limit]) -> Sequence[Standing]:
        """What is left of those that have a window; nothing is taken."""

    def correct(
        self,
        limits: Sequence[Limit],
        reserved: Tokens,
        actual: Tokens,
        reserved_at: float,
        *,
        waits: bool = False,
    ) -> None:
        """Put what was counted in place of what was reserved at `reserved_at`, in Unix seconds.

        `waits`: what the call costs is settled in a moment, and this may be told with that; within a second anyhow.
        What was not used is given back unless the limit's window has passed since; what was used beyond is
        always taken.
        """

    def release(self, call_id: str, *, leaves_holds: bool = False) -> None:
        """Give back the slots that this process took for the call, and what it still holds of budgets.

        `leaves_holds`: another process settles or releases those; they are renewed no more. Safe to repeat.
        """

    # Money: what was spent is what is installed and what is owed; what is held never counts as spent

    def settle(
        self, call_id: str, charges: Sequence[Charge], process: str, seq: int, ends: Sequence[str] = ()
    ) -> None:
        """Owe what an attempt costs, and take it out of what the call holds, in one step.

        `ends` are the subjects of which the call holds nothing more with it: it was the last attempt.

        `process` and `seq` name the attempt: whoever settles it again changes nothing. It is owed until a version
        is installed whose mark of that process reaches `seq`, so settle only for subjects that have budgets.
        """

    def raise_hold(self, call_id: str, subjects: Sequence[str], amount: int) -> None:
        """Hold at least so much; nothing where the call holds nothing."""

    def release_holds(self, call_id: str, subjects: Sequence[str]) -> None:
        """Give back what the call holds of them, whichever process took it. Safe to repeat."""

    async def install(
        self, subject: str, version: int, windows: Mapping[str, int], marks: Mapping[str, int]
    ) -> None:
        """Let the store know what SQL has as spent in each window, at a version that counts SQL's changes.

        `marks` say of each process up to which seq that is part of it; all that may still settle have to be named.
        A later version takes the place of all windows of an earlier one, which does nothing any more; the same
        version adds windows.
        """

    def recorded(self, process: str, seq: int) -> None:
        """SQL has all that was settled here up to `seq`: it need not be told again after a loss of data."""

    async def balance(self, subject: str) -> Balance:
        """As this process knows it where Redis is away."""

    # Guessing

    async def take_try(self, subject: str, patience: Patience) -> float:
        """Count a try and hear it: 0.0. Or the seconds that its sender has to wait first; then it is not counted."""

    async def forgive(self, subject: str) -> None:
        """The last try was the right one: none of them counts any more."""

    # What processes tell each other beside their calls

    async def claim(self, name: str, lease_s: float) -> bool:
        """Whether this process alone may do what is named so until the lease ends. To claim again prolongs it.

        Raises StoreUnavailable.
        """

    def keep(self, shelf: str, entry: str, value: bytes, keep_s: float) -> None:
        """In the place of what that entry was. A shelf is empty once nothing was kept there for so long."""

    async def read_shelf(self, shelf: str) -> Mapping[str, bytes]:
        """By the entry. Raises StoreUnavailable."""

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
