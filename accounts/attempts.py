"""What is recorded of one attempt at a provider: spooled in two parts, and kept by the ledger under the same names.

A fact that is added here needs a default, for the spool of another version may not have it (gateway.core.codec).
The ledger keeps it where `LedgerEntry` has a column of its name. Pure.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.money import charge_of, units_of, usd_of

OPERATOR = 0
"""The team and the key of what the operator itself asks a provider for."""
OWNERS = {
    "key": "lineage_id",
    "member": "member_id",
    "service_account": "service_account_id",
    "project": "project_id",
}
"""Facts that say whose an attempt is, by the kinds of accounts.keys.Subject. The team's is `team_id`."""


@dataclass
class AttemptOpened:
    """Known before request bytes leave. Ids are UUID hex; `started_at` is Unix seconds."""

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
    end_user: str = ""
    """Whose request it was, hashed with the team; empty where the client did not say."""
    lineage_id: int = 0
    """The first key of the key's lineage. Here and in what follows 0 means none, or that nobody said."""
    member_id: int = 0
    service_account_id: int = 0
    project_id: int = 0
    own_credential_id: int = 0
    """The team's own that opened the provider: it pays there itself. 0: it was one of the operator."""
    operator_credential_id: int = 0
    """The further one of the operator that opened the provider; 0: none did."""
    charge_factor: str = "1"
    """By which the team's cost is multiplied to what it is charged, as it was when the attempt began."""
    surface: str = ""
    """The format that the client speaks; empty where nobody said."""


@dataclass
class AttemptClosed:
    """Known at its end. `outcome` is a LedgerEntry.Outcome; money as plain decimals.

    `ended_at` (Unix seconds) and `latency_ms` are None where nobody saw it end.
    """

    attempt_id: str
    ended_at: float | None
    outcome: str
    cost_usd: str
    loss_usd: str
    status: int | None = None
    error_code: str = ""
    usage: Mapping[str, int] | None = None
    """Counts by the names of providers.wire.usage; None: unknown."""
    is_estimated: bool = False
    latency_ms: float | None = None
    first_token_ms: float | None = None
    prices: list[Mapping[str, Any]] | None = None
    """Those that applied in place of the ones at opening; None: those."""
    own_cost_usd: str = "0"
    """What it would have cost, had not a credential of the team's own been used: then cost and loss are 0."""
    translated: Sequence[str] | None = None
    """What of the request was said in other words or not at all, as the client is told it."""
    about_us: str = ""
    """What the provider said of our credential or account, for staff; empty unless it refused them."""


@dataclass
class AttemptSample:
    """How an attempt went, for the health of its offering. `failure` is a FailureKind's value; None: it went well."""

    offering_id: int | str
    """By the way to it: see providers.facts.Way."""
    latency_ms: float
    failure: str | None = None
    retry_after_s: float | None = None


@dataclass(slots=True)
class AttemptRecord:
    """Both parts, and what they tell together. `closed` is None where the end is still to come, or nobody saw it.

    `sample` is not kept; it is None where the attempt says nothing of its offering. `seq` is the spool's: the number
    of this closed attempt among those of its process, from 1; 0 where it is not closed. `recorded_at` (Unix seconds) is
    None where its record came soon after its end. `answered` is the head of the provider's answer, and not kept.
    """

    opened: AttemptOpened
    closed: AttemptClosed | None = None
    sample: AttemptSample | None = None
    seq: int = 0
    recorded_at: float | None = None
    answered: Mapping[str, str] | None = None

    @property
    def usage(self) -> Mapping[str, int]:
        """Empty: unknown."""
        return (self.closed and self.closed.usage) or {}

    @property
    def input_tokens(self) -> int | None:
        return self.usage.get("input_tokens")

    @property
    def output_tokens(self) -> int | None:
        return self.usage.get("output_tokens")

    @property
    def charge_usd(self) -> str | None:
        """What the team is charged; None: nobody knows yet."""
        if self.closed is None:
            return None
        cost, factor = self.closed.cost_usd, self.opened.charge_factor
        return cost if factor == "1" else f"{usd_of(charge_of(units_of(Decimal(cost)), factor)):f}"

    @property
    def prices(self) -> list[Mapping[str, Any]]:
        """Those that applied."""
        return (self.closed and self.closed.prices) or self.opened.prices


def hash_end_user(team_id: int, user_id: str) -> str:
    """Who an end user is, as a provider sees it: always the same for a team, and nobody's name."""
    return hashlib.sha256(f"{team_id}\n{user_id}".encode()).hexdigest()[:32]


def clean(text: str, length: int) -> str:
    """What every database can store: no NUL, no lone surrogate, no longer than the column."""
    if len(text) <= length and text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()[:length]
