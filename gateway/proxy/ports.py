"""What the hot path needs from outside, as interfaces: keys, the snapshot, the recorder and stored responses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from accounts.keys import KeyFacts, KeysUnavailable, ShownKey
from catalogue.published.snapshot import Snapshot

__all__ = [
    "AttemptClosed",
    "AttemptOpened",
    "CallRecorder",
    "Kept",
    "KeyDirectory",
    "KeysUnavailable",
    "ResponseShelf",
    "ShelfUnavailable",
    "Snapshots",
]


class KeyDirectory(Protocol):
    @property
    def revision(self) -> int:
        """Of the keys in memory; another one once any of them may have changed."""

    def known(self, public_id: str) -> KeyFacts | None:
        """From memory only; None where it must be looked up. Raises KeysUnavailable if memory is too old."""

    async def look_up(self, shown: ShownKey) -> KeyFacts | None:
        """From SQL, off the loop; kept until the revision says it changed. None: there is no such key."""

    def touched(self, key_id: int, at: float) -> None:
        """Note that the key was used (Unix seconds); written to SQL later, in bulk."""


class Snapshots(Protocol):
    @property
    def current(self) -> Snapshot: ...

    async def at_least(self, revision: int, timeout_s: float) -> Snapshot:
        """The first snapshot of that revision or later; the current one if the time runs out."""


@dataclass(slots=True)
class AttemptOpened:
    """Written before request bytes leave. Ids are UUID hex; `started_at` is Unix seconds.

    It may be read by another version: see gateway.core.codec.
    """

    attempt_id: str
    call_id: str
    request_id: str
    number: int
    lane: str
    endpoint: str
    team_id: int
    key_id: int
    requested_model: str
    model: str
    provider: str
    upstream_name: str
    is_streamed: bool
    started_at: float
    prices: list[Mapping[str, Any]]
    """By value."""
    project: str = ""
    redirected_from: str = ""
    """The retired model that was asked for, where its successor answers; else empty."""
    input_tokens: int = 0
    """A rough count of the prompt's, for an attempt whose end nobody lives to tell."""


@dataclass(slots=True)
class AttemptClosed:
    """Written at the attempt's end. `outcome` is a LedgerEntry.Outcome; money as plain decimals.

    It may be read by another version: see gateway.core.codec.
    """

    attempt_id: str
    ended_at: float
    outcome: str
    cost_usd: str
    loss_usd: str
    status: int | None = None
    error_code: str = ""
    usage: Mapping[str, int] | None = None
    """Keys: the fields of providers.wire.usage.Usage; None: unknown."""
    is_estimated: bool = False
    latency_ms: float = 0.0
    first_token_ms: float | None = None
    prices: list[Mapping[str, Any]] | None = None
    """Those that applied in place of the ones at opening; None: those."""
    about_us: str = ""
    """What the provider said of our credential or account, for staff; empty unless it refused them."""


@dataclass(slots=True)
class Kept:
    """A stored response as its client saw it, and all items that led to it."""

    response: dict[str, Any]
    input: list[Any]


class ShelfUnavailable(Exception):
    """Stored responses can be neither read nor written now."""


class ResponseShelf(Protocol):
    """Stored responses, in SQL and off the loop. Both raise ShelfUnavailable."""

    async def find(self, team_id: int, response_id: str) -> Kept | None: ...

    async def keep(self, team_id: int, kept: Kept) -> None: ...


class CallRecorder(Protocol):
    """The spool. Both appends are local, synchronous and survive the process."""

    @property
    def trouble(self) -> str:
        """Why nothing can be written; empty while it can."""

    def opened(self, record: AttemptOpened) -> None:
        """Raises OSError if the disk refuses: a call that cannot be accounted for must not be made."""

    def closed(self, record: AttemptClosed) -> None: ...

    @property
    def lag_s(self) -> float:
        """Age of the oldest record that is not in the ledger yet; 0.0 when all are."""
