"""A team in which everything that somebody types tries to break out of pages, and the addresses that open it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.alerts.channels import make_channel, test_channel
from accounts.budgeting import make_budget
from accounts.limiting import set_limit
from accounts.models import AccessRequest, Allowance, Budget, Invitation, Key, Membership, Team, User
from accounts.recording import record_attempts
from accounts.rights import Role
from accounts.statements import close_month, month_named
from catalogue.models import Organisation
from providers.models import ProviderCredential
from tests.gateway.spooling import attempt
from tests.make import (
    make_entry,
    make_key,
    make_membership,
    make_offering,
    make_price,
    make_provider,
    make_published,
    make_team,
    make_user,
)

HOSTILE = "\"><b class=probe data-x='1'>{{1234*4321}}</b><img src=//evil.example/x onerror=alert(1)>שלום"
"""It ends a quote, an attribute and an element, asks another host, and is written from right to left at its end."""
NAME = HOSTILE[:60]
BROKEN_OUT = "return document.querySelectorAll('.probe, img[src*=evil]').length"
REQUEST = "req_0123456789abcdef"
LATER = datetime(2099, 1, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 10, tzinfo=UTC).timestamp()
# Programs', the admin's, files', and what leads to another host.
NOT_PAGES = (
    *("/admin/", "/v1/", "/v1beta/", "/scim/", "/openapi.json", "/healthz", "/readyz", "/metrics", "/leaks"),
    *("/favicon.ico", "//", "/static/", "/sign-in/with/"),
)


@dataclass(frozen=True, slots=True)
class World:
    """`ids` by the part of an address that stands before them."""

    team: Team
    ids: Mapping[str, str]

    def pages(self) -> Iterator[str]:
        """Every address that somebody may open in a browser, in the order of the table. Fails for an id
        that this world lacks."""
        for route in _routes():
            if not route.startswith(NOT_PAGES):
                yield re.sub(r"([\w-]+)/\{id\}", self._named, route)

    def _named(self, match: re.Match[str]) -> str:
        assert match[1] in self.ids, f"Say in tests/console/world.py what {match[0]} is opened with."
        return f"{match[1]}/{self.ids[match[1]]}"

    def client(self, who: str) -> Client:
        """`who` is a role, `support` that looks on, or `nobody`."""
        client = Client()
        if who == "support":
            return _support(client, self.team)
        if who != "nobody":
            client.force_login(User.objects.get(username=f"the-{who}"))
        return client


def _routes(resolver: URLResolver | None = None, prefix: str = "/") -> Iterator[str]:
    for pattern in (resolver or get_resolver()).url_patterns:
        address = prefix + str(pattern.pattern).lstrip("^").rstrip("$")
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern, address)
        elif isinstance(pattern, URLPattern):
            yield re.sub(r"<\w+:\w+>|\(\?P<\w+>[^)]*\)", "{id}", address)


def _support(client: Client, team: Team) -> Client:
    person = make_user("sue", is_staff=True)
    for name in ("view_team", "view_as_team"):
        person.user_permissions.add(Permission.objects.get(codename=name))
    client.force_login(person)
    client.post(reverse("admin:accounts_team_view_as", args=[team.pk]), {"_form_submitted": "True"})
    return client


def make_world() -> World:
    team = make_team("atlas", name=HOSTILE[:100], cost_centre=NAME)
    for role in Role:
        make_membership(team, make_user(f"the-{role}", first_name=NAME), role=role)
    owner = User.objects.get(username="the-owner")
    account = team.service_accounts.create(slug="robot", name=NAME)
    project = team.projects.create(slug="blue", name=NAME)
    Organisation.objects.create(id="acme", name=NAME)
    model = make_published("acme/one", name=NAME, description=HOSTILE)
    provider = make_provider("vendor", name=NAME)
    make_price(make_offering(model, provider))
    key, _ = make_key(
        team, NAME, service_account=account, project=project, concurrency=3, model_patterns=["*"]
    )
    make_key(team, "plain", scope=Key.Scope.FEED, owner=owner)
    gone = make_membership(team, make_user("gone"))
    make_key(team, NAME, owner=gone.user)
    Membership.objects.filter(pk=gone.pk).update(suspended_at=timezone.now())
    ids = _bounds_of(team, key) | _written_in(team, owner, key)
    used = {"team_id": team.pk, "key_id": key.pk, "lineage_id": key.lineage_id, "project": "blue"}
    make_entry(
        key, request_id=REQUEST, project=HOSTILE[:60], error_code="provider_truncated", model="acme/one"
    )
    now = timezone.now().timestamp()
    record_attempts([attempt(**used, started_at=at) for at in (MAY, now, now - 90_000)])
    statement = close_month(team, month_named(team, "2026-05"), at=datetime(2026, 6, 4, tzinfo=UTC))
    assert statement is not None
    credential = ProviderCredential.objects.create(provider=provider, team=team, label=NAME)
    return World(
        team,
        {
            "keys": key.public_id,
            "calls": REQUEST,
            "members": str(team.memberships.get(user__username="the-member").pk),
            "service-accounts": account.slug,
            "projects": project.slug,
            "credentials": str(credential.pk),
            "statements": str(statement.number),
            "models": "acme/one",
            "passkeys": "1",
            "sessions": "1",
            "stop": "1",
            **ids,
        },
    )


def _bounds_of(team: Team, key: Key) -> dict[str, str]:
    member = team.memberships.get(user__username="the-member")
    subjects = [team, key, member, team.projects.get(), team.service_accounts.get()]
    for subject in subjects:
        limit = set_limit(subject=subject, unit="tokens", window="minute", amount=90_000)
        budget = make_budget(subject=subject, window="month", amount_usd=Decimal("12.5"))
    Budget.objects.create(is_deployment=True, window="month", amount_usd=1_000)
    Budget.objects.create(provider="vendor", window="day", amount_usd=100)
    allowance = Allowance.objects.create(team=team, whose="key", unit="tokens", window="day", amount=5)
    return {"limits": str(limit.pk), "budgets": str(budget.pk), "allowances": str(allowance.pk)}


def _written_in(team: Team, owner: User, key: Key) -> dict[str, str]:
    channel, _ = make_channel(team=team, kind="webhook", name=NAME, address="https://hooks.example.com/a")
    delivery = test_channel(channel=channel)
    AccessRequest.objects.create(
        team=team,
        person=User.objects.get(username="the-member"),
        kind="role",
        asked={"role": "admin"},
        summary=HOSTILE,
        fingerprint="x",
        reason=HOSTILE,
        decider="team",
    )
    invitation = Invitation.objects.create(
        team=team, email="ann@example.com", role="member", digest="x" * 64, expires_at=LATER, invited_by=owner
    )
    return {
        "alerts": channel.public_id,
        "deliveries": str(delivery.pk),
        # Calls of a client: what is asked for access has no page of its own.
        "requests": REQUEST,
        "invitations": str(invitation.pk),
    }
