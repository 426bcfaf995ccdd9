"""The names of teams and keys that rows of the ledger refer to, which may be gone: the ledger outlives both."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from accounts.attempts import OPERATOR
from accounts.models import Key, Team

_GONE = "gone, number {}"
_OPERATOR = "the operator"


@dataclass(frozen=True, slots=True)
class Names:
    teams: Mapping[int, Team]
    keys: Mapping[int, Key]

    def team(self, id_: int) -> str:
        return self.teams[id_].name if id_ in self.teams else _nobody(id_)

    def key(self, id_: int) -> str:
        return self.keys[id_].name if id_ in self.keys else _nobody(id_)

    def public_id(self, id_: int) -> str:
        """Of a key; empty where it is gone."""
        return self.keys[id_].public_id if id_ in self.keys else ""


def _nobody(id_: int) -> str:
    return _OPERATOR if id_ == OPERATOR else _GONE.format(id_)


def read_names(ids: Iterable[tuple[int, int]], team: Team | None = None) -> Names:
    """Of pairs of a team and a key. Two queries; one where all are of a team that is known."""
    pairs = list(ids)
    return Names(
        {team.pk: team} if team else Team.objects.in_bulk({team_id for team_id, _ in pairs}),
        Key.objects.in_bulk({key_id for _, key_id in pairs}),
    )
