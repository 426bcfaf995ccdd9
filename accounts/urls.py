"""The addresses of management: keys, the team and all that belongs to it; and of a key's own terms."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from accounts import (
    access_request_views,
    alert_views,
    allowance_views,
    audit_views,
    budget_views,
    limit_views,
    member_views,
    owner_views,
    receipt_views,
    statement_views,
)
from accounts.usage import analytics, openrouter
from accounts.usage import openai as openai_usage
from accounts.usage import views as usage_views
from accounts.views import KeyViewSet

router = SimpleRouter(trailing_slash=False)
router.register("keys", KeyViewSet, basename="key")

urlpatterns = [
    *router.urls,
    path("key", owner_views.OwnKeyView.as_view(), name="own-key"),
    path("team", owner_views.TeamView.as_view(), name="team"),
    path("team/freeze", owner_views.FreezeView.as_view(), name="team-freeze"),
    path("team/unfreeze", owner_views.UnfreezeView.as_view(), name="team-unfreeze"),
    path("team/archive", owner_views.ArchiveView.as_view(), name="team-archive"),
    path("audit", audit_views.AuditView.as_view(), name="audit"),
    path("allowances", allowance_views.AllowancesView.as_view(), name="allowances"),
    path("allowances/<str:id>", allowance_views.AllowanceView.as_view(), name="allowance"),
    path("budgets", budget_views.BudgetsView.as_view(), name="budgets"),
    path("budgets/<str:id>", budget_views.BudgetView.as_view(), name="budget"),
    path("budgets/<str:id>/raise", budget_views.BudgetRaiseView.as_view(), name="budget-raise"),
    path("limits", limit_views.LimitsView.as_view(), name="limits"),
    path("limits/<str:id>", limit_views.LimitView.as_view(), name="limit"),
    path("alert-channels", alert_views.ChannelsView.as_view(), name="alert-channels"),
    path("alert-channels/<str:id>", alert_views.ChannelView.as_view(), name="alert-channel"),
    path(
        "alert-channels/<str:id>/rotate-secret",
        alert_views.ChannelSecretView.as_view(),
        name="alert-channel-secret",
    ),
    path("alert-channels/<str:id>/test", alert_views.ChannelTestView.as_view(), name="alert-channel-test"),
    path("alert-channels/<str:id>/deliveries", alert_views.DeliveriesView.as_view(), name="alert-deliveries"),
    path(
        "alert-channels/<str:id>/deliveries/<str:delivery>/replay",
        alert_views.ReplayView.as_view(),
        name="alert-replay",
    ),
    path("receipts/<str:request_id>", receipt_views.ReceiptView.as_view(), name="receipt"),
    path("usage", usage_views.UsageListView.as_view(), name="usage"),
    path("generation", openrouter.GenerationView.as_view(), name="generation"),
    path("credits", openrouter.CreditsView.as_view(), name="credits"),
    path("analytics", analytics.AnalyticsView.as_view(), name="analytics"),
    path("organization/usage/completions", openai_usage.CompletionsView.as_view(), name="usage-completions"),
    path("organization/usage/embeddings", openai_usage.EmbeddingsView.as_view(), name="usage-embeddings"),
    path("organization/costs", openai_usage.CostsView.as_view(), name="usage-costs"),
    path("statements", statement_views.StatementsView.as_view(), name="statements"),
    path("statements/<str:number>", statement_views.StatementView.as_view(), name="statement"),
    path("service-accounts", owner_views.ServiceAccountsView.as_view(), name="service-accounts"),
    path("service-accounts/<str:id>", owner_views.ServiceAccountView.as_view(), name="service-account"),
    path("members", member_views.MembersView.as_view(), name="members"),
    path("members/<str:id>", member_views.MemberView.as_view(), name="member"),
    path("access-requests", access_request_views.AccessRequestsView.as_view(), name="access-requests"),
    path("access-requests/<str:id>", access_request_views.AccessRequestView.as_view(), name="access-request"),
    path(
        "access-requests/<str:id>/decide",
        access_request_views.DecisionView.as_view(),
        name="access-request-decide",
    ),
    path("access-requests/<str:id>/end", access_request_views.EndView.as_view(), name="access-request-end"),
    path("invitations", member_views.InvitationsView.as_view(), name="invitations"),
    path("invitations/accept", member_views.AcceptanceView.as_view(), name="invitation-accept"),
    path("invitations/<str:id>", member_views.InvitationView.as_view(), name="invitation"),
    path("invitations/<str:id>/renew", member_views.InvitationRenewalView.as_view(), name="invitation-renew"),
    path("projects", owner_views.ProjectsView.as_view(), name="projects"),
    path("projects/<str:id>", owner_views.ProjectView.as_view(), name="project"),
]
