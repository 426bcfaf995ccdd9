"""Staff with one permission each, and every page of the admin that they could ask for."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import Model as Row
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, reverse
from django.utils import timezone

from accounts.alerts.channels import make_channel
from accounts.budgeting import make_budget
from accounts.models import (
    AccessRequest,
    AlertChannel,
    AuditEntry,
    AuditReceiver,
    CentreStatement,
    ClaimRule,
    IdentityProvider,
    Invitation,
    Key,
    LedgerEntry,
    Project,
    ScimDirectory,
    ScimGroup,
    ScimToken,
    ServiceAccount,
    Statement,
    Team,
    User,
)
from accounts.scim.tokens import issue_token
from catalogue.models import Edition, Model, Offering, Organisation, RouteMember
from catalogue.publishing.editions import publish
from providers.models import (
    AdministratorCredential,
    Bill,
    BillMapping,
    Incident,
    Provider,
    ProviderCredential,
)
from tests.make import make_key, make_offering, make_published, make_route, make_team, make_user

PER_OBJECT = ("change", "delete", "history")
OUTSIDE = "nobody"
WATCHED: tuple[type[Row], ...] = (
    AccessRequest,
    AlertChannel,
    ClaimRule,
    IdentityProvider,
    Invitation,
    Key,
    Project,
    ScimDirectory,
    ScimGroup,
    ScimToken,
    ServiceAccount,
    Team,
    User,
    Group,
    Model,
    Offering,
    RouteMember,
    Organisation,
    Provider,
    ProviderCredential,
    AdministratorCredential,
    BillMapping,
    Bill,
    Incident,
    Edition,
    LedgerEntry,
    Statement,
    CentreStatement,
    AuditEntry,
    AuditReceiver,
)


def make_world() -> None:
    """One row at least of all that the admin shows."""
    team = make_team("atlas")
    key, _ = make_key(team)
    make_user("mary", teams=[team])
    now = timezone.now()
    ids = {"attempt_id": uuid4(), "call_id": uuid4(), "team": team, "key": key}
    said = {"number": 1, "lane": "direct", "model": "acme/one", "provider": "acme", "outcome": "finished"}
    LedgerEntry.objects.create(**ids, **said, is_streamed=False, cost_usd=1, loss_usd=0, started_at=now)
    model = make_published("acme/one")
    make_offering(model)
    Model.objects.update(name="Uno")
    publish([model, make_route("house/fast", model)])
    ProviderCredential.objects.create(provider=Provider.objects.order_by("pk")[0], label="backup")
    provider = Provider.objects.order_by("pk")[0]
    AdministratorCredential.objects.create(provider=provider)
    BillMapping.objects.create(
        provider=provider, date_column="Day", model_column="Model", amount_column="USD"
    )
    Bill.objects.create(
        provider=provider, source="sheet", first_day=now.date(), last_day=now.date(), total_usd=0, lines=[]
    )
    Incident.objects.create(kind="incident", title="Slow answers", provider=provider)
    Group.objects.create(name="editors")
    AuditReceiver.objects.create(name="https://siem.example:443")
    Project.objects.create(team=team, slug="invoices", name="Invoices")
    ServiceAccount.objects.create(team=team, slug="nightly", name="Nightly")
    make_budget(subject=team, window="month", amount_usd=Decimal(10))
    month = {"month": "2026-10", "zone": "UTC", "starts_at": now, "ends_at": now, "closed_at": now}
    told = {"team_slug": "atlas", "team_name": "Atlas", "calls": 0, "cost": 0, "charge": 0}
    Statement.objects.create(number=1, team=team, **month, **told)
    CentreStatement.objects.create(
        number=1, cost_centre="4711", month="2026-10", closed_at=now, calls=0, cost=0, charge=0
    )
    IdentityProvider.objects.create(
        slug="okta", name="Okta", issuer="https://okta.example", client_id="gatehouse"
    )
    directory = ScimDirectory.objects.create(name="Okta")
    issue_token(directory)
    ScimGroup.objects.create(directory=directory, display_name="Engineers")
    AccessRequest.objects.create(
        team=team,
        person=User.objects.get(username="mary"),
        kind="role",
        asked={"role": "admin"},
        summary="The role admin",
        fingerprint="x",
        reason="The release",
        decider="team",
    )
    Invitation.objects.create(
        team=team, email="zoe@example.com", role="member", digest="x" * 64, expires_at=now + timedelta(days=7)
    )
    make_channel(team=team, kind="webhook", name="on-call", address="https://hooks.example.com/")


def model_of(page: str) -> type[Row]:
    """Of a page's name, such as `accounts_key_changelist`."""
    return next(model for model in admin.site._registry if page.startswith(_label(model)))


def row_of(model: type[Row]) -> Row | None:
    return model._default_manager.order_by("pk").first()


def pages() -> dict[str, str]:
    """Name → address of every page that takes no more than a row."""
    found = {}
    for pattern in _patterns(admin.site.get_urls()):
        model = next((m for m in admin.site._registry if pattern.name.startswith(_label(m))), None)
        row = row_of(model) if model else None
        key = getattr(row, "pk", 1)
        for arguments in ({}, {"object_id": key}, {"id": key}, {"pk": key}, {"number": 1}):
            try:
                found[pattern.name] = reverse(f"admin:{pattern.name}", kwargs=arguments)
            except NoReverseMatch:
                continue
            break
    return found


def permissions() -> list[str]:
    """`app.codename` of all that can be given."""
    rows = Permission.objects.select_related("content_type").order_by("content_type__app_label", "codename")
    return [f"{row.content_type.app_label}.{row.codename}" for row in rows]


def staff_with(*names: str) -> Client:
    user = User.objects.create(username=f"staff-{User.objects.count()}" if names else OUTSIDE, is_staff=True)
    given = Permission.objects.values_list("content_type__app_label", "codename", "pk")
    user.user_permissions.set([key for label, codename, key in given if f"{label}.{codename}" in names])
    client = Client()
    client.force_login(user)
    return client


def rows(*kinds: type[Row]) -> dict[str, list[Any]]:
    """All that staff could want to change, or those kinds of it, as it is."""
    return {each.__name__: list(each._default_manager.order_by("pk").values()) for each in kinds or WATCHED}


def _patterns(urls: list[Any]) -> Iterator[URLPattern]:
    for pattern in urls:
        if isinstance(pattern, URLPattern):
            if pattern.name:
                yield pattern
        else:
            yield from _patterns(pattern.url_patterns)


def _label(model: type[Row]) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}_"
