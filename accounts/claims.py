"""What an identity provider's claims mean in teams. Pure; a sign-in and the dry run ask the same function."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Protocol

from accounts.rights import Role, highest

MOST_VALUES, LONGEST_VALUE = 5_000, 200


class Rule(Protocol):
    """As accounts.models.ClaimRule has it."""

    pk: int
    claim: str
    value: str
    team_id: int
    role: str


@dataclass(slots=True)
class Meaning:
    """What claims come to: roles by team, the rules that matched, and what could not be told.

    `left_out`: claims that the provider holds and did not send (Entra ID sends a link in place of more than 200
    groups): what hangs on them is not known, so roles stay as they were. `absent`: claims that were not sent at all,
    which means that nobody is in anything: some providers say nothing where there is no group.
    """

    roles: dict[int, Role] = field(default_factory=dict)
    matched: list[int] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)


def read_meaning(claims: Mapping[str, Any], rules: Iterable[Rule]) -> Meaning:
    meaning = Meaning()
    known: dict[str, list[str]] = {}
    for rule in rules:
        if rule.claim not in known:
            known[rule.claim] = values_of(claims, rule.claim)
            if not known[rule.claim]:
                (meaning.left_out if is_left_out(claims, rule.claim) else meaning.absent).append(rule.claim)
        if any(fnmatchcase(value, rule.value) for value in known[rule.claim]):
            meaning.matched.append(rule.pk)
            roles = [rule.role, *filter(None, [meaning.roles.get(rule.team_id)])]
            meaning.roles[rule.team_id] = highest(roles) or Role(rule.role)
    return meaning


def values_of(claims: Mapping[str, Any], claim: str) -> list[str]:
    """What it is, or holds, as texts: of that very name, or else, by dots, of one inside another."""
    value = claims.get(claim)
    if value is None and "." in claim:
        value = claims
        for part in claim.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    values = value if isinstance(value, list) else [value]
    return [text for text in map(_text, values[:MOST_VALUES]) if 0 < len(text) <= LONGEST_VALUE]


def is_left_out(claims: Mapping[str, Any], claim: str) -> bool:
    """Source: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference, groups overage."""
    names = claims.get("_claim_names")
    if isinstance(names, Mapping) and claim in names:
        return True
    return claim == "groups" and claims.get("hasgroups") in {True, "true"}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else ""
