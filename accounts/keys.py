"""Bearer keys: how they are minted, read and judged. Pure; the data plane uses it too.

A key reads `sk-gw-<public id>-<secret><checksum>`. The public id finds the row; the checksum tells a mistyped
key from an unknown one without asking anybody; only a digest of the secret is ever stored.
"""

import hashlib
import hmac
import secrets
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from accounts.attempts import OWNERS
from accounts.floors import Floor
from accounts.patterns import matches_any
from accounts.policies import LifecyclePolicy
from accounts.restrictions import Restrictions

PREFIX = "sk-gw-"
# One sentence for unknown, revoked, expired and mistyped keys alike: which it was is nobody's business but the team's.
REFUSAL = "This key is not valid. Send a key of your team as 'Authorization: Bearer sk-gw-…'; the portal issues them."
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Two digits at a time: a checksum is taken of every call's key.
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_PUBLIC_ID_LENGTH = 12
_SECRET_LENGTH = 32
_CHECKSUM_LENGTH = 6
Subject = tuple[str, int]
"""Who may own and spend: `key` (its lineage), `member`, `service_account`, `project` or `team`, with the row's id."""
DEPLOYMENT = "deployment"
"""The subject of all that this deployment spends; in one text others read `key:7`, `team:2`, `provider:acme`."""


class KeysUnavailable(Exception):
    """The key is not in memory and SQL is away, or memory is too old to be believed."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just minted. `text` is shown once and kept nowhere."""

    public_id: str
    digest: str
    text: str = field(repr=False)


@dataclass(slots=True)
class ShownKey:
    """A well-formed key as a client showed it; whether it is known is another question."""

    public_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What the data plane knows of one key. Instants are Unix seconds; None means no limit or never."""

    id: int
    public_id: str
    digest: str = field(repr=False)
    name: str
    team_id: int
    team_slug: str
    scope: str
    is_active: bool
    """Not revoked, and neither its team, its service account nor the person who owns it is switched off or gone."""
    scopes: frozenset[str]
    """All that it may do: see accounts.scopes."""
    subjects: tuple[Subject, ...]
    """Whom its calls count for, the nearest first: lineage, owner, project, team, as far as it has them."""
    lineage_id: int
    """The first key of those that replaced one another: limits and history are theirs together."""
    restrictions: Restrictions | None = None
    """None: it may call models and read the catalogue, and nothing but its own patterns is closed to it."""
    floor: Floor | None = None
    """What its calls keep to, whatever they ask for; None for most keys."""
    projects: Mapping[str, int] = field(default_factory=dict, hash=False)
    """The team's open projects by their slugs."""
    expires_at: float | None = None
    requests_per_minute_most: int | None = None
    """What no key of its team has more of, whatever its own limits say."""
    concurrency_most: int | None = None
    model_patterns: tuple[str, ...] = ()
    lane: str = "auto"
    may_search_elsewhere: bool = False
    """Another vendor's web search may stand in for the one that is asked for, at its price."""
    deadline_s: float = 0.0
    """Seconds that its calls are waited for, whatever longer time they ask for; 0: it has none."""
    lifecycle_policy: str = "advise"
    """The team's: see accounts.policies."""
    keeps_responses: bool = True
    """The team's answers of the Responses surface may be stored."""
    charge_factor: str = "1"
    """By which the team's costs are multiplied to what it is charged; a plain decimal."""
    owners: Mapping[str, int] = field(init=False, repr=False, compare=False)
    """Its subjects as the record of an attempt has them: see accounts.attempts.OWNERS. 0: there is none."""

    def __post_init__(self) -> None:
        subjects = dict(self.subjects)
        object.__setattr__(self, "owners", {fact: subjects.get(kind, 0) for kind, fact in OWNERS.items()})

    def is_valid(self, at: float) -> bool:
        return self.is_active and (self.expires_at is None or at < self.expires_at)

    def may_call(self, model_id: str, aliases: Iterable[str] = ()) -> bool:
        """A pattern that names an alias means its model."""
        if self.restrictions is not None and not self.restrictions.permits_model(
            (model_id, *aliases), self.model_patterns
        ):
            return False
        return not self.model_patterns or matches_any((model_id, *aliases), self.model_patterns)

    @property
    def blocks_deprecated(self) -> bool:
        """Whether calls of deprecated models are refused, where no alias says otherwise."""
        return self.lifecycle_policy == LifecyclePolicy.BLOCK

    @property
    def sight(self) -> str:
        """What of the catalogue it may see: the same text for keys that may see the same."""
        by_floor = f"{self.floor} {self.lineage_id}" if self.floor else ""
        return f"{self.model_patterns} {self.restrictions} {by_floor} {self.blocks_deprecated}"


def credential_of(authorization: str, x_api_key: str, x_goog_api_key: str) -> str:
    """What a request shows as its key, by one rule wherever keys are read; empty where it shows none.

    The first that says anything counts: `Authorization: Bearer …`, `x-api-key`, `x-goog-api-key`. Each argument is the
    header's value, or all of them joined with commas, which is then no key.
    """
    shown = authorization[7:].strip() if authorization[:7].lower() == "bearer " else ""
    return shown or x_api_key.strip() or x_goog_api_key.strip()


def mint_key(prefix: str = PREFIX) -> NewKey:
    public_id = _random_text(_PUBLIC_ID_LENGTH)
    secret = _random_text(_SECRET_LENGTH)
    return NewKey(
        public_id, digest_secret(secret), f"{prefix}{public_id}-{secret}{_checksum(public_id + secret)}"
    )


def read_key(text: str, prefix: str = PREFIX) -> ShownKey | None:
    """The key's parts, or None if it is not well formed (wrong prefix, length or checksum)."""
    public_id, dash, rest = text.removeprefix(prefix).partition("-")
    secret, checksum = rest[:_SECRET_LENGTH], rest[_SECRET_LENGTH:]
    if not text.startswith(prefix) or not dash or not text.isascii() or len(public_id) != _PUBLIC_ID_LENGTH:
        return None
    if not hmac.compare_digest(checksum, _checksum(public_id + secret)):
        return None
    return ShownKey(public_id, secret)


def opens(shown: ShownKey, facts: KeyFacts) -> bool:
    return hmac.compare_digest(digest_secret(shown.secret), facts.digest)


def digest_secret(secret: str) -> str:
    """SHA-256 in hex: enough for 190 random bits, and cheap on every call, unlike a password hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(text: str) -> str:
    rest, last = divmod(zlib.crc32(text.encode()), len(_PAIRS))
    first, middle = divmod(rest, len(_PAIRS))
    return _PAIRS[first] + _PAIRS[middle] + _PAIRS[last]
