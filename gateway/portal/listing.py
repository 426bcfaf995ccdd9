"""Keys as the portal lists them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.utils import timezone

from accounts import memberships
from accounts.acting import Acting
from accounts.key_facts import with_owners
from accounts.models import Key, LedgerEntry, Team, User
from accounts.scopes import INFERENCE, MEANT

PAGE_SIZE = 50
COUNTED = 1_000
_TONES = {Key.State.ACTIVE: "good", Key.State.EXPIRED: "neutral", Key.State.REVOKED: "bad"}


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key with its state at the moment of looking."""

    key: Key
    state: Key.State
    may_change: bool = True
    """Whether whoever looks may change and revoke it."""

    @property
    def tone(self) -> str:
        return _TONES[self.state]

    @property
    def is_live(self) -> bool:
        return self.state is not Key.State.REVOKED

    @property
    def scopes(self) -> str:
        """In the one word where it says it all."""
        scopes = self.key.scope_set
        return self.key.scope if scopes == MEANT[self.key.scope] else ", ".join(sorted(scopes))

    @property
    def why_stopped(self) -> str:
        """What of its owner keeps a live key out; of the team its page tells by itself."""
        return {
            "owner": f"{self.key.owner} has left the team, only looks on or is switched off: calls with it are "
            "refused.",
            "service_account": "Its service account is switched off: calls with it are refused.",
        }.get(self.key.stopped_by if self.is_live else "", "")

    @property
    def is_known_to(self) -> User | None:
        """Who had it before it was handed over, while it still opens something."""
        return self.key.known_to if self.state is Key.State.ACTIVE else None

    @property
    def calls_models(self) -> bool:
        return INFERENCE in self.key.scope_set

    @property
    def limits(self) -> Sequence[str]:
        key = self.key
        rate = f"{key.requests_per_minute:,} a minute" if key.requests_per_minute else ""
        return [text for text in (rate, f"{key.concurrency:,} at once" if key.concurrency else "") if text]


@dataclass(frozen=True, slots=True)
class RecentCalls:
    """How many calls a key made lately, counted up to a limit."""

    number: int

    def __str__(self) -> str:
        if self.number > COUNTED:
            return f"more than {COUNTED:,} calls"
        return {0: "no call", 1: "1 call"}.get(self.number, f"{self.number:,} calls")


def why_stopped(team: Team) -> str:
    """What the team's keys meet, and who lets them go on; empty while they are let in."""
    return {
        Team.State.ACTIVE: "",
        Team.State.FROZEN: f"{team.name} is frozen. One of its owners can let it go on, on its page.",
        Team.State.SWITCHED_OFF: f"{team.name} is switched off. Ask an administrator to switch it on.",
        Team.State.ARCHIVED: f"{team.name} is archived. Ask an administrator to bring it back.",
    }[team.state]


def teams_of(user: User) -> list[Team]:
    return list(memberships.teams_of(user))


def keys_of(team: Team, *, has_past_visits: bool = False) -> QuerySet[Key]:
    """The newest first, revoked ones last; those of the playground's past visits only where they are asked for."""
    keys = with_owners(Key.objects.for_team(team).with_limits()).select_related("created_by")
    if not has_past_visits:
        keys = keys.exclude(pk__in=Key.objects.for_team(team).of_past_visits(timezone.now()))
    return keys.order_by(F("revoked_at").desc(nulls_first=True), "-created_at", "-id")


def row_of(key: Key, at: datetime, acting: Acting | None = None) -> KeyRow:
    return KeyRow(key, key.state_at(at), acting is None or acting.may_manage(key))


def recent_calls(key: Key, at: datetime, *, days: int) -> RecentCalls:
    """A call that went on to another offering has one further row, so those rows do not count."""
    entries = LedgerEntry.objects.attempts().filter(key=key, started_at__gte=at - timedelta(days=days))
    counted = entries.exclude(outcome=LedgerEntry.Outcome.FAILED_OVER).order_by()[: COUNTED + 1]
    return RecentCalls(counted.count())
