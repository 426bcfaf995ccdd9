"""The pages of who belongs to a team: roles, invitations, leaving, keys left behind."""

import re
from html import unescape
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from accounts.guesses import INVITATIONS_TO
from accounts.memberships import give_role, suspend_member
from accounts.models import Invitation, Key, Membership, Team, User
from tests.make import make_key, make_membership, make_team, make_user
from tests.pages import MOST_QUERIES

pytestmark = pytest.mark.django_db
_PASSWORDS = ("password1", "password2")


@pytest.fixture
def team() -> Team:
    return make_team("atlas", name="Atlas")


@pytest.fixture
def owner(client: Client, team: Team) -> Client:
    client.force_login(make_user("boss", teams=[team], role="owner"))
    return client


@pytest.fixture
def mary(team: Team) -> Membership:
    return make_membership(team, make_user("mary", email="mary@example.com"))


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def invited(owner: Client, email: str = "ann@example.com", role: str = "member") -> str:
    """The secret of the link that is shown."""
    page = owner.post("/team/invitations", {"invitation-email": email, "invitation-role": role}).text
    return re.findall(r"http://testserver/invitation#([\w-]+)", page)[0]


def test_members_are_listed_with_role_and_reason_and_those_who_left_too(
    owner: Client, mary: Membership, team: Team
) -> None:
    give_role(team=team, person=mary.user, role="admin", source="sso", origin="1")
    page = owner.get("/team/members").text
    assert "Single sign-on" in page
    assert "mary@example.com" in page
    suspend_member(membership=mary)
    page = owner.get("/team/members").text
    assert '<span class="chip neutral">left</span>' in page


def test_member_sees_whom_and_no_addresses_nor_forms(mary: Membership, owner: Client, team: Team) -> None:
    page = signed_in(mary.user).get("/team/members").text
    assert "boss" in page
    assert "mary@example.com" not in page
    assert 'id="invite"' not in page
    assert f"/team/members/{mary.pk}/role" not in signed_in(mary.user).get(f"/team/members/{mary.pk}").text


def test_role_is_changed_on_the_page_of_whom_it_is(owner: Client, mary: Membership) -> None:
    page = owner.post(f"/team/members/{mary.pk}/role", {"role": "viewer"}, follow=True).text
    assert "mary is now viewer of Atlas." in page
    mary.refresh_from_db()
    assert mary.role == "viewer"


def test_role_that_an_identity_provider_says_stays_the_higher_one(
    owner: Client, mary: Membership, team: Team
) -> None:
    give_role(team=team, person=mary.user, role="admin", source="sso", origin="1")
    page = owner.post(f"/team/members/{mary.pk}/role", {"role": "viewer"}, follow=True).text
    assert "mary is now admin of Atlas: an identity provider or a request says more." in page


@pytest.mark.parametrize("role", ["", "boss", "owner\0"])
def test_role_that_is_none_changes_nothing(owner: Client, mary: Membership, role: str) -> None:
    assert (
        "no role that you may give"
        in owner.post(f"/team/members/{mary.pk}/role", {"role": role}, follow=True).text
    )
    mary.refresh_from_db()
    assert mary.role == "member"


def test_admin_sees_no_form_for_owners_and_gives_no_such_role(team: Team, mary: Membership) -> None:
    admin = signed_in(make_user("ada", teams=[team], role="admin"))
    boss = make_membership(team, role="owner")
    make_membership(team, role="owner")
    assert 'id="role"' not in admin.get(f"/team/members/{boss.pk}").text
    assert (
        "no role that you" in admin.post(f"/team/members/{mary.pk}/role", {"role": "owner"}, follow=True).text
    )
    page = admin.post(f"/team/members/{boss.pk}/role", {"role": "viewer"}, follow=True).text
    assert "Only an owner of Atlas makes or unmakes its owners." in unescape(page)
    boss.refresh_from_db()
    assert boss.role == "owner"


def test_taking_somebody_out_asks_what_becomes_of_their_keys(
    owner: Client, mary: Membership, team: Team
) -> None:
    key, _ = make_key(team, "nightly", owner=mary.user)
    page = owner.get(f"/team/members/{mary.pk}/suspend").text
    assert "1 key of theirs" in page
    assert key.public_id in page
    assert "This field is required." in owner.post(f"/team/members/{mary.pk}/suspend").text
    mary.refresh_from_db()
    assert mary.is_active
    owner.post(f"/team/members/{mary.pk}/suspend", {"keys": "revoke"})
    mary.refresh_from_db()
    assert not mary.is_active
    assert Key.objects.get().revoked_at is not None


def test_who_comes_by_an_identity_provider_may_come_back_and_the_page_says_so(
    owner: Client, mary: Membership, team: Team
) -> None:
    assert "may bring them back" not in owner.get(f"/team/members/{mary.pk}/suspend").text
    give_role(team=team, person=mary.user, role="member", source="scim", origin="1")
    assert "may bring them back" in owner.get(f"/team/members/{mary.pk}/suspend").text


def test_leaving_hands_keys_over_and_shows_nothing_any_more(
    owner: Client, mary: Membership, team: Team
) -> None:
    make_key(team, owner=mary.user)
    client = signed_in(mary.user)
    boss = Membership.objects.get(user__username="boss").user
    page = client.post("/team/leave", {"keys": f"member:{boss.pk}"}, follow=True).text
    assert "You have left Atlas." in page
    assert Key.objects.get().owner == boss
    assert client.get("/team").status_code == 404
    assert client.get("/team/members").status_code == 404


def test_last_owner_is_told_why_they_cannot_leave(owner: Client) -> None:
    assert "would have no owner any more" in owner.post("/team/leave").text
    assert Membership.objects.get().is_active


def test_keys_left_behind_wait_until_somebody_decides(owner: Client, mary: Membership, team: Team) -> None:
    kept, _ = make_key(team, "kept", owner=mary.user)
    ended, _ = make_key(team, "ended", owner=mary.user)
    assert "left behind" not in owner.get("/team/members").text
    suspend_member(membership=mary)
    assert "2 keys belong to people who left" in owner.get("/team/members").text
    assert "nightly" not in owner.get("/team/left-behind").text
    boss = Membership.objects.get(user__username="boss").user
    assert (
        "Say what becomes of the key"
        in owner.post("/team/left-behind", {"key": kept.public_id, "keys": ""}).text
    )
    page = owner.post(
        "/team/left-behind", {"key": kept.public_id, "keys": f"member:{boss.pk}"}, follow=True
    ).text
    assert "mary may know it still: rotate it on its page" in page
    assert "known to <bdi>mary</bdi>" in owner.get("/keys").text
    assert "who may know it still" in owner.get(f"/keys/{kept.public_id}").text
    assert 'value="0" selected' in owner.get(f"/keys/{kept.public_id}/rotate").text
    asks = owner.post("/team/left-behind", {"key": ended.public_id, "keys": "revoke"})
    assert "cannot be brought back" in owner.get(asks["location"]).text
    assert Key.objects.get(name="ended").revoked_at is None
    after = owner.post(asks["location"], follow=True)
    assert after.redirect_chain[-1][0].startswith("/team/left-behind")
    assert Key.objects.get(name="kept").owner == boss
    assert Key.objects.get(name="ended").revoked_at is not None
    assert "None: every key here" in owner.get("/team/left-behind").text
    assert owner.post("/team/left-behind", {"key": kept.public_id, "keys": "team"}).status_code == 404
    assert owner.post("/team/left-behind", {"key": "\0", "keys": "team"}).status_code == 404


def test_link_is_shown_once_and_leads_in(owner: Client, team: Team) -> None:
    secret = invited(owner)
    assert secret not in owner.get("/team/members").text
    ann = make_user("ann", email="other@example.com")
    client = signed_in(ann)
    page = client.post("/invitation", {"form": "secret", "secret": secret}, follow=True).text
    assert "Join Atlas?" in page
    assert "It was sent to ann@example.com, and you are signed in as ann." in page
    page = client.post("/invitation", {"form": "accept"}, follow=True).text
    assert "You belong to Atlas now, as member." in page
    assert Membership.objects.get(user=ann).role == "member"


def test_mailed_invitation_shows_no_link(owner: Client, settings: Any) -> None:
    settings.MAIL_IS_SET = True
    page = owner.post(
        "/team/invitations",
        {"invitation-email": "ann@example.com", "invitation-role": "member"},
        follow=True,
    ).text
    assert "The invitation is on its way to ann@example.com." in page
    assert "invitation#" not in page
    assert "/invitation#" in str(mail.outbox[0].body)


def test_secret_survives_a_sign_in(owner: Client, team: Team) -> None:
    secret, client = invited(owner), Client()
    make_user("ann")
    page = client.post("/invitation", {"form": "secret", "secret": secret}, follow=True).text
    assert "/sign-in?next=/invitation" in page
    page = client.post(
        "/sign-in?next=/invitation", {"username": "ann", "password": "password"}, follow=True
    ).text
    assert "Join Atlas as ann" in page


def test_session_has_the_secret_nowhere(owner: Client) -> None:
    secret, client = invited(owner), Client()
    client.post("/invitation", {"form": "secret", "secret": secret})
    assert secret not in str(dict(client.session))


def test_account_is_made_and_joins_at_once(owner: Client, team: Team) -> None:
    secret, client = invited(owner), Client()
    client.post("/invitation", {"form": "secret", "secret": secret})
    typed = {
        "form": "new",
        "username": "ann",
        "password1": "a long enough one 9",
        "password2": "a long enough one 9",
    }
    page = client.post("/invitation", typed, follow=True).text
    assert "Atlas" in page
    ann = User.objects.get(username="ann")
    assert Membership.objects.get(user=ann).role == "member"
    assert client.get("/team").status_code == 200


@pytest.mark.parametrize(
    ("is_mailed", "knows_another", "email"),
    [(True, False, "ann@example.com"), (False, False, ""), (True, True, "")],
)
def test_address_of_an_invitation_is_whose_mail_told_the_secret_and_nobody_elses(
    owner: Client, settings: Any, is_mailed: bool, knows_another: bool, email: str
) -> None:
    settings.MAIL_IS_SET = True
    typed = {"invitation-email": "ann@example.com", "invitation-role": "member"}
    page = owner.post("/team/invitations", typed | ({} if is_mailed else {"invitation-hands_on": "on"})).text
    secret = re.findall(r"/invitation#([\w-]+)", str(mail.outbox[0].body) if is_mailed else page)[0]
    if knows_another:
        make_user("anna", email="Ann@example.com")
    client = Client()
    client.post("/invitation", {"form": "secret", "secret": secret})
    client.post(
        "/invitation", {"form": "new", "username": "eve"} | dict.fromkeys(_PASSWORDS, "long enough 9x")
    )
    eve = User.objects.get(username="eve")
    assert (eve.email, Membership.objects.get(user=eve).role) == (email, "member")


@pytest.mark.parametrize("name", ["ceo@example.com", "BOSS"])
def test_nobody_takes_a_name_that_reads_as_somebody_elses(owner: Client, name: str) -> None:
    secret, client = invited(owner), Client()
    client.post("/invitation", {"form": "secret", "secret": secret})
    client.post(
        "/invitation", {"form": "new", "username": name} | dict.fromkeys(_PASSWORDS, "long enough 9x")
    )
    assert not User.objects.filter(username=name).exists()


def test_invitations_fill_nobodys_mailbox(owner: Client, settings: Any) -> None:
    settings.MAIL_IS_SET = True
    typed = {"invitation-email": "ann@example.com", "invitation-role": "member"}
    for _ in range(INVITATIONS_TO.free + 1):
        owner.post("/team/invitations", typed)
    page = owner.post("/team/invitations", typed).text
    assert len(mail.outbox) == INVITATIONS_TO.free + 1
    assert "http://testserver/invitation#" in page


def test_account_is_made_only_with_an_invitation_that_is_open(owner: Client, team: Team) -> None:
    secret, client = invited(owner), Client()
    client.post("/invitation", {"form": "secret", "secret": secret})
    owner.post(f"/team/invitations/{Invitation.objects.get().pk}/withdraw")
    typed = {
        "form": "new",
        "username": "ann",
        "password1": "a long enough one 9",
        "password2": "a long enough one 9",
    }
    answer = client.post("/invitation", typed)
    assert (answer.status_code, "was withdrawn" in answer.text) == (409, True)
    assert not User.objects.filter(username="ann").exists()
    assert Client().post("/invitation", typed).status_code == 200
    assert not User.objects.filter(username="ann").exists()


def test_no_account_is_made_where_passwords_are_off(owner: Client, settings: Any) -> None:
    secret, client = invited(owner), Client()
    settings.LOCAL_PASSWORDS = False
    page = client.post("/invitation", {"form": "secret", "secret": secret}, follow=True).text
    assert "make an account" not in page
    typed = {
        "form": "new",
        "username": "ann",
        "password1": "a long enough one 9",
        "password2": "a long enough one 9",
    }
    client.post("/invitation", typed)
    assert not User.objects.filter(username="ann").exists()


@pytest.mark.parametrize("secret", ["nobodys", "", "x" * 101, "a\0b"])
def test_wrong_secret_is_told_alike(client: Client, secret: str) -> None:
    answer = client.post("/invitation", {"form": "secret", "secret": secret})
    assert answer.status_code == 200
    assert 'id="id_secret_error"' in answer.text


def test_who_guesses_links_waits(client: Client) -> None:
    for _ in range(12):
        answer = client.post("/invitation", {"form": "secret", "secret": "nobodys"})
    assert "Too many wrong links came from your address" in answer.text


def test_invitation_is_sent_again_and_withdrawn_on_the_page(owner: Client) -> None:
    former = invited(owner)
    made = Invitation.objects.get()
    page = owner.post(f"/team/invitations/{made.pk}/renew").text
    (secret,) = set(re.findall(r"/invitation#([\w-]+)", page))
    assert secret != former
    assert "opens nothing any more" in owner.get(f"/team/invitations/{made.pk}/withdraw").text
    assert Invitation.objects.get().state == "open"
    page = owner.post(f"/team/invitations/{made.pk}/withdraw", follow=True).text
    assert "is withdrawn: its link opens nothing." in page
    assert ">withdrawn</span>" in page


def test_invitation_that_cannot_be_is_refused_at_its_field(owner: Client, mary: Membership) -> None:
    page = owner.post(
        "/team/invitations", {"invitation-email": "Mary@Example.com", "invitation-role": "member"}
    ).text
    assert "This is mary, who belongs to Atlas" in page
    assert 'id="id_invitation-email_error"' in page
    assert not Invitation.objects.exists()


def test_page_asks_as_many_queries_for_many_members_as_for_few(
    owner: Client, team: Team, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        make_membership(team)
    owner.get("/team/members")
    with django_assert_max_num_queries(MOST_QUERIES):
        owner.get("/team/members")
