"""The playground is a client like any other: its key is the person's own, short-lived, and bound as others are."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.key_facts import find_key
from accounts.keys import digest_secret, read_key
from accounts.models import Alert, Key, Team
from accounts.services import PLAYGROUND_LIFE, archive_team, revoke_key
from tests.make import make_team, make_user

pytestmark = pytest.mark.django_db
ISSUE = "/playground/key"


@pytest.fixture
def team() -> Team:
    return make_team("atlas")


@pytest.fixture
def member(client: Client, team: Team) -> Client:
    client.force_login(make_user("mary", teams=[team]))
    return client


def test_page_names_the_model_that_its_address_names(member: Client) -> None:
    page = member.get("/playground?model=acme/one").text
    assert 'value="acme/one"' in page
    assert 'aria-current="page">Playground' in page


def test_key_is_the_persons_own_and_ends_within_the_hour(member: Client, team: Team) -> None:
    before = timezone.now()
    told = member.post(ISSUE, {"team": "atlas"}).json()
    shown = read_key(told["key"])
    assert shown
    key = find_key(shown.public_id)
    assert key
    assert key.digest == digest_secret(shown.secret)
    assert (key.team, str(key.owner), key.is_playground) == (team, "mary", True)
    assert key.scope_set == {"inference", "catalogue"}
    assert key.expires_at
    assert before + PLAYGROUND_LIFE <= key.expires_at <= timezone.now() + PLAYGROUND_LIFE


def test_next_key_is_of_the_same_lineage_and_the_former_one_goes_on_until_its_end(
    member: Client, team: Team
) -> None:
    for _ in range(3):
        member.post(ISSUE, {"team": "atlas"})
    keys = list(Key.objects.order_by("pk"))
    assert len({key.lineage_id for key in keys}) == 1
    now = timezone.now()
    assert all(now < key.expires_at <= now + PLAYGROUND_LIFE for key in keys if key.expires_at)
    Key.objects.update(expires_at=now - timedelta(days=1), created_at=now - timedelta(days=1, hours=1))
    member.post(ISSUE, {"team": "atlas"})
    last = Key.objects.order_by("pk").last()
    assert last
    assert last.lineage_id == keys[0].pk
    assert last.expires_at
    assert now < last.expires_at <= timezone.now() + PLAYGROUND_LIFE


def test_revoked_one_is_followed_by_another_and_nobody_is_told_of_either(member: Client) -> None:
    member.post(ISSUE, {"team": "atlas"})
    revoke_key(key=Key.objects.get())
    assert member.post(ISSUE, {"team": "atlas"}).status_code == 200
    assert Key.objects.count() == 2
    assert not Alert.objects.filter(kind__startswith="key.").exists()


def test_keys_page_lists_what_works_and_not_what_is_over(member: Client) -> None:
    member.post(ISSUE, {"team": "atlas"})
    assert "Playground of mary" in member.get("/keys").text
    Key.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "Playground of mary" not in member.get("/keys").text


def test_nobody_has_a_key_of_a_team_that_is_not_theirs(member: Client) -> None:
    make_team("zeus")
    refused = member.post(ISSUE, {"team": "zeus"})
    assert (refused.status_code, refused.json()) == (404, {"error": "You belong to no such team."})
    assert not Key.objects.exists()


def test_team_that_is_archived_says_so(member: Client, team: Team) -> None:
    archive_team(team=team, is_archived=True)
    refused = member.post(ISSUE, {"team": "atlas"})
    assert refused.status_code == 400
    assert "archived" in refused.json()["error"]


def test_signed_out_page_is_told_and_not_led_astray(client: Client) -> None:
    told = client.post(ISSUE, {"team": "atlas"})
    assert told.status_code == 401
    assert "Sign in" in told.json()["error"]
    assert client.get("/playground").status_code == 302


def test_key_takes_a_form_of_ours(team: Team) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user("mary", teams=[team]))
    assert strict.post(ISSUE, {"team": "atlas"}).status_code == 403
    assert strict.get(ISSUE).status_code == 405
