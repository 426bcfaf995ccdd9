"""Invitations: the secret serves once, for a week, and is told to nobody else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone

from accounts.acting import Acting
from accounts.alerts.delivering import send_due
from accounts.alerts.spreading import spread_new
from accounts.invitations import accept, digest_of, invite, renew, withdraw
from accounts.memberships import give_role, suspend_member
from accounts.models import AuditEntry, Invitation, Membership, Team, User
from gateway.core.refusals import InvalidField, Refused
from tests.make import make_key, make_membership, make_team, make_user

pytestmark = pytest.mark.django_db
ANN = {"email": "Ann@Example.com", "role": "member"}


@pytest.fixture
def team() -> Team:
    return make_team("atlas", name="Atlas")


@pytest.fixture
def boss(team: Team) -> Acting:
    member = make_membership(team, make_user("boss", email="boss@example.com"), role="owner")
    return Acting(member.user, team, member, member.rights)


@pytest.fixture
def owner(boss: Acting) -> Client:
    client = Client()
    assert boss.person
    client.force_login(boss.person)
    return client


@pytest.fixture
def mails(settings: Any) -> None:
    settings.MAIL_IS_SET = True


def person(name: str) -> Client:
    client = Client()
    client.force_login(make_user(name))
    return client


def sent(client: Client, path: str, body: Any = None, method: str = "POST") -> Any:
    return client.generic(
        method, f"/v1/{path}", b"" if body is None else orjson.dumps(body), "application/json"
    )


def secret_of(answer: Any) -> str:
    link = str(answer.json()["link"])
    assert link.startswith("http://testserver/invitation#")
    return link.partition("#")[2]


def refused(digest: str) -> Refused:
    with pytest.raises(Refused) as caught:
        accept(digest=digest, person=make_user())
    return caught.value


def test_invited_person_joins_in_the_role_and_once(owner: Client, team: Team) -> None:
    made = sent(owner, "invitations", ANN)
    assert (made.status_code, made.json()["email"], made.json()["mail_sent"]) == (
        201,
        "ann@example.com",
        False,
    )
    ann, secret = person("ann"), secret_of(made)
    answer = sent(ann, "invitations/accept", {"secret": secret})
    assert (answer.status_code, answer.json()["role"], answer.json()["team"]) == (200, "member", "atlas")
    again = sent(person("bob"), "invitations/accept", {"secret": secret})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "invitation_over")
    told = owner.get("/v1/invitations").json()["data"]
    assert [(each["state"], each["accepted_by"]) for each in told] == [("accepted", "ann")]


def test_secret_is_kept_nowhere_and_in_no_audit(owner: Client, team: Team) -> None:
    secret = secret_of(sent(owner, "invitations", ANN))
    row = Invitation.objects.get()
    assert secret not in str(vars(row))
    assert not any(
        secret in str(each.changes) or row.digest in str(each.changes) for each in AuditEntry.objects.all()
    )
    assert secret not in owner.get("/v1/invitations").text
    assert secret not in owner.get("/team/members").text
    assert AuditEntry.objects.filter(event="invitation.created", team_id=team.pk).exists()


def test_mail_has_the_link_and_the_answer_has_not(owner: Client, mails: None) -> None:
    answer = sent(owner, "invitations", ANN)
    assert (answer.json()["mail_sent"], answer.json()["link"]) == (True, None)
    (message,) = mail.outbox
    assert message.to == ["ann@example.com"]
    assert "boss invites you to the team Atlas as a member." in str(message.body)
    secret = str(message.body).partition("/invitation#")[2].split()[0]
    assert digest_of(secret) == Invitation.objects.get().digest
    assert Invitation.objects.get().sent_at is not None


def test_link_is_handed_on_where_the_mail_is_not_taken(
    owner: Client, mails: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_message: EmailMessage) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr(EmailMessage, "send", refuse)
    answer = sent(owner, "invitations", ANN)
    assert (answer.status_code, answer.json()["mail_sent"]) == (201, False)
    assert secret_of(answer)


def test_same_words_again_are_the_same_and_other_words_are_told(owner: Client) -> None:
    first, again = sent(owner, "invitations", ANN), sent(owner, "invitations", ANN)
    assert (again.status_code, again.json()["id"], again.json()["link"]) == (200, first.json()["id"], None)
    other = sent(owner, "invitations", ANN | {"role": "viewer"})
    assert (other.status_code, other.json()["error"]["param"]) == (409, "role")
    assert Invitation.objects.count() == 1


def test_sent_again_it_has_another_secret_and_another_week(team: Team, boss: Acting) -> None:
    made, secret = invite(team=team, **ANN, by=boss)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refused(digest_of(secret)).message.startswith("This invitation has expired.")
    renewed, other = renew(invitation=made, by=boss)
    assert renewed.expires_at > timezone.now() + timedelta(days=6)
    assert refused(digest_of(secret)).code == "invitation_not_found"
    accept(digest=digest_of(other), person=make_user("ann"))
    with pytest.raises(Refused, match="accepted already"):
        renew(invitation=made, by=boss)


def test_withdrawn_one_opens_nothing_and_can_be_revived(team: Team, boss: Acting) -> None:
    made, secret = invite(team=team, **ANN, by=boss)
    withdraw(invitation=made, by=boss)
    assert (refused(digest_of(secret)).code, refused(digest_of(secret)).status) == ("invitation_over", 409)
    again, other = invite(team=team, **ANN, by=boss)
    assert again.pk == made.pk
    accept(digest=digest_of(other), person=make_user("ann"))


def test_invitation_of_somebody_who_may_not_invite_any_more_lets_nobody_in(team: Team) -> None:
    make_membership(team, role="owner")
    member = make_membership(team, role="owner")
    by = Acting(member.user, team, member, member.rights)
    _, owners = invite(team=team, email="a@example.com", role="owner", by=by)
    _, members = invite(team=team, email="b@example.com", role="member", by=by)
    give_role(team=team, person=member.user, role="admin")
    assert "any more" in refused(digest_of(owners)).message
    accept(digest=digest_of(members), person=make_user("ann"))
    _, last = invite(team=team, email="c@example.com", role="member", by=by)
    suspend_member(membership=member)
    assert "any more" in refused(digest_of(last)).message


def test_invitation_of_somebody_who_was_deleted_lets_nobody_in(team: Team, boss: Acting) -> None:
    _, secret = invite(team=team, email="a@example.com", role="owner", by=boss)
    User.objects.all().delete()
    assert "any more" in refused(digest_of(secret)).message


def test_who_is_there_already_keeps_the_higher_role(team: Team, boss: Acting) -> None:
    _, secret = invite(team=team, **ANN, by=boss)
    assert boss.person
    accept(digest=digest_of(secret), person=boss.person)
    assert Membership.objects.get(user=boss.person).role == "owner"
    _, secret = invite(team=team, email="d@example.com", role="admin", by=boss)
    viewer = make_membership(team, role="viewer")
    accept(digest=digest_of(secret), person=viewer.user)
    viewer.refresh_from_db()
    assert viewer.role == "admin"


def test_archived_team_is_joined_by_nobody(team: Team, boss: Acting) -> None:
    _, secret = invite(team=team, **ANN, by=boss)
    Team.objects.update(archived_at=timezone.now())
    assert "archived" in refused(digest_of(secret)).message


def test_address_of_one_of_the_team_is_told_and_of_a_stranger_nothing(owner: Client, team: Team) -> None:
    make_user("ann", email="ann@example.com", teams=[team])
    make_user("eve", email="eve@example.com")
    answer = sent(owner, "invitations", ANN)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "email")
    known, unknown = (
        sent(owner, "invitations", ANN | {"email": f"{name}@example.com"}).json()
        for name in ("eve", "nobody")
    )
    own = {"id", "email", "link", "created_at", "expires_at"}
    assert {k: v for k, v in known.items() if k not in own} == {
        k: v for k, v in unknown.items() if k not in own
    }


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"role": "member"}, "email"),
        ({"email": "nobody", "role": "member"}, "email"),
        ({"email": "a@b.example", "role": "boss"}, "role"),
        ({"email": "a@b.example", "role": "member", "team": "x"}, "team"),
        ({"email": "a\n@b.example", "role": "member"}, "email"),
    ],
)
def test_invitation_that_cannot_be_is_refused_at_its_field(owner: Client, body: Any, param: str) -> None:
    answer = sent(owner, "invitations", body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert not Invitation.objects.exists()


def test_admin_invites_no_owner(team: Team) -> None:
    client = Client()
    client.force_login(make_user(teams=[team], role="admin"))
    answer = sent(client, "invitations", ANN | {"role": "owner"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "owner_required")


def test_management_key_neither_invites_nor_changes_members(call: Any, team: Team) -> None:
    member = make_membership(team, role="owner")
    for key in (
        make_key(team, scope="management")[1],
        make_key(team, scope="management", owner=member.user)[1],
    ):
        asked = [
            call("POST", "/v1/invitations", key, ANN),
            call("GET", "/v1/invitations", key),
            call("PATCH", f"/v1/members/{member.pk}", key, {"role": "admin"}),
            call("DELETE", f"/v1/members/{make_membership(team).pk}", key),
        ]
        assert {(each.status_code, each.json()["error"]["code"]) for each in asked} == {
            (403, "person_required")
        }


def test_too_many_invitations_within_a_day_are_refused(
    team: Team, boss: Acting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.invitations.MOST_A_DAY", 1)
    invite(team=team, **ANN, by=boss)
    with pytest.raises(Refused) as caught:
        invite(team=team, email="b@example.com", role="member", by=boss)
    assert caught.value.status == 429
    with pytest.raises(InvalidField):
        invite(team=team, email="no address", role="member", by=boss)


@pytest.mark.django_db(transaction=True)
def test_invitation_used_twice_at_once_lets_one_in(
    team: Team, boss: Acting, at_once: Callable[..., list[Any]]
) -> None:
    _, secret = invite(team=team, **ANN, by=boss)
    people = [make_user() for _ in range(4)]

    def go(who: Any) -> str:
        try:
            accept(digest=digest_of(secret), person=who)
        except Refused as caught:
            return f"{caught.status} {caught.code}"
        return "in"

    told = at_once(*[lambda who=who: go(who) for who in people])
    assert sorted(told) == ["409 invitation_over"] * 3 + ["in"]
    assert team.memberships.count() == 2


def test_inviter_is_told_who_joined(boss: Acting, team: Team) -> None:
    invitation, _ = invite(team=team, email="ann@example.com", role="member", by=boss)
    accept(digest=invitation.digest, person=make_user("ann"))
    spread_new(at=timezone.now())
    send_due(at=timezone.now())
    assert [(letter.to, letter.subject) for letter in mail.outbox] == [
        (["boss@example.com"], "ann joined Atlas")
    ]
    assert "Invited as: ann@example.com" in str(mail.outbox[0].body)
