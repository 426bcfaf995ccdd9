"""Reading keys: everything that a team may see starts at `for_team`."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

if TYPE_CHECKING:
    from accounts.models import Key, Team  # noqa: F401  # Key is named in the base class, as text


class KeyQuerySet(QuerySet["Key"]):
    def for_team(self, team: "Team | int") -> "KeyQuerySet":
        return self.filter(team=team)

    def usable(self, at: datetime) -> "KeyQuerySet":
        """Neither revoked nor expired, of teams that are switched on."""
        unexpired = Q(expires_at__isnull=True) | Q(expires_at__gt=at)
        return self.filter(unexpired, revoked_at__isnull=True, team__is_active=True)
