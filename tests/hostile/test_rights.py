"""Every address against every role and every kind of key: exactly what the table of rights says, and nothing else."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from accounts.alerts.channels import test_channel as send_test
from accounts.models import AlertChannel, Budget, Limit, ScimDirectory, ScimGroup, ScimUser, Team
from accounts.rights import Right
from accounts.scim.tokens import issue_token, revoke_tokens
from tests.hostile.rights_table import (
    API,
    METHODS,
    NO_SCIM,
    OPEN,
    OWN,
    PORTAL,
    SCIM,
    TABLE,
    Actor,
    Row,
    keys,
    people,
    plain,
    routes,
)
from tests.hostile.test_tenants import make_other_team
from tests.kept import rows_for_all
from tests.make import make_key, make_membership, make_staff, make_user

pytestmark = pytest.mark.django_db
PEOPLE = ("the-viewer", "the-member", "the-admin", "the-owner", "who-left", "foreign", "nobody")
SKIPPED = {
    # Without a team they open, and say that there is none.
    "who-left": {"/overview", "/keys", "/playground"},
    # They take no name of a team, and tell of one's own.
    "foreign": {"/v1/credits", "/v1/analytics"},
}
KEYS = (
    *("key inference", "key catalogue", "key usage", "key feed", "key management"),
    *("key of viewer", "key of member", "key of admin", "key of owner"),
)


@dataclass(frozen=True)
class World:
    """The team's rows, by what the table calls them, and who asks for them, by name."""

    ids: dict[str, str]
    actors: dict[str, Actor]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Once for all tests: what is answered to one lasts for no other."""
    with rows_for_all(django_db_blocker):
        ids, team = make_rows(), Team.objects.get(slug="other")
        actors = {each.name: each for of in (people, keys) for each in of(team)}
        for name in PEOPLE:
            # Else each of their calls would be the first of a session, which is written down.
            actors[name].client.get("/account")
        yield World(ids, actors)


def make_rows() -> dict[str, str]:
    """Of the team, by what the table calls them."""
    foreign = make_other_team()
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
        "asked": "access-requests",
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
    listed = {plain(row.address) for row in TABLE} | {NO_SCIM}
    # One of each kind of resource stands for all that are told.
    listed |= {re.sub(r"/(User|{schema})$", "/{id}", each.partition(" ")[2]) for each in map(plain, SCIM)}
    assert {each for each in routes() if not each.startswith(OPEN) and each not in OWN} == listed


def test_what_is_open_is_really_there() -> None:
    addresses = list(routes())
    assert [each for each in OPEN if not any(a.startswith(each) for a in addresses)] == []
    assert set(OWN) <= set(addresses)


def ask(actor: Actor, row: Row, ids: dict[str, str]) -> HttpResponse:
    """What is answered; nothing of it lasts."""
    known = ids | {"own": actor.own or ids["key"], "me": actor.person or "nobody"}
    known["mine"] = actor.mine or ids["asked"]
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
def test_people_do_in_the_portal_what_their_role_lets_them(world: World, name: str) -> None:
    assert list(differences(world.actors[name], PORTAL, world.ids)) == []


@pytest.mark.parametrize("name", PEOPLE)
def test_people_do_over_the_api_what_their_role_lets_them(world: World, name: str) -> None:
    assert list(differences(world.actors[name], API, world.ids)) == []


@pytest.mark.parametrize("name", KEYS)
def test_keys_do_over_the_api_what_their_scopes_and_their_person_let_them(world: World, name: str) -> None:
    assert list(differences(world.actors[name], API, world.ids)) == []


@pytest.mark.parametrize("name", ["key management", "key of owner"])
def test_no_key_opens_a_page(world: World, name: str) -> None:
    actor = world.actors[name]
    assert [row.address for row in PORTAL if is_let_in(ask(actor, row, world.ids))] == []


def test_an_owner_is_told_of_each_other_method_that_there_is_none(world: World) -> None:
    actor = world.actors["the-owner"]
    declared = {(row.method, plain(row.address)) for row in TABLE}
    for row in {plain(row.address): row for row in TABLE}.values():
        for method in METHODS:
            if (method, plain(row.address)) not in declared:
                other = Row(method, row.address, Right.READ)
                assert ask(actor, other, world.ids).status_code == 405, (method, row.address)


@pytest.mark.parametrize("name", ["who-left", "foreign"])
def test_who_left_and_strangers_learn_of_no_page_that_there_is_one(world: World, name: str) -> None:
    for row in PORTAL:
        if row.address not in SKIPPED["who-left"]:
            assert ask(world.actors[name], row, world.ids).status_code == 404, row


@pytest.fixture
def directory() -> tuple[ScimDirectory, dict[str, str]]:
    """One with somebody in a group, and what addresses call them."""
    made = ScimDirectory.objects.create(name="Okta")
    person = ScimUser.objects.create(directory=made, user=make_user("kept"), user_name="kept")
    group = ScimGroup.objects.create(directory=made, display_name="Engineers")
    schema = "urn:ietf:params:scim:schemas:core:2.0:User"
    return made, {"user": person.resource_id, "group": group.resource_id, "schema": schema}


def ask_scim(client: Client, act: str, ids: dict[str, str]) -> int:
    """The status; nothing of it lasts."""
    method, _, address = act.partition(" ")
    # As PUT and POST want it; what PATCH makes of it is a 400.
    body = orjson.dumps({"userName": "new"} if "Users" in address else {"displayName": "new"})
    with transaction.atomic():
        answer = client.generic(method, address.format(**ids), body, "application/scim+json")
        transaction.set_rollback(True)
    return answer.status_code


def bearing(text: str) -> Client:
    return Client(headers={"authorization": f"Bearer {text}"})


def test_directory_does_all_of_scim_and_nothing_else(
    directory: tuple[ScimDirectory, dict[str, str]], world: World
) -> None:
    token = issue_token(directory[0])[1]
    own = bearing(token)
    answers = {act: ask_scim(own, act, directory[1]) for act in SCIM}
    assert {act: each for act, each in answers.items() if each >= 300 and not act.startswith("PATCH")} == {}
    assert set(answers.values()) <= {200, 201, 204, 400}
    declared = {act.partition(" ")[2] for act in SCIM}
    for address in declared:
        for method in {*METHODS} - {act.partition(" ")[0] for act in SCIM if act.endswith(f" {address}")}:
            assert ask_scim(own, f"{method} {address}", directory[1]) == 405, (method, address)
    assert ask_scim(own, f"GET {NO_SCIM}Me", directory[1]) == 404
    actor = Actor("directory", own, None)
    assert [row.address for row in TABLE if is_let_in(ask(actor, row, world.ids))] == []


def test_another_directory_finds_none_of_its_rows(directory: tuple[ScimDirectory, dict[str, str]]) -> None:
    other = bearing(issue_token(ScimDirectory.objects.create(name="Entra"))[1])
    rows = [act for act in SCIM if "{user}" in act or "{group}" in act]
    assert {ask_scim(other, act, directory[1]) for act in rows} == {404}


@pytest.mark.parametrize("name", [*PEOPLE, *KEYS, "superuser", "revoked token"])
def test_nobody_else_is_let_into_scim(
    directory: tuple[ScimDirectory, dict[str, str]], world: World, name: str
) -> None:
    if name == "superuser":
        client = Client()
        client.force_login(make_staff("root"))
    elif name == "revoked token":
        client = bearing(issue_token(directory[0])[1])
        revoke_tokens(directory[0])
    else:
        client = world.actors[name].client
    for act in (*SCIM, f"GET {NO_SCIM}Me"):
        assert ask_scim(client, act, directory[1]) == 401, act
