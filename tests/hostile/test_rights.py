"""Every address against every role and every kind of key: exactly what the table of rights says, and nothing else."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from django.db import transaction
from django.http import HttpResponse

from accounts.alerts.channels import test_channel as send_test
from accounts.models import AlertChannel, Budget, Limit, Team
from accounts.rights import Right
from tests.hostile.rights_table import (
    API,
    METHODS,
    OPEN,
    OWN,
    PORTAL,
    TABLE,
    Actor,
    Row,
    keys,
    people,
    plain,
    routes,
)
from tests.hostile.test_tenants import foreign
from tests.make import make_key, make_membership, make_user

__all__ = ["foreign"]
pytestmark = pytest.mark.django_db
PEOPLE = ("the-viewer", "the-member", "the-admin", "the-owner", "who-left", "foreign", "nobody")
SKIPPED = {
    # Without a team they open, and say that there is none.
    "who-left": {"/keys", "/playground"},
    # They take no name of a team, and tell of one's own.
    "foreign": {"/v1/credits", "/v1/analytics"},
}
KEYS = (
    *("key inference", "key catalogue", "key usage", "key feed", "key management"),
    *("key of viewer", "key of member", "key of admin", "key of owner"),
)


@pytest.fixture
def ids(foreign: dict[str, str]) -> dict[str, str]:
    """Rows of the team, by what the table calls them."""
    team = Team.objects.get(slug="other")
    make_membership(team, make_user("another-owner"), role="owner")
    channel = AlertChannel.objects.get(team=team)
    gone = make_membership(team, make_user("gone"))
    left, _ = make_key(team, owner=gone.user)
    gone.grants.all().delete()
    gone.suspended_at = gone.created_at
    gone.save()
    named = {
        "key": "keys",
        "call": "calls",
        "statement": "statements",
        "credential": "credentials",
        "channel": "alerts",
        "account": "service-accounts",
        "project": "projects",
        "member": "members",
        "allowance": "allowances",
        "limit": "limits",
        "budget": "budgets",
        "invitation": "invitations",
    }
    limit = Limit.objects.create(team=team, unit="tokens", window="day", amount=5)
    budget = Budget.objects.create(team=team, window="day", amount_usd=5)
    return {name: foreign[kind] for name, kind in named.items()} | {
        "delivery": str(send_test(channel=channel).pk),
        "left": left.public_id,
        "teams_limit": str(limit.pk),
        "teams_budget": str(budget.pk),
        "somebody": team.memberships.get(pk=int(foreign["members"])).user.username,
    }


def test_every_address_is_in_the_table_or_open() -> None:
    listed = {plain(row.address) for row in TABLE}
    assert {each for each in routes() if not each.startswith(OPEN) and each not in OWN} == listed


def test_what_is_open_is_really_there() -> None:
    addresses = list(routes())
    assert [each for each in OPEN if not any(a.startswith(each) for a in addresses)] == []
    assert set(OWN) <= set(addresses)


def actor_of(name: str, of: Any) -> Actor:
    team = Team.objects.get(slug="other")
    return next(each for each in of(team) if each.name == name)


def ask(actor: Actor, row: Row, ids: dict[str, str]) -> HttpResponse:
    """What is answered; nothing of it lasts."""
    known = ids | {"own": actor.own or ids["key"], "me": actor.person or "nobody"}
    url = row.address.format(**known)
    body = {name: _filled(value, known) for name, value in row.body.items()}
    if actor.name == "foreign" and not (row.is_usage and "{" in row.address):
        url += "&team=other" if "?" in url else "?team=other"
    with transaction.atomic():
        if row in API:
            content = b"" if row.method in {"GET", "DELETE"} else orjson.dumps(body)
            answer = actor.client.generic(row.method, url, content, "application/json")
        elif row.method == "POST":
            answer = actor.client.post(url, body)
        else:
            answer = actor.client.generic(row.method, url)
        transaction.set_rollback(True)
    return answer


def _filled(value: Any, known: dict[str, str]) -> Any:
    return value.format(**known) if isinstance(value, str) else value


def is_let_in(answer: HttpResponse) -> bool:
    leads_to_sign_in = answer.status_code == 302 and answer.headers["Location"].startswith("/sign-in")
    return answer.status_code not in {401, 403, 404, 405, 429} and not leads_to_sign_in


def differences(actor: Actor, rows: list[Row], ids: dict[str, str]) -> Iterator[str]:
    for row in rows:
        if row.address in SKIPPED.get(actor.name, ()):
            continue
        answer = ask(actor, row, ids)
        assert answer.status_code < 500, (actor.name, row)
        if is_let_in(answer) != actor.may(row):
            what = f"{row.method} {row.address} {dict(row.body)} takes {row.right}"
            yield f"{what}: {answer.status_code} {answer.content[:200]!r}"


@pytest.mark.parametrize("name", PEOPLE)
def test_people_do_in_the_portal_what_their_role_lets_them(ids: dict[str, str], name: str) -> None:
    assert list(differences(actor_of(name, people), PORTAL, ids)) == []


@pytest.mark.parametrize("name", PEOPLE)
def test_people_do_over_the_api_what_their_role_lets_them(ids: dict[str, str], name: str) -> None:
    assert list(differences(actor_of(name, people), API, ids)) == []


@pytest.mark.parametrize("name", KEYS)
def test_keys_do_over_the_api_what_their_scopes_and_their_person_let_them(
    ids: dict[str, str], name: str
) -> None:
    assert list(differences(actor_of(name, keys), API, ids)) == []


@pytest.mark.parametrize("name", ["key management", "key of owner"])
def test_no_key_opens_a_page(ids: dict[str, str], name: str) -> None:
    actor = actor_of(name, keys)
    assert [row.address for row in PORTAL if is_let_in(ask(actor, row, ids))] == []


def test_an_owner_is_told_of_each_other_method_that_there_is_none(ids: dict[str, str]) -> None:
    actor = actor_of("the-owner", people)
    declared = {(row.method, plain(row.address)) for row in TABLE}
    for row in {plain(row.address): row for row in TABLE}.values():
        for method in METHODS:
            if (method, plain(row.address)) not in declared:
                other = Row(method, row.address, Right.READ)
                assert ask(actor, other, ids).status_code == 405, (method, row.address)


def test_who_left_and_strangers_learn_of_no_page_that_there_is_one(ids: dict[str, str]) -> None:
    team = Team.objects.get(slug="other")
    for actor in people(team):
        if actor.name in {"who-left", "foreign"}:
            for row in PORTAL:
                if row.address not in SKIPPED["who-left"]:
                    assert ask(actor, row, ids).status_code == 404, (actor.name, row)
