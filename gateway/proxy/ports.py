"""What the hot path needs from outside, as interfaces: keys, the snapshot and stored responses."""

from dataclasses import dataclass
from typing import Any, Protocol

from accounts.keys import KeyFacts, KeysUnavailable, ShownKey
from catalogue.published.snapshot import Snapshot

__all__ = [
    "KeyDirectory",
    "KeysUnavailable",
    "Snapshots",
    "StoredResponses",
    "StoredResponsesUnavailable",
    "StoredTurn",
]


class KeyDirectory(Protocol):
    opened: dict[bytes, tuple[str, str]]
    """Of headers that opened a key, by their digest: the key's public id, and the digest of its secret. Whoever reads
    headers fills and bounds it.
    """

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


@dataclass(slots=True)
class StoredTurn:
    """A stored response as its client saw it, and all items that led to it."""

    response: dict[str, Any]
    input: list[Any]


class StoredResponsesUnavailable(Exception):
    """Stored responses can be neither read nor written now."""


class StoredResponses(Protocol):
    """Stored responses, in SQL and off the loop. Both raise StoredResponsesUnavailable."""

    async def find(self, team_id: int, response_id: str) -> StoredTurn | None: ...

    async def keep(self, team_id: int, kept: StoredTurn) -> None: ...
