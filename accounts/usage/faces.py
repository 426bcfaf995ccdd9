"""Coarser sums of what is over: of few members together, by day and month; of all, by months and thirds. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from accounts.usage.measures import MEMBERS
from accounts.usage.times import MONTH, OWN_DAY, THIRD, UTC_DAY, Grain


@dataclass(frozen=True, slots=True)
class Face:
    """Sums of a team that are told apart by these members alone; `has_days`: by day, and not by thirds of a month."""

    name: str
    members: tuple[str, ...]
    has_days: bool = True

    @property
    def grains(self) -> Collection[Grain]:
        return {OWN_DAY, UTC_DAY, MONTH} if self.has_days else {THIRD, MONTH}


ALL = Face("all", tuple(name for name in MEMBERS if name != "team_id"), has_days=False)
FACES = (
    Face("how", ("endpoint", "outcome", "surface", "kind")),
    Face("what", ("model", "provider", "endpoint", "kind")),
    Face(
        "who",
        (
            *("project", "project_id", "lineage_id", "member_id", "service_account_id"),
            # Of these a key has few, and so they are told here as well.
            *("endpoint", "surface", "kind"),
        ),
    ),
    ALL,
)
"""Those of the fewest sums first."""


def face_of(columns: Collection[str]) -> Face:
    """The coarsest one that tells apart what those columns do."""
    wanted = {*columns} - {"team_id"}
    return next(face for face in FACES if wanted.issubset(face.members))
