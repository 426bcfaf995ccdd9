"""What the audit watches of teams, people and keys."""

from django.contrib.auth.models import Group

from accounts.audit import watch
from accounts.models import (
    AccessRequest,
    AlertChannel,
    Allowance,
    Budget,
    ClaimRule,
    IdentityProvider,
    Invitation,
    Key,
    Limit,
    Membership,
    MembershipGrant,
    Project,
    ScimDirectory,
    ScimGroup,
    ScimGroupRole,
    ScimToken,
    ScimUser,
    ServiceAccount,
    Team,
    User,
)
from gateway.core import audit_context


def watch_accounts() -> None:
    watch(Team, unwatched=["created_at", "usage_zone"], team=lambda team: team.pk)
    watch(Membership, unwatched=["created_at"], page=_team_page)
    watch(
        MembershipGrant,
        unwatched=["created_at"],
        page=lambda grant: _team_page(grant.membership),
        team=lambda grant: grant.membership.team_id,
    )
    watch(Invitation, unwatched=["digest", "created_at", "sent_at"], page=_team_page)
    watch(AccessRequest, unwatched=["created_at", "fingerprint", "applied"])
    former = ["former_requests_per_minute", "former_concurrency"]
    watch(Key, unwatched=["digest", "revision", "last_used_at", "unused_told_at", "created_at", *former])
    watch(Allowance, page=_page_of_allowance)
    watch(Limit, unwatched=["set_by", "set_at"], page=_page_of_subject, team=_team_of_subject)
    watch(Budget, unwatched=["set_by", "set_at"], page=_page_of_budget, team=_team_of_subject)
    watch(
        AlertChannel,
        unwatched=["public_id", "failing_since", "paused_until", "delivered_at", "created_at"],
        secret=["sealed_address", "sealed_secret", "sealed_former_secret"],
        page=_page_of_channel,
    )
    watch(ServiceAccount, unwatched=["created_at"])
    watch(Project, unwatched=["created_at"])
    watch(
        User,
        unwatched=["last_login", "date_joined", "digest_week"],
        secret=["password"],
        many=["groups", "user_permissions"],
    )
    watch(Group, many=["permissions"])
    watch(IdentityProvider, unwatched=["created_at"], secret=["sealed_secret"])
    watch(ClaimRule, page=_page_of_provider)
    watch(ScimDirectory, unwatched=["created_at"])
    watch(ScimToken, unwatched=["digest", "created_at", "last_used_at"], page=_page_of_directory)
    watch(ScimUser, unwatched=["created_at", "changed_at"], page=_page_of_directory)
    watch(ScimGroup, unwatched=["created_at", "changed_at"], many=["people"])
    watch(ScimGroupRole, page=_page_of_group)


def _team_page(row: Membership | Invitation) -> str:
    return audit_context.name_page("accounts.team", row.team_id)


def _page_of_provider(rule: ClaimRule) -> str:
    return audit_context.name_page("accounts.identityprovider", rule.provider_id)


def _page_of_directory(row: ScimToken | ScimUser) -> str:
    return audit_context.name_page("accounts.scimdirectory", row.directory_id)


def _page_of_group(role: ScimGroupRole) -> str:
    return audit_context.name_page("accounts.scimgroup", role.group_id)


def _page_of_allowance(allowance: Allowance) -> str:
    return audit_context.name_page("accounts.team", allowance.team_id)


def _page_of_channel(channel: AlertChannel) -> str:
    if channel.team_id is None:
        return audit_context.own_page(channel)
    return audit_context.name_page("accounts.team", channel.team_id)


def _page_of_subject(limit: Limit) -> str:
    return audit_context.page_of(limit.subject_row)


def _page_of_budget(budget: Budget) -> str:
    return (
        audit_context.own_page(budget) if budget.is_operators else audit_context.page_of(budget.subject_row)
    )


def _team_of_subject(row: Limit | Budget) -> int | None:
    if isinstance(row, Budget) and row.is_operators:
        return None
    return audit_context.team_of(row.subject_row)
