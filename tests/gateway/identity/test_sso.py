"""Signing in by identity providers, against a real one."""

import time
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from accounts import identity_providers, tokens
from accounts.guesses import BEGINNINGS
from accounts.identity_providers import save_set
from accounts.memberships import give_role
from accounts.models import AuditEntry, ClaimRule, IdentityProvider, Membership, User
from accounts.tasks import forget_sessions
from gateway.core.sealing import unseal
from gateway.identity import sso
from gateway.identity.outgoing import refusal_of
from tests.gateway.identity.conftest import make_row
from tests.gateway.identity.oidc.provider import CLIENT, SECRET, OpenId
from tests.gateway.identity.people import give_password
from tests.make import make_team, make_user

pytestmark = pytest.mark.django_db
TRUSTED = {"email": "ada@x.example", "email_verified": True}


def go(client: Client, slug: str = "okta", **form: str) -> Any:
    """Away to the provider and back: the last answer of ours, or the first where it does not send away."""
    away = client.post(f"/sign-in/with/{slug}", form)
    if away.status_code != 200:
        return away
    back = httpx.get(place_of(away), follow_redirects=False).headers["location"]
    parts = urlsplit(back)
    return client.get(f"{parts.path}?{parts.query}")


def place_of(away: Any) -> str:
    """Where the page leads that goes on to the provider."""
    place: str = away.context["place"]
    assert f"url={escape(place)}" in away.content.decode()
    return place


def said_after(client: Client, answer: Any) -> str:
    """What the page says to which it leads."""
    page: str = client.get(answer["Location"]).content.decode()
    return page


def who(client: Client) -> str:
    user = client.get("/account").context
    return user["user"].username if user else ""


def is_in(client: Client) -> bool:
    return client.get("/account").status_code == 200


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_somebody_of_a_trusted_domain_is_made_and_known_again(
    client: Client, openid: OpenId, row: IdentityProvider, algorithm: str
) -> None:
    openid.algorithm = algorithm
    openid.person |= TRUSTED | {"preferred_username": "ada", "given_name": "Ada"}
    assert go(client)["Location"] == reverse("portal:overview")
    assert who(client) == "ada"
    person = User.objects.get()
    assert (person.email, person.first_name, person.has_usable_password()) == ("ada@x.example", "Ada", False)
    openid.person |= {"email": "other@x.example", "preferred_username": "other"}
    again = Client()
    go(again)
    assert who(again) == "ada"
    assert (User.objects.count(), SocialAccount.objects.get().extra_data.keys()) == (1, {"iss", "sub"})


def test_request_to_the_provider_has_state_nonce_and_pkce(
    client: Client, openid: OpenId, row: IdentityProvider
) -> None:
    asked = [parse_qs(urlsplit(place_of(client.post("/sign-in/with/okta"))).query) for _ in range(2)]
    for query in asked:
        assert query["code_challenge_method"] == ["S256"]
        assert query["redirect_uri"] == ["http://testserver/sign-in/with/okta/back"]
        assert sorted(query["scope"][0].split()) == ["email", "openid", "profile"]
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]


@pytest.mark.parametrize(
    ("claims", "fields", "is_taken"),
    [
        (TRUSTED, {}, True),
        ({"email": "ada@x.example", "email_verified": "true"}, {}, True),
        ({"email": "ada@x.example", "email_verified": False}, {}, False),
        ({"email": "ada@x.example"}, {}, False),
        (
            {"email": "ada@elsewhere.example", "email_verified": True},
            {"email": "ada@elsewhere.example"},
            False,
        ),
        (TRUSTED, {"is_superuser": True}, False),
    ],
)
def test_only_a_verified_address_of_a_trusted_domain_says_who_somebody_is(
    client: Client, openid: OpenId, row: IdentityProvider, claims: Any, fields: Any, is_taken: bool
) -> None:
    before = make_user("ada", **{"email": "ada@x.example", **fields})
    openid.person |= claims
    go(client)
    assert SocialAccount.objects.filter(user=before).exists() is is_taken
    assert (who(client) == "ada") is is_taken


def test_two_providers_with_one_subject_know_two_people(
    client: Client, openid: OpenId, row: IdentityProvider
) -> None:
    make_row(openid, "entra", trusted_domains="y.example")
    openid.person |= TRUSTED | {"preferred_username": "ada"}
    go(client)
    openid.person |= {"email": "ada@y.example", "preferred_username": "ada"}
    other = Client()
    go(other, "entra")
    assert (who(client), who(other)) == ("ada", "ada-2")


def test_nobody_is_made_whom_neither_address_nor_group_lets_in(
    client: Client, openid: OpenId, row: IdentityProvider
) -> None:
    openid.person |= {"email": "eve@evil.example", "email_verified": True}
    refused = go(client)
    assert "invitation" in said_after(client, refused)
    assert not is_in(client)
    assert not User.objects.exists()


@pytest.mark.parametrize("place", ["person", "userinfo"])
def test_groups_give_roles_wherever_they_are_told_and_the_next_sign_in_takes_them(
    client: Client, openid: OpenId, row: IdentityProvider, place: str
) -> None:
    team, other = make_team("atlas"), make_team("borea")
    for value, in_team, role in (
        ("llm-*", team, "member"),
        ("llm-leads", team, "admin"),
        ("x", other, "owner"),
    ):
        ClaimRule.objects.create(provider=row, value=value, team=in_team, role=role)
    getattr(openid, place)["groups"] = ["llm-leads", "staff"]
    go(client)
    person = User.objects.get()
    assert [(each.team, each.role) for each in person.memberships.active()] == [(team, "admin")]
    give_role(team=other, person=person, role="viewer")
    getattr(openid, place)["groups"] = []
    go(Client())
    assert [(each.team, each.role) for each in person.memberships.active()] == [(other, "viewer")]
    assert Membership.objects.count() == 2


@pytest.mark.parametrize("left_out", [{"_claim_names": {"groups": "src1"}}, {"hasgroups": True}])
def test_groups_that_are_left_out_change_nothing_and_are_told(
    client: Client, openid: OpenId, row: IdentityProvider, left_out: Any
) -> None:
    team = make_team("atlas")
    ClaimRule.objects.create(provider=row, value="llm", team=team, role="member")
    openid.person |= TRUSTED | {"groups": ["llm"]}
    go(client)
    del openid.person["groups"]
    openid.person |= left_out
    answer = go(again := Client())
    assert team.memberships.active().count() == 1
    assert "stays as it was" in said_after(again, answer)
    assert AuditEntry.objects.filter(event="sso.groups_left_out").exists()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"claims": {"iss": "https://evil.example"}}, "another issuer"),
        ({"claims": {"aud": "another"}}, "another client"),
        ({"claims": {"aud": [CLIENT, "another"]}}, "several clients"),
        ({"claims": {"aud": [CLIENT, "another"], "azp": "another"}}, "several clients"),
        ({"claims": {"nonce": "of another"}}, "another sign-in"),
        ({"without": ("nonce",)}, "another sign-in"),
        ({"claims": {"exp": 1}}, "clocks"),
        ({"claims": {"nbf": 9_999_999_999}}, "clocks"),
        ({"claims": {"iat": 9_999_999_999}}, "clocks"),
        ({"without": ("exp",)}, "lacks"),
        ({"without": ("sub",)}, "lacks"),
        ({"claims": {"sub": 7}}, "could not be believed"),
        ({"claims": {"sub": ""}}, "names nobody"),
        ({"is_signed_by_stranger": True}, "not signed by it"),
        ({"algorithm": "none"}, "not taken"),
        ({"algorithm": "HS256"}, "not taken"),
        ({"issuer_told": "https://evil.example"}, "another issuer"),
        ({"userinfo_subject": "somebody else"}, "somebody else"),
        ({"token_body": b"<html>"}, "does not answer as it should"),
        ({"token_body": b"{}"}, "begun elsewhere"),
        ({"token_body": b"[]"}, "begun elsewhere"),
        ({"token_body": b'{"access_token": "x"}'}, "no token"),
        ({"token_body": b'{"access_token": "x", "id_token": "y"}'}, "not one"),
        ({"is_down": True}, "does not answer"),
    ],
)
def test_what_cannot_be_believed_opens_nothing_and_says_why(
    client: Client, openid: OpenId, row: IdentityProvider, fault: Any, said: str
) -> None:
    openid.person |= TRUSTED
    for name, value in fault.items():
        setattr(openid.faults, name, value)
    answer = go(client)
    assert answer["Location"] == "/sign-in"
    assert said in said_after(client, answer)
    assert not is_in(client)
    assert not User.objects.exists()


@pytest.mark.parametrize(("skew", "is_open"), [(-50, True), (-70, False)])
def test_clocks_may_differ_by_a_minute(
    client: Client, openid: OpenId, row: IdentityProvider, skew: int, is_open: bool
) -> None:
    openid.person |= TRUSTED
    openid.faults.claims = {"exp": int(time.time()) + skew}
    go(client)
    assert is_in(client) is is_open


def test_keys_that_turn_are_found(
    client: Client, openid: OpenId, row: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    openid.person |= TRUSTED
    go(client)
    openid.turn_keys()
    refused = Client()
    go(refused)
    assert not is_in(refused), "keys are not looked for with each token of whoever makes them up"
    monkeypatch.setattr(tokens, "LOOKED_AGAIN_S", 0.0)
    again = Client()
    go(again)
    assert is_in(again)


def test_key_that_turns_under_its_former_name_is_found(
    client: Client, openid: OpenId, row: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    openid.person |= TRUSTED
    go(client)
    names = list(openid.keys)
    openid.turn_keys()
    openid.keys = dict(zip(names, openid.keys.values(), strict=True))
    refused = Client()
    go(refused)
    assert not is_in(refused)
    monkeypatch.setattr(tokens, "LOOKED_AGAIN_S", 0.0)
    again = Client()
    go(again)
    assert is_in(again)


def test_answer_is_taken_once_and_by_the_browser_that_began(
    client: Client, openid: OpenId, row: IdentityProvider
) -> None:
    openid.person |= TRUSTED
    away = client.post("/sign-in/with/okta")
    back = urlsplit(httpx.get(place_of(away)).headers["location"])
    thief = Client()
    stolen = thief.get(f"{back.path}?{back.query}")
    assert "begun elsewhere" in said_after(thief, stolen)
    client.get(f"{back.path}?{back.query}")
    assert is_in(client)
    client.post("/sign-out")
    again = client.get(f"{back.path}?{back.query}")
    assert "begun elsewhere" in said_after(client, again)


@pytest.mark.parametrize(
    "query", ["error=access_denied", "error=server_error", "", "code=x", "state=x", "code=x&state=%00"]
)
def test_answer_that_is_none_is_told(client: Client, row: IdentityProvider, query: str) -> None:
    answer = client.get(f"/sign-in/with/okta/back?{query}")
    assert answer.status_code in {302, 400}
    assert not is_in(client)


@pytest.mark.parametrize("place", ["//evil.example/", "https://evil.example/", "javascript:alert(1)"])
def test_no_sign_in_leads_elsewhere(
    client: Client, openid: OpenId, row: IdentityProvider, place: str
) -> None:
    openid.person |= TRUSTED
    assert go(client, next=place)["Location"] == reverse("portal:overview")


def test_sign_in_goes_on_to_where_one_wanted(client: Client, openid: OpenId, row: IdentityProvider) -> None:
    openid.person |= TRUSTED
    assert go(client, next="/team")["Location"] == "/team"


def test_whoever_is_switched_off_stays_out(client: Client, openid: OpenId, row: IdentityProvider) -> None:
    openid.person |= TRUSTED
    go(client)
    User.objects.update(is_active=False)
    other = Client()
    go(other)
    assert not is_in(other)


@pytest.mark.parametrize("slug", ["okta", "none"])
def test_provider_that_is_off_or_unknown_is_not_there(client: Client, openid: OpenId, slug: str) -> None:
    make_row(openid, is_active=False)
    assert client.post(f"/sign-in/with/{slug}").status_code == 404
    assert client.get(f"/sign-in/with/{slug}/back").status_code == 404
    assert "Sign in with Okta" not in client.get("/sign-in").content.decode()


def test_whoever_is_signed_in_connects_a_provider_and_nobody_elses(
    client: Client, openid: OpenId, row: IdentityProvider
) -> None:
    person = make_user("mary")
    give_password(client)
    answer = go(client, connect="1")
    assert (answer["Location"], SocialAccount.objects.get().user) == ("/account", person)
    by_provider = Client()
    go(by_provider)
    assert who(by_provider) == "mary"
    other = Client()
    make_user("eve")
    give_password(other, "eve")
    assert "somebody else" in said_after(other, go(other, connect="1"))
    assert SocialAccount.objects.get().user == person


def test_whoever_only_has_a_session_connects_nothing(
    client: Client, openid: OpenId, row: IdentityProvider
) -> None:
    person = make_user("mary")
    client.force_login(person)
    asked = client.post("/sign-in/with/okta", {"connect": "1"})
    assert asked["Location"].startswith("/sign-in/again?")
    assert not SocialAccount.objects.exists()
    away = client.post(asked["Location"], {"password": "password"})
    back = urlsplit(httpx.get(place_of(away)).headers["location"])
    client.get(f"{back.path}?{back.query}")
    assert SocialAccount.objects.get().user == person


def test_whoever_has_nothing_to_prove_it_with_signs_in_again_to_connect(
    client: Client, openid: OpenId, row: IdentityProvider
) -> None:
    person = make_user("mary")
    person.set_unusable_password()
    person.save()
    client.force_login(person)
    asked = client.post("/sign-in/with/okta", {"connect": "1"})
    assert "Sign out and in again" in said_after(client, asked)
    assert not SocialAccount.objects.exists()


def test_staff_are_known_by_what_they_connect_themselves(
    client: Client, openid: OpenId, row: IdentityProvider
) -> None:
    make_user("ada", email="ada@x.example", is_staff=True)
    openid.person |= TRUSTED
    go(client)
    assert who(client) != "ada"
    assert User.objects.filter(is_staff=True, email="ada@x.example").count() == 1


def test_new_person_who_comes_twice_at_once_is_made_once(
    client: Client, openid: OpenId, row: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other sign-in is done between our looking and our saving."""
    openid.person |= TRUSTED
    make = identity_providers.make_person

    def late(*arguments: Any) -> User:
        monkeypatch.setattr(identity_providers, "make_person", make)
        go(Client())
        return make(*arguments)

    monkeypatch.setattr(identity_providers, "make_person", late)
    answer = go(client)
    assert "twice at once" in said_after(client, answer)
    assert User.objects.count() == SocialAccount.objects.count()


@pytest.mark.parametrize(
    "claims", [{"exp": 10**400}, {"email": [1], "email_verified": {}}, {"groups": {"a": []}, "hasgroups": []}]
)
def test_claims_of_any_shape_are_no_fault_of_ours(
    client: Client, openid: OpenId, row: IdentityProvider, claims: Any
) -> None:
    ClaimRule.objects.create(provider=row, value="x", team=make_team("atlas"), role="member")
    openid.faults.claims = claims
    assert go(client)["Location"] == "/sign-in"


def test_user_info_that_is_a_list_is_no_fault_of_ours(
    client: Client, openid: OpenId, row: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    openid.person |= TRUSTED
    monkeypatch.setattr(sso.Adapter, "_fetch_user_info", lambda *_: [])
    assert "begun elsewhere" in said_after(client, go(client))


def test_rules_are_tried_on_claims_of_any_shape(client: Client, row: IdentityProvider) -> None:
    ClaimRule.objects.create(provider=row, value="x", team=make_team("atlas"), role="member")
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    page = reverse("admin:accounts_identityprovider_trial", args=[row.pk])
    assert client.post(page, {"claims": '{"hasgroups": []}'}).status_code == 200


def test_sign_ins_that_strangers_begin_leave_little_and_not_for_long(
    client: Client, row: IdentityProvider, openid: OpenId
) -> None:
    for _ in range(BEGINNINGS.free + 5):
        stranger = Client()
        answer = stranger.post("/sign-in/with/okta")
    assert "Too many sign-ins were begun" in said_after(stranger, answer)
    assert Session.objects.count() == BEGINNINGS.free + 1
    assert Client().get("/sign-in/passkey").status_code == 429
    soon = timezone.now() + timedelta(hours=1)
    assert not Session.objects.filter(expire_date__gt=soon).exists()
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert forget_sessions() == BEGINNINGS.free + 1
    assert not Session.objects.exists()


def test_session_of_whoever_signed_in_lives_as_long_as_others(
    client: Client, openid: OpenId, row: IdentityProvider
) -> None:
    openid.person |= TRUSTED
    go(client)
    assert client.session.get_expiry_age() == settings.SESSION_COOKIE_AGE
    assert UserSession.objects.count() == 1
    forget_sessions()
    assert is_in(client)


def test_providers_of_the_environment_are_rows_that_come_and_go(openid: OpenId) -> None:
    said = {
        "slug": "kc",
        "name": "Keycloak",
        "issuer": "https://kc.example",
        "client_id": "g",
        "client_secret": "s",
    }
    save_set([said])
    save_set([said | {"name": "Key"}])
    row = IdentityProvider.objects.get()
    assert (row.name, row.is_set, row.is_active, row.sealed_secret == "s") == ("Key", True, True, False)
    save_set([])
    row.refresh_from_db()
    assert not row.is_active


def test_client_secret_rests_sealed_and_in_no_page(
    client: Client, openid: OpenId, row: IdentityProvider
) -> None:
    assert SECRET not in row.sealed_secret
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    page = client.get(reverse("admin:accounts_identityprovider_change", args=[row.pk])).content.decode()
    assert SECRET not in page
    assert row.sealed_secret not in page


def test_rules_are_tried_on_a_pasted_token_and_nothing_changes(
    client: Client, openid: OpenId, row: IdentityProvider
) -> None:
    team = make_team("atlas")
    ClaimRule.objects.create(provider=row, value="llm-*", team=team, role="admin")
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    page = reverse("admin:accounts_identityprovider_trial", args=[row.pk])
    openid.person["groups"] = ["llm-leads", "<b>x</b>"]
    for text in (openid.token("n"), '{"groups": ["llm-leads", "<b>x</b>"]}'):
        shown = client.post(page, {"claims": text}).content.decode()
        assert f"admin of {team.name}" in shown
        assert "&lt;b&gt;x" in shown
    assert "too many" in client.post(page, {"claims": '{"hasgroups": true}'}).content.decode()
    for text in ("nonsense", "[1]", "{", "a.b.c"):
        assert "neither a token" in client.post(page, {"claims": text}).content.decode()
    assert Membership.objects.count() == 0


@pytest.mark.parametrize("member", ["issuer", "jwks_uri", "token_endpoint"])
def test_nothing_is_read_where_others_could_change_it(
    client: Client, openid: OpenId, row: IdentityProvider, settings: Any, member: str
) -> None:
    """Plain http, other than to a place that is named."""
    openid.person |= TRUSTED
    if member == "issuer":
        settings.IDENTITY_PRIVATE_ADDRESSES_ALLOWED = ["10.0.0.0/8"]
        assert refusal_of("http://idp.example/x?y=z")
        assert not refusal_of("https://idp.example/x?y=z")
        return
    go(Client())
    known_at, config = sso._discovered[row.issuer]
    sso._discovered[row.issuer] = (known_at, config | {member: "http://idp.example/x"})
    tokens.forget_keys()
    assert "does not answer as it should" in said_after(client, go(client))


def test_start_that_changes_nothing_saves_nothing() -> None:
    said = {
        "slug": "kc",
        "name": "KC",
        "issuer": "https://kc.example",
        "client_id": "g",
        "client_secret": "s",
    }
    save_set([said])
    before = IdentityProvider.objects.values().get()
    told = AuditEntry.objects.count()
    save_set([dict(said)])
    assert IdentityProvider.objects.values().get() == before
    assert AuditEntry.objects.count() == told
    save_set([said | {"client_secret": "t"}])
    changed = AuditEntry.objects.latest("id")
    assert (changed.event, set(changed.changes)) == ("identity_provider.secret_changed", {"sealed_secret"})
    IdentityProvider.objects.update(sealed_secret="not what any key opens")
    save_set([said])
    assert unseal(IdentityProvider.objects.get().sealed_secret) == b"s"
