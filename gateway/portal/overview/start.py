"""The first three steps of a team that has called nothing yet: a key, a call, and the call seen here."""

from dataclasses import dataclass

from accounts.memberships import live_keys
from accounts.models import LedgerEntry, Team, UsageSeries


@dataclass(frozen=True, slots=True)
class Start:
    """Which of the steps are done."""

    has_key: bool
    has_called: bool
    is_seen: bool

    @property
    def done(self) -> int:
        return sum((self.has_key, self.has_called, self.is_seen))

    @property
    def is_over(self) -> bool:
        return self.is_seen


def has_begun(team: Team) -> bool:
    """Whether anything was ever used."""
    return UsageSeries.objects.filter(team_id=team.pk).exists()


def start_of(team: Team) -> Start:
    outcomes = UsageSeries.objects.filter(team_id=team.pk).values_list("outcome", flat=True).distinct()
    found = set(outcomes)
    return Start(bool(found) or live_keys(team).exists(), bool(found), LedgerEntry.Outcome.FINISHED in found)
