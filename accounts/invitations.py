"""Invitations to teams: made and mailed, made anew, withdrawn and accepted, each once however many try at once.

The secret is the proof: whoever shows it may join, with whatever account. So it is told to nobody but the mail, or to
the inviter where no mail goes out, and travels in bodies of requests.
"""

import hashlib
import logging
import secrets
import smtplib
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from accounts import guesses
from accounts.acting import Acting
from accounts.alerts.raising import raise_alert
from accounts.mail.message import Button, Message
from accounts.mail.sending import send
from accounts.memberships import check_may_give, give_role, read_role
from accounts.models import Invitation, Membership, Team, User
from accounts.people import is_address_taken
from accounts.revision import Part, take_revision
from accounts.rights import RANK, Right, Role
from gateway.core.lines import as_one_line, is_one_line
from gateway.core.reader import Reader, zone_named
from gateway.core.refusals import InvalidField, Refused

LIFE = timedelta(days=7)
MOST_A_DAY = 200
_NAME_SHOWN = 80
"""Of names that people typed, in a mail to somebody who does not know us."""
_log = logging.getLogger(__name__)
_OVER = {
    Invitation.State.ACCEPTED: "This invitation was accepted already: it serves once.",
    Invitation.State.WITHDRAWN: "This invitation was withdrawn.",
    Invitation.State.EXPIRED: "This invitation has expired.",
}


@transaction.atomic
def invite(*, team: Team, email: str, role: str, by: Acting) -> tuple[Invitation, str]:
    """One for that address, with its secret; one that was not accepted is made anew. Raises InvalidField, Refused."""
    email, role = read_email(email), read_role(role)
    take_revision(Part.KEYS)
    check_may_give(by, role)
    _check_not_here(team, email)
    found = team.invitations.filter(email=email, accepted_at__isnull=True).first()
    if found is None:
        _check_not_too_many(team)
        found = Invitation(team=team, email=email)
    found.role = role.value
    return _renewed(found, by)


@transaction.atomic
def renew(*, invitation: Invitation, by: Acting) -> tuple[Invitation, str]:
    """The same with another secret and another week, also one that expired or was withdrawn. Raises Refused."""
    take_revision(Part.KEYS)
    invitation.refresh_from_db()
    check_may_give(by, read_role(invitation.role))
    if invitation.accepted_at is not None:
        raise Refused("invitation_over", _OVER[Invitation.State.ACCEPTED])
    return _renewed(invitation, by)


@transaction.atomic
def withdraw(*, invitation: Invitation, by: Acting | None) -> Invitation:
    """Its secret opens nothing any more. Doing it again changes nothing. `by`: None for staff. Raises Refused."""
    take_revision(Part.KEYS)
    invitation.refresh_from_db()
    if by is not None:
        by.check(Right.MEMBERS)
    if invitation.accepted_at is not None:
        raise Refused("invitation_over", _OVER[Invitation.State.ACCEPTED])
    if invitation.withdrawn_at is None:
        invitation.withdrawn_at = timezone.now()
        invitation.save(update_fields=["withdrawn_at"])
    return invitation


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def find_open(digest: str) -> Invitation:
    """The one that may be accepted now. Raises Refused."""
    found = Invitation.objects.select_related("team", "invited_by").filter(digest=digest).first()
    if found is None:
        message = (
            "This is no invitation, or it was made anew and another link is valid now. Ask for it again."
        )
        raise Refused("invitation_not_found", message, status=404)
    state = found.state
    if state is not Invitation.State.OPEN:
        why = _OVER[state]
        raise Refused(
            "invitation_over", why if state == Invitation.State.ACCEPTED else f"{why} Ask for another."
        )
    if found.team.archived_at is not None:
        raise Refused("invitation_over", f"{found.team.name} is archived: nobody joins it any more.")
    _check_inviter(found)
    return found


@transaction.atomic
def accept(*, digest: str, person: User) -> Membership:
    """Let the person in, once. Who is there already keeps a higher role. Raises Refused."""
    take_revision(Part.KEYS)
    invitation = find_open(digest)
    invitation.accepted_at, invitation.accepted_by = timezone.now(), person
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    _tell_inviter(invitation, person)
    there = invitation.team.memberships.active().filter(user=person).first()
    if there is not None and RANK[Role(there.role)] >= RANK[Role(invitation.role)]:
        return there
    return give_role(team=invitation.team, person=person, role=invitation.role)


def mail(invitation: Invitation, link: str) -> bool:
    """Send the link to whom it is for. False where no mail is set up or it was not taken: somebody hands it on.

    So they do where that address was sent several already: nobody's mailbox is filled from here.
    """
    if not settings.MAIL_IS_SET or guesses.here.counter.take(
        guesses.invitations_to(invitation.email), guesses.INVITATIONS_TO
    ):
        return False
    try:
        send(_letter(invitation, link), [invitation.email])
    except (OSError, smtplib.SMTPException) as error:
        _log.warning("An invitation was not mailed: %s", type(error).__name__)
        return False
    invitation.sent_at = timezone.now()
    invitation.save(update_fields=["sent_at"])
    return True


def _letter(invitation: Invitation, link: str) -> Message:
    who = _cut(str(invitation.invited_by)) if invitation.invited_by else "Somebody"
    team = _cut(invitation.team.name)
    until = Reader(zone_named(invitation.team.time_zone)).write_instant(invitation.expires_at)
    return Message(
        kind="invitation",
        subject=f"An invitation to {team}",
        parts=(
            f"{who} invites you to the team {team} as {_a(invitation.role)}. Join until {until}.",
            "The link opens the team to whoever has it, once. If you do not know what this is, do nothing.",
        ),
        button=Button("Join the team", link),
        why=f"You get this because {who} typed this address into Gatehouse.",
        stop="It is sent once for each invitation, and an address gets a few in an hour at most.",
    )


def _cut(name: str) -> str:
    line = as_one_line(name)
    return line if len(line) <= _NAME_SHOWN else f"{line[: _NAME_SHOWN - 1]}…"


def proves_address(invitation: Invitation) -> bool:
    """Whether whoever has the secret reads mail to that address, which nobody else here has."""
    return invitation.sent_at is not None and not is_address_taken(invitation.email)


def read_email(text: str) -> str:
    """In small letters. Raises InvalidField."""
    email = text.strip().casefold()
    try:
        validate_email(email)
    except ValidationError:
        raise InvalidField("email", "email is no e-mail address.") from None
    if len(email) > 254 or not is_one_line(email):
        raise InvalidField("email", "email is no e-mail address.")
    return email


def _renewed(invitation: Invitation, by: Acting) -> tuple[Invitation, str]:
    secret = secrets.token_urlsafe(32)
    invitation.digest, invitation.invited_by = digest_of(secret), by.person
    invitation.expires_at, invitation.withdrawn_at, invitation.sent_at = timezone.now() + LIFE, None, None
    invitation.save()
    return invitation, secret


def _tell_inviter(invitation: Invitation, person: User) -> None:
    data = {
        "who": as_one_line(str(person)),
        "email": invitation.email,
        "team_name": as_one_line(invitation.team.name),
        "role": invitation.role,
    }
    people = [invitation.invited_by_id] if invitation.invited_by_id else []
    cause = f"invitation:{invitation.pk}"
    raise_alert("invitation.accepted", cause=cause, team=invitation.team, people=people, data=data)


def _check_not_here(team: Team, email: str) -> None:
    """Of the team's own people alone, whom the inviter sees anyway: of others nothing is told."""
    there = team.memberships.active().filter(user__email__iexact=email).select_related("user").first()
    if there is not None:
        raise InvalidField(
            "email", f"This is {there.user}, who belongs to {team.name}: change their role there."
        )


def _check_not_too_many(team: Team) -> None:
    since = timezone.now() - timedelta(days=1)
    if team.invitations.filter(created_at__gt=since).count() >= MOST_A_DAY:
        message = f"{team.name} has invited {MOST_A_DAY} people within a day: go on tomorrow."
        raise Refused("too_many_invitations", message, status=429)


def _check_inviter(invitation: Invitation) -> None:
    """Who may not invite any more has let nobody in by what they left behind. Raises Refused."""
    right = Right.OWNERS if invitation.role == Role.OWNER else Right.MEMBERS
    inviting = invitation.team.memberships.with_right(right).filter(user__is_active=True)
    # Nobody is left of somebody who was deleted.
    if not inviting.filter(user=invitation.invited_by_id).exists():
        message = (
            f"Who invited you may not do so in {invitation.team.name} any more: ask for another invitation."
        )
        raise Refused("invitation_over", message)


def _a(role: str) -> str:
    return f"an {role}" if role[0] in "ao" else f"a {role}"
