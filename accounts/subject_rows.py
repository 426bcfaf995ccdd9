"""Rows that can own and spend: how limits and budgets name them in columns, and requests in words."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from accounts.acting import Acting
from accounts.models import Key, Membership, Project, ServiceAccount, Team
from accounts.rights import Right
from gateway.core.refusals import InvalidField, Refused

Owner = Key | Membership | ServiceAccount | Project | Team
"""Whom a limit or a budget is for; a key stands for its lineage."""
_RIGHTS: Mapping[type[Any], Right] = {Team: Right.TERMS, Membership: Right.MEMBERS}
_KINDS: Mapping[type[Any], str] = {
    Key: "key",
    Membership: "member",
    ServiceAccount: "service_account",
    Project: "project",
    Team: "team",
}


def may_set(acting: Acting, subject: Any) -> bool:
    """Whether limits and budgets of that one are theirs to set; of a key's where the key is."""
    if isinstance(subject, Key):
        return acting.may_manage(subject)
    return acting.may(_RIGHTS.get(type(subject), Right.KEYS))


def check_may_set(acting: Acting, subject: Any) -> None:
    """Raises Refused."""
    if not may_set(acting, subject):
        raise refusal_to_set(acting, subject)


def refusal_to_set(acting: Acting, subject: Any) -> Refused:
    return acting.refusal(_RIGHTS.get(type(subject), Right.KEYS))


def subject_columns(subject: Owner) -> dict[str, Owner]:
    """As `SubjectModel` has it."""
    return {_KINDS[type(subject)]: subject.lineage if isinstance(subject, Key) else subject}


def find_subject(team: Team, kind: str, name: str | None) -> Owner:
    """The team's, by how it is named in requests. Raises InvalidField."""
    rows: dict[str, tuple[QuerySet[Any], str]] = {
        "key": (Key.objects.for_team(team).select_related("first", "team"), "public_id"),
        "member": (team.memberships.select_related("user", "team"), "user__username"),
        "service_account": (team.service_accounts.all(), "slug"),
        "project": (team.projects.all(), "slug"),
    }
    if kind == "team":
        found: Owner | None = team if name in {None, team.slug} else None
    else:
        queryset, field = rows[kind]
        # PostgreSQL fails on a NUL.
        found = queryset.filter(**{field: name}).first() if name and name.isprintable() else None
    if found is None:
        what = kind.replace("_", " ")
        raise InvalidField("subject_id", f"subject_id is {name!r}, and this team has no such {what}.")
    return found


def name_subject(row: Any) -> str:
    """As it is named in requests."""
    if isinstance(row, Key):
        return row.public_id
    return row.user.username if isinstance(row, Membership) else str(row.slug)
