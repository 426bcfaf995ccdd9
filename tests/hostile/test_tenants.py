"""Each team against the other's ids, on every address that takes one: nothing is told, nothing is touched."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.alerts.channels import make_channel
from accounts.models import (
    AccessRequest,
    AlertChannel,
    Allowance,
    Budget,
    Invitation,
    Key,
    Limit,
    Membership,
    Project,
    ServiceAccount,
    StoredResponse,
    Team,
)
from accounts.recording import record_attempts
from accounts.statements import close_month, month_named
from gateway.proxy.ports import StoredTurn
from gateway.responses import stored
from providers.models import ProviderCredential
from tests.gateway.spooling import attempt
from tests.kept import rows_for_all
from tests.make import make_entry, make_key, make_provider, make_team, make_user

pytestmark = pytest.mark.django_db
SECRET = "secret plans of another team"
MAY = datetime(2026, 5, 10, tzinfo=UTC).timestamp()
LATER = datetime(2099, 1, 1, tzinfo=UTC)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# The catalogue is everybody's, and so are files. Directories and people are no teams: their own tests hold them apart.
# The last one answers what is not an address at all.
EVERYBODYS = ("/models", "/v1/models", "/v1beta/models", "/v1/gateway/", "/static/")
EVERYBODYS += ("/scim/", "/account/", "/sign-in/", "/admin/", "/mail/stop/")


def routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    """Every address with a parameter but the admin's, with `{id}` in its place."""
    for pattern in (resolver or get_resolver()).url_patterns:
        address = prefix + str(pattern.pattern).lstrip("^").rstrip("$")
        if isinstance(pattern, URLResolver):
            if not address.startswith("admin/"):
                yield from routes(pattern, address)
        elif isinstance(pattern, URLPattern) and pattern.pattern.regex.groupindex:
            yield "/" + re.sub(r"<\w+:\w+>|\(\?P<\w+>[^)]*\)", "{id}", address)


OWNED = sorted({address for address in routes() if not address.startswith(EVERYBODYS)})


@pytest.fixture(scope="module")
def foreign(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, str]]:
    with rows_for_all(django_db_blocker):
        yield make_other_team()


def make_other_team() -> dict[str, str]:
    """Ids of its rows, by what addresses call them."""
    team = make_team("other")
    key, _ = make_key(team, SECRET)
    kept = StoredTurn({"id": "resp_0123456789abcdef", "object": "response", "output": [SECRET]}, [SECRET])
    stored.keep(team.pk, kept)
    ServiceAccount.objects.create(team=team, slug="robot", name=SECRET)
    project = Project.objects.create(team=team, slug="blue", name=SECRET)
    member = Membership.objects.create(team=team, user=make_user(SECRET.replace(" ", "-")))
    allowance = Allowance.objects.create(team=team, whose="key", unit="tokens", window="day", amount=5)
    limit = Limit.objects.create(project=project, unit="tokens", window="day", amount=5, set_by=SECRET)
    budget = Budget.objects.create(project=project, window="day", amount_usd=5, set_by=SECRET)
    channel, _ = make_channel(team=team, kind="webhook", name=SECRET, address="https://hooks.example.com/")
    credential = ProviderCredential.objects.create(provider=make_provider(), team=team, label=SECRET)
    asked = AccessRequest.objects.create(
        team=team,
        person=member.user,
        kind="role",
        asked={"role": "admin"},
        summary=SECRET,
        fingerprint="x",
        reason=SECRET,
        decider="team",
    )
    invitation = Invitation.objects.create(
        team=team,
        email=f"{SECRET.replace(' ', '-')}@example.com",
        role="member",
        digest="x" * 64,
        expires_at=LATER,
    )
    make_entry(key, request_id="req_0123456789abcdef", project=SECRET)
    record_attempts(
        [attempt(team_id=team.pk, key_id=key.pk, lineage_id=key.pk, project=SECRET, started_at=MAY)]
    )
    month = month_named(team, "2026-05")
    statement = close_month(team, month, at=datetime(2026, 6, 4, tzinfo=UTC))
    assert statement is not None
    return {
        "statements": str(statement.number),
        "credentials": str(credential.pk),
        "calls": "req_0123456789abcdef",
        "receipts": "req_0123456789abcdef",
        "alert-channels": channel.public_id,
        "alerts": channel.public_id,
        "keys": key.public_id,
        "responses": "resp_0123456789abcdef",
        "service-accounts": "robot",
        "projects": "blue",
        "members": str(member.pk),
        "access-requests": asked.public_id,
        "requests": asked.public_id,
        "invitations": str(invitation.pk),
        "allowances": str(allowance.pk),
        "limits": str(limit.pk),
        "budgets": str(budget.pk),
    }


def kind_of(address: str) -> str:
    return address.removeprefix("/v1").removeprefix("/team").split("/")[1]


def clients() -> dict[str, Client]:
    """Everybody that the own team has."""
    team = make_team("own")
    found = {}
    for scope in Key.Scope.values:
        _, text = make_key(team, scope, scope=scope)
        found[scope] = Client(headers={"authorization": f"Bearer {text}"})
    found["session"] = Client()
    found["session"].force_login(make_user("mary", teams=[team], role="owner"))
    return found


def rows() -> list[Any]:
    team = Team.objects.get(slug="other")
    kinds = (
        Key,
        Membership,
        AccessRequest,
        Invitation,
        StoredResponse,
        ServiceAccount,
        Project,
        AlertChannel,
        ProviderCredential,
    )
    limits = Limit.objects.filter(project__team=team).values()
    budgets = Budget.objects.filter(project__team=team).values()
    return [*limits, *budgets, *(row for kind in kinds for row in kind.objects.filter(team=team).values())]


def test_every_address_that_takes_an_id_of_a_team_is_tried() -> None:
    assert OWNED == [
        "/calls/{id}",
        "/keys/{id}",
        "/keys/{id}/budgets",
        "/keys/{id}/limits",
        "/keys/{id}/revoke",
        "/keys/{id}/rotate",
        "/requests/{id}",
        "/team/alerts/{id}",
        "/team/alerts/{id}/deliveries/{id}/replay",
        "/team/alerts/{id}/remove",
        "/team/alerts/{id}/rotate",
        "/team/alerts/{id}/test",
        "/team/allowances/{id}/remove",
        "/team/budgets/{id}",
        "/team/budgets/{id}/end-raise",
        "/team/budgets/{id}/remove",
        "/team/credentials/{id}",
        "/team/credentials/{id}/remove",
        "/team/credentials/{id}/test",
        "/team/invitations/{id}/renew",
        "/team/invitations/{id}/withdraw",
        "/team/limits/{id}/remove",
        "/team/members/{id}",
        "/team/members/{id}/role",
        "/team/members/{id}/suspend",
        "/team/projects/{id}",
        "/team/projects/{id}/archive",
        "/team/requests/{id}/decide",
        "/team/requests/{id}/end",
        "/team/requests/{id}/withdraw",
        "/team/service-accounts/{id}",
        "/team/service-accounts/{id}/switch",
        "/team/statements/{id}",
        "/team/statements/{id}/csv",
        "/v1/access-requests/{id}",
        "/v1/access-requests/{id}/decide",
        "/v1/access-requests/{id}/end",
        "/v1/alert-channels/{id}",
        "/v1/alert-channels/{id}/deliveries",
        "/v1/alert-channels/{id}/deliveries/{id}/replay",
        "/v1/alert-channels/{id}/rotate-secret",
        "/v1/alert-channels/{id}/test",
        "/v1/allowances/{id}",
        "/v1/budgets/{id}",
        "/v1/budgets/{id}/raise",
        "/v1/credentials/{id}",
        "/v1/credentials/{id}/test",
        "/v1/invitations/{id}",
        "/v1/invitations/{id}/renew",
        "/v1/keys/{id}",
        "/v1/keys/{id}/hand-over",
        "/v1/keys/{id}/revoke",
        "/v1/keys/{id}/rotate",
        "/v1/limits/{id}",
        "/v1/members/{id}",
        "/v1/projects/{id}",
        "/v1/receipts/{id}",
        "/v1/responses/{id}",
        "/v1/responses/{id}/cancel",
        "/v1/responses/{id}/input_items",
        "/v1/service-accounts/{id}",
        "/v1/statements/{id}",
    ]


@pytest.mark.parametrize("address", OWNED)
def test_nothing_of_another_team_is_told_or_touched(foreign: dict[str, str], address: str) -> None:
    before, url = rows(), address.format(id=foreign[kind_of(address)])
    statuses = set()
    for who, client in clients().items():
        for method in METHODS:
            for query in ("", "?team=other", "?team=own"):
                answer = client.generic(method, url + query, b'{"name": "taken over"}', "application/json")
                assert SECRET not in answer.text, (who, method, query)
                statuses.add(answer.status_code)
    assert rows() == before
    assert not statuses & {200, 201, 202, 204, 500}


@pytest.mark.parametrize("address", OWNED)
def test_another_teams_id_and_no_id_read_alike(foreign: dict[str, str], address: str) -> None:
    kind = kind_of(address)
    nobodys = {"keys": "abcdefghijkl", "responses": "resp_abcdefghijklmnop"}.get(kind, "nobodys")
    for who, client in clients().items():
        for method in METHODS:
            asked = [client.generic(method, address.format(id=each)) for each in (foreign[kind], nobodys)]
            told = [(answer.status_code, answer.text.replace(foreign[kind], nobodys)) for answer in asked]
            assert told[0][0] == told[1][0], (who, method)
            if "json" in asked[0].headers.get("Content-Type", ""):
                assert told[0] == told[1], (who, method)
