"""The portal's addresses."""

from django.urls import path

from gateway.portal import viewing
from gateway.portal.access import views as access
from gateway.portal.alerts import views as alerts
from gateway.portal.credentials import views as credentials
from gateway.portal.feeds import views as feeds
from gateway.portal.keys import views as keys
from gateway.portal.limits import budget_views as budgets
from gateway.portal.limits import page as limits_page
from gateway.portal.limits import views as limits
from gateway.portal.mail import views as mail
from gateway.portal.members import invitation_views as invitations
from gateway.portal.members import views as members
from gateway.portal.overview import views as overview
from gateway.portal.playground import views as playground
from gateway.portal.projects import subject_views as subjects
from gateway.portal.projects import views as projects
from gateway.portal.requests import views as requests
from gateway.portal.team import audit_views as audit
from gateway.portal.team import statement_views as statements
from gateway.portal.team import views as team

app_name = "portal"

urlpatterns = [
    path("", overview.home, name="home"),
    path("overview", overview.overview, name="overview"),
    path("overview/csv", overview.sheet, name="overview-sheet"),
    path("overview/start", overview.start, name="overview-start"),
    path("keys", keys.keys, name="keys"),
    path("keys/<str:public_id>", keys.key, name="key"),
    path("keys/<str:public_id>/revoke", keys.revoke, name="revoke"),
    path("keys/<str:public_id>/rotate", keys.rotate, name="rotate"),
    path("keys/<str:public_id>/limits", keys.set_limit, name="key-limits"),
    path("keys/<str:public_id>/budgets", keys.set_budget, name="key-budgets"),
    path("playground", playground.playground, name="playground"),
    path("playground/models", playground.models, name="playground-models"),
    path("playground/key", playground.issue_key, name="playground-key"),
    path("requests", requests.log, name="requests"),
    path("requests/news", requests.news, name="requests-news"),
    path("requests/<str:request_id>", requests.one, name="receipt"),
    path("calls/<str:request_id>", requests.old_address, name="receipt-of-before"),
    path("team", team.team, name="team"),
    path("team/credentials", credentials.credentials, name="credentials"),
    path("team/credentials/<str:id>", credentials.credential, name="credential"),
    path("team/credentials/<str:id>/test", credentials.test, name="credential-test"),
    path("team/credentials/<str:id>/remove", credentials.remove, name="credential-remove"),
    path("team/audit", audit.entries, name="audit"),
    path("view-as/end", viewing.end, name="view-as-end"),
    path("team/statements", statements.statements, name="statements"),
    path("team/statements/<str:number>", statements.statement, name="statement"),
    path("team/statements/<str:number>/csv", statements.sheet, name="statement-sheet"),
    path("team/freeze", team.freeze, name="team-freeze"),
    path("team/unfreeze", team.unfreeze, name="team-unfreeze"),
    path("team/archive", team.archive, name="team-archive"),
    path("team/alerts", alerts.alerts, name="alerts"),
    path("team/alerts/<str:id>", alerts.channel, name="channel"),
    path("team/alerts/<str:id>/test", alerts.test, name="channel-test"),
    path("team/alerts/<str:id>/rotate", alerts.rotate, name="channel-rotate"),
    path("team/alerts/<str:id>/remove", alerts.remove, name="channel-remove"),
    path("team/alerts/<str:id>/deliveries/<str:delivery>/replay", alerts.replay, name="channel-replay"),
    path("team/feeds", feeds.feeds, name="feeds"),
    path("notifications", mail.notifications, name="notifications"),
    path("mail/stop/<str:token>", mail.stop, name="stop-mail"),
    path("team/members", members.members, name="members"),
    path("team/members/<str:id>", subjects.member, name="member"),
    path("team/members/<str:id>/role", members.change_role, name="member-role"),
    path("team/members/<str:id>/suspend", members.suspend, name="suspend-member"),
    path("team/leave", members.leave_team, name="leave-team"),
    path("team/left-behind", members.left_behind, name="left-behind"),
    path("team/invitations", invitations.invite, name="invite"),
    path("team/invitations/<str:id>/renew", invitations.renew, name="renew-invitation"),
    path("team/invitations/<str:id>/withdraw", invitations.withdraw, name="withdraw-invitation"),
    path("team/requests", access.access_requests, name="access-requests"),
    path("team/requests/new", access.ask, name="ask"),
    path("team/requests/<str:id>/decide", access.decide, name="decide-request"),
    path("team/requests/<str:id>/withdraw", access.withdraw, name="withdraw-request"),
    path("team/requests/<str:id>/end", access.end, name="end-request"),
    path("invitation", invitations.invitation, name="invitation"),
    path("team/service-accounts/<str:slug>", subjects.service_account, name="service-account"),
    path("team/service-accounts/<str:slug>/switch", projects.switch_account, name="switch-account"),
    path("team/projects", projects.projects, name="projects"),
    path("team/limits", limits_page.limits, name="limits"),
    path("team/limits/<str:id>/remove", limits.remove, name="remove-limit"),
    path("team/allowances/<str:id>/remove", team.remove_allowance, name="remove-allowance"),
    path("team/budgets/<str:id>", budgets.budget, name="budget"),
    path("team/budgets/<str:id>/end-raise", budgets.stop_raise, name="end-raise"),
    path("team/budgets/<str:id>/remove", budgets.remove, name="remove-budget"),
    path("team/projects/<str:slug>", subjects.project, name="project"),
    path("team/projects/<str:slug>/archive", projects.archive_project, name="archive-project"),
]
