"""What may be said of a key: when it is issued, and later."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from accounts.models import Project, ServiceAccount, User


class _Terms(TypedDict, total=False):
    """None: no limit, or never; an empty list narrows nothing."""

    requests_per_minute: int | None
    concurrency: int | None
    model_patterns: Sequence[str]
    denied_model_patterns: Sequence[str]
    provider_patterns: Sequence[str]
    denied_provider_patterns: Sequence[str]
    surfaces: Sequence[str]
    ip_ranges: Sequence[str]
    regions: Sequence[str]
    quantizations: Sequence[str]
    zero_retention: bool
    no_data_collection: bool
    project: Project | None
    expires_at: datetime | None
    lane: str
    may_search_elsewhere: bool
    timeout_ms: int | None


class KeyChanges(_Terms, total=False):
    """What may change of a key after it was issued."""

    name: str


class KeyTerms(_Terms, total=False):
    """What a key may do, and whose it is: the team's own, a person's or a service account's.

    `scopes` says what `scope` says in one word; either will do.
    """

    scope: str
    scopes: Sequence[str]
    owner: User | None
    service_account: ServiceAccount | None
    is_playground: bool
