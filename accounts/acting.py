"""For which team somebody acts, and what they may do there: pages and API ask it alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.models import Key, Membership, Team, User
from accounts.rights import PERSONAL, Right, who_may
from accounts.scopes import MANAGEMENT
from gateway.core.refusals import Refused


@dataclass(frozen=True, slots=True)
class Acting:
    """A person who signed in, or a key; `membership` is the person's, or that of the person whose key it is."""

    person: User | None
    team: Team
    membership: Membership | None
    rights: frozenset[Right]
    key: Key | None = None
    is_viewing_as: bool = False

    def may(self, right: Right) -> bool:
        return right in self.rights

    def check(self, right: Right) -> None:
        """Raises Refused, with who may."""
        if not self.may(right):
            raise self.refusal(right)

    def refusal(self, right: Right) -> Refused:
        if self.key is None or right not in PERSONAL:
            return refusal(self.team, right)
        message = "No key may do this: sign in for it. Identity providers keep members by SCIM."
        return Refused("person_required", message, status=403)

    def may_manage(self, key: Key) -> bool:
        """Whether a key is theirs to change: all are with KEYS, their own with CALL."""
        return self.may(Right.KEYS) or (self.may(Right.CALL) and self.is_own(key.owner_id))

    def is_own(self, owner_id: int | None) -> bool:
        return self.membership is not None and owner_id == self.membership.user_id


def check_may_issue(acting: Acting, terms: Mapping[str, Any]) -> None:
    """A key of those terms: one's own that manages nothing takes CALL, any other KEYS. Raises Refused."""
    if acting.may(Right.KEYS):
        return
    owner = terms.get("owner")
    manages = MANAGEMENT in {terms.get("scope"), *(terms.get("scopes") or ())}
    if owner is None or not acting.is_own(owner.pk) or manages or not acting.may(Right.CALL):
        refused = refusal(acting.team, Right.KEYS)
        if acting.may(Right.CALL):
            refused.message += " A key of your own that manages nothing you may make yourself."
        raise refused


def refusal(team: Team, right: Right) -> Refused:
    who = who_may(right)
    code = "owner_required" if who == "an owner" else "role_required"
    return Refused(code, f"Only {who} of {team.name} may do this: ask one of them.", status=403)
