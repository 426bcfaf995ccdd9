"""Users, directories, teams, budgets, the revision, ledger, sums, usage, statements, responses, alerts, audit."""

from accounts.models.access_request import AccessRequest
from accounts.models.alert import Alert, AlertChannel, AlertChoice, AlertDelivery
from accounts.models.allowance import Allowance
from accounts.models.audit import AuditEntry
from accounts.models.audit_receiver import AuditReceiver
from accounts.models.budget import Budget, BudgetNotice
from accounts.models.export import ExportedDay
from accounts.models.identity_provider import ClaimRule, IdentityProvider
from accounts.models.invitation import Invitation
from accounts.models.key import Key
from accounts.models.ledger import LedgerEntry
from accounts.models.limit import Limit
from accounts.models.membership import Membership, MembershipGrant
from accounts.models.note import RoutingNote, RoutingPlan, TranslationNote
from accounts.models.owners import Project, ServiceAccount
from accounts.models.repeat import KeyRequest
from accounts.models.response import StoredResponse
from accounts.models.revision import Revision
from accounts.models.scim import ScimDirectory, ScimGroup, ScimGroupRole, ScimToken, ScimUser
from accounts.models.spend import Spend, SpendVersion, SpoolMark
from accounts.models.statement import (
    CentreStatement,
    CentreStatementPart,
    Statement,
    StatementLine,
    StatementNumber,
)
from accounts.models.team import Team
from accounts.models.usage import (
    UsageBackfill,
    UsageClosed,
    UsageCoarse,
    UsageDay,
    UsageQuarter,
    UsageSeries,
)
from accounts.models.user import User

__all__ = [
    "AccessRequest",
    "Alert",
    "AlertChannel",
    "AlertChoice",
    "AlertDelivery",
    "Allowance",
    "AuditEntry",
    "AuditReceiver",
    "Budget",
    "BudgetNotice",
    "CentreStatement",
    "CentreStatementPart",
    "ClaimRule",
    "ExportedDay",
    "IdentityProvider",
    "Invitation",
    "Key",
    "KeyRequest",
    "LedgerEntry",
    "Limit",
    "Membership",
    "MembershipGrant",
    "Project",
    "Revision",
    "RoutingNote",
    "RoutingPlan",
    "ScimDirectory",
    "ScimGroup",
    "ScimGroupRole",
    "ScimToken",
    "ScimUser",
    "ServiceAccount",
    "Spend",
    "SpendVersion",
    "SpoolMark",
    "Statement",
    "StatementLine",
    "StatementNumber",
    "StoredResponse",
    "Team",
    "TranslationNote",
    "UsageBackfill",
    "UsageClosed",
    "UsageCoarse",
    "UsageDay",
    "UsageQuarter",
    "UsageSeries",
    "User",
]
