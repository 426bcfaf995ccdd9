"""Every address of portal and management API with the right that it takes, and those who ask."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import AccessRequest, Membership, Team
from accounts.rights import RIGHTS, Right, Role, rights_of_key
from accounts.scopes import MEANT
from tests.make import make_key, make_membership, make_team, make_user

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# Everybody's: the catalogue, sign-in, files and documents; what a person has of their own, in whatever team.
OPEN = (
    *("/models", "/status", "/v1/models", "/v1beta/models", "/v1/gateway/", "/v1/routing/", "/admin/"),
    *("/sign-in", "/sign-out", "/sign-up", "/password", "/account", "/invitation", "/notifications"),
    "/mail/stop/",
    *("/openapi.json", "/docs", "/favicon.ico", "/healthz", "/readyz", "/metrics", "/leaks", "//"),
)
# Whatever the team: a key's own terms and answers, and what somebody is invited to.
OWN = (
    *("/", "/v1/key", "/v1/invitations/accept", "/v1/responses/compact", "/v1/responses/{id}"),
    *("/v1/responses/{id}/cancel", "/v1/responses/{id}/input_items"),
    # Ends what staff look at.
    "/view-as/end",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One act, and what it takes; with `is_usage` keys of the scope usage may, too."""

    method: str
    address: str
    right: Right
    body: Mapping[str, Any] = field(default_factory=dict)
    is_usage: bool = False


def _rows(right: Right, *acts: str, **more: Any) -> Iterator[Row]:
    """Of acts such as `GET,POST /keys/{id}`."""
    for act in acts:
        methods, _, address = act.partition(" ")
        for method in methods.split(","):
            yield Row(method, address, right, **more)


PORTAL = [
    *_rows(Right.READ, "GET /overview", "GET /overview/csv", "GET /overview/start"),
    *_rows(Right.READ, "GET /keys", "GET /keys/{key}", "GET /calls/{call}", "GET /team", "GET /team/members"),
    *_rows(Right.READ, "GET /requests", "GET /requests/news?since=1", "GET /requests/{call}"),
    *_rows(Right.READ, "GET /team/members/{member}", "GET /team/service-accounts/{account}"),
    *_rows(Right.READ, "GET /team/projects/{project}", "GET /team/statements"),
    *_rows(Right.READ, "GET /team/statements/{statement}", "GET /team/statements/{statement}/csv"),
    *_rows(Right.READ, "GET /team/alerts", "GET /team/alerts/{channel}", "GET,POST /team/leave"),
    *_rows(Right.READ, "GET /team/feeds"),
    *_rows(Right.CALL, "POST /team/feeds"),
    *_rows(Right.CALL, "POST /keys", "GET /playground", "GET /playground/models"),
    *_rows(Right.CALL, "POST /playground/key", body={"team": "other"}),
    *_rows(Right.CALL, "POST /keys/{own}", "GET,POST /keys/{own}/revoke", "GET,POST /keys/{own}/rotate"),
    *_rows(Right.CALL, "POST /keys/{own}/limits", "POST /keys/{own}/budgets"),
    *_rows(Right.KEYS, "POST /keys/{key}", "GET,POST /keys/{key}/revoke", "GET,POST /keys/{key}/rotate"),
    *_rows(Right.KEYS, "POST /keys/{key}/limits", "POST /keys/{key}/budgets"),
    *_rows(Right.READ, "GET /team/projects", "GET /team/limits"),
    *_rows(Right.KEYS, "POST /team/projects", "POST /team/limits"),
    *_rows(Right.TERMS, "POST /team"),
    *_rows(Right.TERMS, "POST /team/limits", body={"form": "allowance"}),
    *_rows(Right.KEYS, "POST /team/service-accounts/{account}", "POST /team/projects/{project}"),
    *_rows(
        Right.KEYS,
        "GET,POST /team/service-accounts/{account}/switch",
        "GET,POST /team/projects/{project}/archive",
    ),
    *_rows(Right.KEYS, "GET,POST /team/limits/{limit}/remove", "GET,POST /team/budgets/{budget}"),
    *_rows(Right.KEYS, "GET,POST /team/budgets/{budget}/remove", "GET,POST /team/budgets/{budget}/end-raise"),
    *_rows(Right.KEYS, "GET /team/left-behind"),
    *_rows(Right.KEYS, "POST /team/left-behind", body={"key": "{left}"}),
    *_rows(Right.TERMS, "GET,POST /team/limits/{teams_limit}/remove", "GET /team/budgets/{teams_budget}"),
    *_rows(Right.TERMS, "GET,POST /team/freeze", "POST /team/unfreeze", "GET,POST /team/archive"),
    *_rows(Right.TERMS, "GET,POST /team/allowances/{allowance}/remove"),
    *_rows(Right.MEMBERS, "POST /team/members/{member}", "POST /team/members/{member}/role"),
    *_rows(Right.MEMBERS, "GET,POST /team/members/{member}/suspend", "POST /team/invitations"),
    *_rows(Right.MEMBERS, "POST /team/invitations/{invitation}/renew"),
    *_rows(Right.MEMBERS, "GET,POST /team/invitations/{invitation}/withdraw"),
    *_rows(Right.CREDENTIALS, "GET,POST /team/credentials", "GET,POST /team/credentials/{credential}"),
    *_rows(Right.CREDENTIALS, "POST /team/credentials/{credential}/test"),
    *_rows(Right.CREDENTIALS, "GET,POST /team/credentials/{credential}/remove"),
    *_rows(Right.AUDIT, "GET /team/audit"),
    *_rows(Right.READ, "GET /team/requests"),
    *_rows(Right.ASK, "GET,POST /team/requests/new?kind=role", "GET,POST /team/requests/{mine}/withdraw"),
    *_rows(Right.ASK, "GET,POST /team/requests/{mine}/end"),
    *_rows(Right.DECIDE, "POST /team/requests/{asked}/decide", "GET,POST /team/requests/{asked}/end"),
    *_rows(Right.CHANNELS, "POST /team/alerts", "POST /team/alerts/{channel}"),
    *_rows(Right.CHANNELS, "POST /team/alerts/{channel}/test", "POST /team/alerts/{channel}/rotate"),
    *_rows(Right.CHANNELS, "GET,POST /team/alerts/{channel}/remove"),
    *_rows(Right.CHANNELS, "POST /team/alerts/{channel}/deliveries/{delivery}/replay"),
]
_LIMIT = {"unit": "tokens", "window": "minute", "amount": 5}
_BUDGET = {"window": "week", "amount_usd": "5"}
API = [
    *_rows(Right.READ, "GET /v1/keys", "GET /v1/keys/{key}", "GET /v1/team", "GET /v1/allowances"),
    *_rows(Right.READ, "GET /v1/allowances/{allowance}", "GET /v1/budgets", "GET /v1/budgets/{budget}"),
    *_rows(Right.READ, "GET /v1/limits", "GET /v1/limits/{limit}", "GET /v1/alert-channels"),
    *_rows(Right.READ, "GET /v1/alert-channels/{channel}", "GET /v1/alert-channels/{channel}/deliveries"),
    *_rows(Right.READ, "GET /v1/service-accounts", "GET /v1/service-accounts/{account}"),
    *_rows(Right.READ, "GET /v1/projects", "GET /v1/projects/{project}", "GET /v1/credentials"),
    *_rows(Right.READ, "GET /v1/credentials/{credential}", "GET /v1/members", "GET /v1/members/{member}"),
    *_rows(Right.READ, "GET /v1/usage", "GET /v1/statements", "GET /v1/focus", is_usage=True),
    *_rows(Right.READ, "GET /v1/statements/{statement}", "GET /v1/receipts/{call}", is_usage=True),
    *_rows(Right.READ, "GET /v1/generation?id={call}", "GET /v1/credits", "GET /v1/analytics", is_usage=True),
    *_rows(Right.READ, "GET /v1/organization/costs?start_time=1760000000", is_usage=True),
    *_rows(Right.READ, "GET /v1/organization/usage/completions?start_time=1760000000", is_usage=True),
    *_rows(Right.READ, "GET /v1/organization/usage/embeddings?start_time=1760000000", is_usage=True),
    *_rows(Right.CALL, "POST /v1/keys", body={"name": "x", "owner": "{me}"}),
    *_rows(
        Right.CALL, "PATCH,DELETE /v1/keys/{own}", "POST /v1/keys/{own}/rotate", "POST /v1/keys/{own}/revoke"
    ),
    *_rows(Right.KEYS, "POST /v1/keys/{own}/hand-over"),
    *_rows(Right.KEYS, "POST /v1/keys", body={"name": "x"}),
    *_rows(Right.KEYS, "POST /v1/keys", body={"name": "x", "owner": "{me}", "scope": "management"}),
    *_rows(
        Right.KEYS, "PATCH,DELETE /v1/keys/{key}", "POST /v1/keys/{key}/rotate", "POST /v1/keys/{key}/revoke"
    ),
    *_rows(Right.KEYS, "POST /v1/keys/{key}/hand-over", "POST /v1/service-accounts", "POST /v1/projects"),
    *_rows(Right.KEYS, "PATCH,DELETE /v1/service-accounts/{account}", "PATCH,DELETE /v1/projects/{project}"),
    *_rows(Right.KEYS, "PATCH,DELETE /v1/limits/{limit}", "PATCH,DELETE /v1/budgets/{budget}"),
    *_rows(Right.KEYS, "POST,DELETE /v1/budgets/{budget}/raise"),
    *_rows(Right.KEYS, "POST /v1/limits", body=_LIMIT | {"subject": "project", "subject_id": "blue"}),
    *_rows(Right.KEYS, "POST /v1/budgets", body=_BUDGET | {"subject": "project", "subject_id": "blue"}),
    *_rows(Right.MEMBERS, "POST /v1/limits", body=_LIMIT | {"subject": "member", "subject_id": "{somebody}"}),
    *_rows(
        Right.MEMBERS, "POST /v1/budgets", body=_BUDGET | {"subject": "member", "subject_id": "{somebody}"}
    ),
    *_rows(Right.MEMBERS, "PATCH,DELETE /v1/members/{member}", "GET,POST /v1/invitations"),
    *_rows(Right.MEMBERS, "GET,DELETE /v1/invitations/{invitation}"),
    *_rows(Right.MEMBERS, "POST /v1/invitations/{invitation}/renew"),
    *_rows(Right.TERMS, "POST /v1/limits", body=_LIMIT | {"subject": "team"}),
    *_rows(Right.TERMS, "POST /v1/budgets", body=_BUDGET | {"subject": "team"}),
    *_rows(Right.TERMS, "PATCH,DELETE /v1/limits/{teams_limit}", "PATCH,DELETE /v1/budgets/{teams_budget}"),
    *_rows(Right.TERMS, "PATCH /v1/team", "POST /v1/team/freeze", "POST /v1/team/unfreeze"),
    *_rows(Right.TERMS, "POST /v1/team/archive", "POST /v1/allowances"),
    *_rows(Right.TERMS, "PATCH,DELETE /v1/allowances/{allowance}"),
    *_rows(Right.CHANNELS, "POST /v1/alert-channels", "PATCH,DELETE /v1/alert-channels/{channel}"),
    *_rows(Right.CHANNELS, "POST /v1/alert-channels/{channel}/rotate-secret"),
    *_rows(Right.CHANNELS, "POST /v1/alert-channels/{channel}/test"),
    *_rows(Right.CHANNELS, "POST /v1/alert-channels/{channel}/deliveries/{delivery}/replay"),
    *_rows(Right.CREDENTIALS, "POST /v1/credentials", "PATCH,DELETE /v1/credentials/{credential}"),
    *_rows(Right.CREDENTIALS, "POST /v1/credentials/{credential}/test"),
    *_rows(Right.AUDIT, "GET /v1/audit"),
    *_rows(Right.ASK, "GET /v1/access-requests", "GET,DELETE /v1/access-requests/{mine}"),
    *_rows(
        Right.ASK,
        "POST /v1/access-requests",
        body={"kind": "role", "asked": {"role": "owner"}, "reason": "The release"},
    ),
    *_rows(Right.ASK, "POST /v1/access-requests/{mine}/end"),
    *_rows(Right.DECIDE, "GET /v1/access-requests/{asked}", "POST /v1/access-requests/{asked}/end"),
    *_rows(Right.DECIDE, "POST /v1/access-requests/{asked}/decide", body={"decision": "decline"}),
]
# Programs of an identity provider, by tokens of their own; rows are those of the token's directory.
SCIM = (
    *("GET /scim/v2/Users", "POST /scim/v2/Users", "GET /scim/v2/Groups", "POST /scim/v2/Groups"),
    *(f"{method} /scim/v2/Users/{{user}}" for method in ("GET", "PUT", "PATCH", "DELETE")),
    *(f"{method} /scim/v2/Groups/{{group}}" for method in ("GET", "PUT", "PATCH", "DELETE")),
    *("GET /scim/v2/ServiceProviderConfig", "GET /scim/v2/ResourceTypes", "GET /scim/v2/Schemas"),
    *("GET /scim/v2/ResourceTypes/User", "GET /scim/v2/Schemas/{schema}"),
)
NO_SCIM = "/scim/v2/"
"""What answers for all other addresses below it: that there is nothing."""
TABLE = [*PORTAL, *API]


def routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    """Every address, with `{id}` in the place of parameters."""
    for pattern in (resolver or get_resolver()).url_patterns:
        address = prefix + str(pattern.pattern).lstrip("^").rstrip("$")
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, address)
        elif isinstance(pattern, URLPattern):
            yield "/" + re.sub(r"<\w+:\w+>|\(\?P<\w+>[^)]*\)", "{id}", address)


def plain(address: str) -> str:
    """As `routes` has it."""
    return re.sub(r"\{\w+\}", "{id}", address.partition("?")[0])


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, and what they may in the team; None: nothing of it exists for them."""

    name: str
    client: Client
    rights: frozenset[Right] | None
    person: str = ""
    own: str = ""
    mine: str = ""
    """A request of theirs."""
    reads_usage: bool = False

    def may(self, row: Row) -> bool:
        if self.reads_usage and row.is_usage:
            return True
        # A key of nobody's has none of its own: the table's are the team's then.
        right = Right.KEYS if row.right is Right.CALL and not self.person else row.right
        return self.rights is not None and right in self.rights


def people(team: Team) -> Iterator[Actor]:
    """One of each role, one who left, one of another team, and nobody."""
    for role in Role:
        yield _person(make_membership(team, make_user(f"the-{role}"), role=role), RIGHTS[role])
    gone = make_membership(team, make_user("who-left"), role=Role.OWNER)
    actor = _person(gone, None)
    Membership.objects.filter(pk=gone.pk).update(suspended_at=gone.created_at)
    gone.grants.all().delete()
    yield actor
    stranger, client = make_membership(make_team("third"), make_user("foreign"), role=Role.OWNER), Client()
    client.force_login(stranger.user)
    yield Actor("foreign", client, None, "foreign")
    yield Actor("nobody", Client(), None)


def keys(team: Team) -> Iterator[Actor]:
    """Of each scope, and one that manages of a person of each role."""
    for scope in ("inference", "catalogue", "usage", "feed"):
        _, text = make_key(team, scope, scopes=[scope])
        yield Actor(f"key {scope}", _with(text), None, reads_usage=scope == "usage")
    _, text = make_key(team, "manages", scopes=sorted(MEANT["management"]))
    yield Actor("key management", _with(text), rights_of_key(None))
    for role in Role:
        member = make_membership(team, make_user(f"keys-{role}"))
        _, text = make_key(team, role, owner=member.user, scope="management")
        own, _ = make_key(team, f"own of {role}", owner=member.user)
        Membership.objects.filter(pk=member.pk).update(role=role)
        rights = rights_of_key(role) if Right.CALL in RIGHTS[role] else None
        yield Actor(f"key of {role}", _with(text), rights, member.user.username, own.public_id)


def _person(member: Membership, rights: frozenset[Right] | None) -> Actor:
    client, role = Client(), member.role
    client.force_login(member.user)
    Membership.objects.filter(pk=member.pk).update(role=Role.MEMBER)
    own, _ = make_key(member.team, f"own of {role}", owner=member.user)
    Membership.objects.filter(pk=member.pk).update(role=role)
    mine = AccessRequest.objects.create(
        team=member.team, person=member.user, kind="role", asked={"role": "owner"}, decider="team"
    )
    name = member.user.username
    return Actor(name, client, rights, name, own.public_id, mine.public_id)


def _with(text: str) -> Client:
    return Client(headers={"authorization": f"Bearer {text}"})
