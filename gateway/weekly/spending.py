"""What teams spent, called and failed in a week and in the one before, in a few statements for all of them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from accounts.models import Key, LedgerEntry
from accounts.usage.question import Question
from accounts.usage.reader import Row, read_usage
from gateway.core.lines import as_one_line
from gateway.weekly.week import Week

TOP = 5
_BATCH = 200
_Outcome = LedgerEntry.Outcome
FAILED = frozenset({_Outcome.FAILED, _Outcome.CUT, _Outcome.UNKNOWN})


@dataclass(slots=True)
class Sums:
    """`spent` in 10^-10 USD, as the team is charged."""

    spent: int = 0
    calls: int = 0
    errors: int = 0

    def add(self, row: Row, outcome: str) -> None:
        self.spent += row.sums["charge"]
        self.calls += row.sums["calls"]
        self.errors += row.sums["calls"] if outcome in FAILED else 0


@dataclass(slots=True)
class Spending:
    """Of one team."""

    now: Sums = field(default_factory=Sums)
    before: Sums = field(default_factory=Sums)
    models: dict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    keys: dict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))

    @staticmethod
    def top(groups: Mapping[str, Sums]) -> Sequence[tuple[str, Sums]]:
        """Those that spent most, then those that called most."""
        found = sorted(groups.items(), key=lambda each: (-each[1].spent, -each[1].calls, each[0]))
        return found[:TOP]


def read_spending(teams: Collection[int], week: Week) -> Mapping[int, Spending]:
    """By team; those that used nothing in both weeks are not among them."""
    found: dict[int, Spending] = defaultdict(Spending)
    ordered = sorted(teams)
    for first in range(0, len(ordered), _BATCH):
        _read(ordered[first : first + _BATCH], week, found)
    return dict(found)


def _read(teams: Sequence[int], week: Week, found: dict[int, Spending]) -> None:
    middle, low, high = (int(at.timestamp()) for at in (week.begins_at, week.before_at, week.ends_at))
    now = Question(middle, high, groups=("team_id", "model", "outcome"), filters={"team_id": teams})
    for row in read_usage(now):
        _, team, model, outcome = row.key
        found[team].now.add(row, outcome)
        found[team].models[model].add(row, outcome)
    before = Question(low, middle, groups=("team_id", "outcome"), filters={"team_id": teams})
    for row in read_usage(before):
        found[row.key[1]].before.add(row, row.key[2])
    by_key = Question(middle, high, groups=("team_id", "lineage_id"), filters={"team_id": teams})
    rows = read_usage(by_key)
    names = _names_of_keys({row.key[2] for row in rows})
    for row in rows:
        found[row.key[1]].keys[names.get(row.key[2], "a key that is gone")].add(row, "")


def _names_of_keys(ids: Collection[int]) -> Mapping[int, str]:
    return {key.pk: as_one_line(str(key)) for key in Key.objects.filter(pk__in=ids)}
