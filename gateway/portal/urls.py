"""The portal's addresses."""

from django.urls import path

from gateway.portal import (
    alert_views,
    budget_views,
    credential_views,
    limit_views,
    playground_views,
    receipt_views,
    statement_views,
    subject_views,
    team_views,
    views,
)

app_name = "portal"

urlpatterns = [
    path("", views.home, name="home"),
    path("keys", views.keys, name="keys"),
    path("keys/<str:public_id>", views.key, name="key"),
    path("keys/<str:public_id>/revoke", views.revoke, name="revoke"),
    path("keys/<str:public_id>/rotate", views.rotate, name="rotate"),
    path("keys/<str:public_id>/limits", limit_views.set_of_key, name="key-limits"),
    path("keys/<str:public_id>/budgets", budget_views.set_of_key, name="key-budgets"),
    path("playground", playground_views.playground, name="playground"),
    path("playground/key", playground_views.issue_key, name="playground-key"),
    path("calls/<str:request_id>", receipt_views.receipt, name="receipt"),
    path("team", team_views.team, name="team"),
    path("team/credentials", credential_views.credentials, name="credentials"),
    path("team/credentials/<str:id>", credential_views.credential, name="credential"),
    path("team/credentials/<str:id>/test", credential_views.test, name="credential-test"),
    path("team/credentials/<str:id>/remove", credential_views.remove, name="credential-remove"),
    path("team/statements", statement_views.statements, name="statements"),
    path("team/statements/<str:number>", statement_views.statement, name="statement"),
    path("team/statements/<str:number>/csv", statement_views.sheet, name="statement-sheet"),
    path("team/freeze", team_views.freeze, name="team-freeze"),
    path("team/unfreeze", team_views.unfreeze, name="team-unfreeze"),
    path("team/archive", team_views.archive, name="team-archive"),
    path("team/alerts", alert_views.alerts, name="alerts"),
    path("team/alerts/<str:id>", alert_views.channel, name="channel"),
    path("team/alerts/<str:id>/test", alert_views.test, name="channel-test"),
    path("team/alerts/<str:id>/rotate", alert_views.rotate, name="channel-rotate"),
    path("team/alerts/<str:id>/remove", alert_views.remove, name="channel-remove"),
    path("team/alerts/<str:id>/deliveries/<str:delivery>/replay", alert_views.replay, name="channel-replay"),
    path("notifications", alert_views.notifications, name="notifications"),
    path("team/members/<str:id>", subject_views.member, name="member"),
    path("team/service-accounts/<str:slug>", subject_views.service_account, name="service-account"),
    path("team/service-accounts/<str:slug>/switch", team_views.switch_account, name="switch-account"),
    path("team/limits/<str:id>/remove", limit_views.remove, name="remove-limit"),
    path("team/allowances/<str:id>/remove", team_views.remove_allowance, name="remove-allowance"),
    path("team/budgets/<str:id>", budget_views.budget, name="budget"),
    path("team/budgets/<str:id>/end-raise", budget_views.stop_raise, name="end-raise"),
    path("team/budgets/<str:id>/remove", budget_views.remove, name="remove-budget"),
    path("team/projects/<str:slug>", subject_views.project, name="project"),
    path("team/projects/<str:slug>/archive", team_views.archive_project, name="archive-project"),
]
