"""What the audit watches of teams, people and keys."""

from django.contrib.auth.models import Group

from accounts.audit import watch
from accounts.models import Key, Membership, Project, ServiceAccount, Team, User
from gateway.core import audit_context


def watch_accounts() -> None:
    watch(Team, unwatched=["created_at"])
    watch(Membership, unwatched=["created_at"], page=_team_page)
    watch(Key, unwatched=["digest", "revision", "last_used_at", "unused_told_at", "created_at"])
    watch(ServiceAccount, unwatched=["created_at"])
    watch(Project, unwatched=["created_at"])
    watch(
        User,
        unwatched=["last_login", "date_joined"],
        secret=["password"],
        many=["groups", "user_permissions"],
    )
    watch(Group, many=["permissions"])


def _team_page(membership: Membership) -> str:
    return audit_context.name_page("accounts.team", membership.team_id)
