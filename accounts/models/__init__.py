"""Users, teams, keys, the revision and the ledger."""

from accounts.models.key import Key
from accounts.models.ledger import LedgerEntry
from accounts.models.revision import Revision
from accounts.models.team import Membership, Team
from accounts.models.user import User

__all__ = ["Key", "LedgerEntry", "Membership", "Revision", "Team", "User"]
