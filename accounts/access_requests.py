"""Access requests: asked, decided, withdrawn and ended, each once however many try at once."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import access_grants
from accounts.access_desks import DECIDE, NEEDED, may_decide, may_grant
from accounts.access_news import tell_decided, tell_ended, tell_opened
from accounts.access_terms import (
    check_text,
    check_until,
    describe,
    fingerprint_of,
    needs_second,
    read_asked,
)
from accounts.acting import Acting
from accounts.memberships import check_owner_left
from accounts.models import AccessRequest, Membership, Team, User
from accounts.revision import Part, take_revision
from accounts.rights import Right
from gateway.core.lines import as_one_line
from gateway.core.refusals import InvalidField, Refused

Kind, State, Decider = AccessRequest.Kind, AccessRequest.State, AccessRequest.Decider
AS_ASKED: Literal["as asked"] = "as asked"
MOST_OPEN = 50
"""Of one person in one team."""


def ask(
    *, kind: str, asked: Mapping[str, Any], reason: str, until: datetime | None = None, by: Acting
) -> tuple[AccessRequest, bool]:
    """For the person who acts; and whether it is new: of the same thing they have one open at most.

    Raises InvalidField, Refused.
    """
    by.check(Right.ASK)
    person = _person(by)
    terms, team = read_asked(kind, asked), by.team
    reason = check_text("reason", reason, is_needed=True)
    check_until(until, timezone.now())
    fingerprint = fingerprint_of(team.pk, kind, terms)
    same = AccessRequest.objects.filter(person=person, fingerprint=fingerprint, state=State.OPEN)
    if (found := same.first()) is not None:
        return _the_same(found, reason, until), False
    is_teams = access_grants.weigh(team, person, kind, terms)
    if team.access_requests.filter(person=person, state=State.OPEN).count() >= MOST_OPEN:
        message = f"You have {MOST_OPEN} open requests here: wait for an answer, or withdraw some."
        raise Refused("too_many_requests_open", message, status=429)
    made = AccessRequest(
        team=team,
        person=person,
        kind=kind,
        asked=terms,
        summary=as_one_line(describe(kind, terms))[:300],
        fingerprint=fingerprint,
        reason=reason,
        until=until,
        decider=Decider.TEAM if is_teams else Decider.STAFF,
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
            tell_opened(made)
    except IntegrityError:
        if (found := same.first()) is None:
            raise
        return _the_same(found, reason, until), False
    return made, True


@transaction.atomic
def decide(
    *,
    request: AccessRequest,
    grants: bool,
    by: Acting | User,
    note: str = "",
    until: datetime | Literal["as asked"] | None = AS_ASKED,
) -> AccessRequest:
    """Grant or decline, once. `by` is who of the team does, or one of staff.

    A raise that one of staff may not give alone stays open after the first, for another one.
    Raises InvalidField, Refused.
    """
    take_revision(Part.KEYS)
    request.refresh_from_db()
    note = check_text("note", note, is_needed=False)
    person = _person(by) if isinstance(by, Acting) else by
    _check_may_decide(request, by, person)
    _check_open(request)
    if not grants:
        return _decided(request, State.DECLINED, person, note)
    _check_still_there(request)
    if not isinstance(by, Acting):
        _check_may_change(request, by)
    ends = request.until if until == AS_ASKED else until
    check_until(ends, timezone.now())
    request.until = ends
    if not isinstance(by, Acting) and _awaits_second(request, by):
        request.note = note
        request.save(update_fields=["endorsed_by", "until", "note"])
        tell_opened(request)
        return request
    team_acting = by if isinstance(by, Acting) else None
    request.applied = access_grants.apply(request, until=ends, by=team_acting)
    return _decided(request, State.GRANTED, person, note)


@transaction.atomic
def withdraw(*, request: AccessRequest, person: User) -> AccessRequest:
    """By whoever asked. Doing it again changes nothing. Raises Refused."""
    take_revision(Part.KEYS)
    request.refresh_from_db()
    if request.person_id != person.pk:
        raise Refused("own_request_only", "Only who asked withdraws a request: decline it.", status=403)
    if request.state != State.WITHDRAWN:
        _check_open(request)
        request.state = State.WITHDRAWN
        request.save(update_fields=["state"])
    return request


@transaction.atomic
def end(*, request: AccessRequest, by: Acting | User) -> AccessRequest:
    """Take back now what was granted. Doing it again changes nothing. Raises Refused."""
    take_revision(Part.KEYS)
    request.refresh_from_db()
    person = _person(by) if isinstance(by, Acting) else by
    if person.pk != request.person_id:
        _check_may_decide(request, by, person)
    if request.state == State.ENDED:
        return request
    if request.state != State.GRANTED:
        raise Refused("request_over", "This request was not granted: there is nothing to end.")
    held = Membership.objects.active().filter(team=request.team_id, user=request.person_id).first()
    ended = _ended(request)
    if request.kind == Kind.ROLE and held is not None:
        check_owner_left(held.team, held.role)
    return ended


def end_due(at: datetime) -> int:
    """End what was granted until now. Returns how many."""
    due = AccessRequest.objects.filter(state=State.GRANTED, until__lte=at)
    return sum(_end_due(pk) for pk in list(due.values_list("pk", flat=True)[:500]))


@transaction.atomic
def ask_second(
    *, budget: Any, changes: Mapping[str, Any], reason: str, person: User
) -> tuple[AccessRequest, bool]:
    """What one of staff would change of a budget and may not alone, as a request for another one."""
    asked = {"budget": budget.pk, "changes": {name: _text(value) for name, value in changes.items()}}
    team = getattr(budget.subject_row, "team", budget.subject_row) if not budget.is_operators else None
    fingerprint = fingerprint_of(None, Kind.STAFF_BUDGET, asked)
    found = AccessRequest.objects.filter(person=person, fingerprint=fingerprint, state=State.OPEN).first()
    if found is not None:
        return found, False
    said = ", ".join(f"{name}: {_text(value)}" for name, value in changes.items())
    made = AccessRequest.objects.create(
        team=team if isinstance(team, Team) else None,
        person=person,
        kind=Kind.STAFF_BUDGET,
        asked=asked,
        summary=as_one_line(f"{budget} ({said})")[:300],
        fingerprint=fingerprint,
        reason=reason,
        decider=Decider.STAFF,
        endorsed_by=person,
    )
    tell_opened(made)
    return made, True


def _person(by: Acting) -> User:
    """Raises Refused where a key acts."""
    if by.person is None:
        raise by.refusal(Right.ASK)
    return by.person


def _the_same(found: AccessRequest, reason: str, until: datetime | None) -> AccessRequest:
    if (found.reason, found.until) != (reason, until):
        message = f"You have an open request for this, in other words: withdraw '{found.public_id}' first."
        raise Refused("already_exists", message)
    return found


def _check_may_decide(request: AccessRequest, by: Acting | User, person: User) -> None:
    if isinstance(by, Acting):
        by.check(Right.DECIDE)
        if by.team.pk != request.team_id or request.kind == Kind.STAFF_BUDGET:
            raise Refused("not_found", "There is no such request in this team.", status=404)
        if request.decider == Decider.STAFF:
            message = "It goes beyond what this team may give: staff decide it."
            raise Refused("staff_required", message, status=403)
    elif not may_decide(by, request):
        message = f"To decide this you need {DECIDE}, or the right of the desk whose it is."
        raise Refused("permission_required", message, status=403)
    if request.person_id == person.pk:
        raise Refused("own_request", "Nobody decides their own request: another person does.", status=403)


def _check_may_change(request: AccessRequest, person: User) -> None:
    if not may_grant(person, request):
        message = f"To grant this you need {NEEDED[request.kind]}."
        raise Refused("permission_required", message, status=403)


def _check_open(request: AccessRequest) -> None:
    if request.state != State.OPEN:
        raise Refused("request_over", f"This request is {State(request.state).label.lower()} already.")


def _check_still_there(request: AccessRequest) -> None:
    if request.kind == Kind.STAFF_BUDGET:
        is_there = request.person.is_active and request.person.is_staff
    else:
        members = AccessRequest.objects.filter(
            pk=request.pk,
            team__memberships__user=request.person_id,
            team__memberships__suspended_at__isnull=True,
        )
        is_there = request.person.is_active and members.exists()
    if not is_there:
        raise Refused("person_left", f"{request.person} does not belong here any more: decline the request.")
    if request.team is not None and request.team.archived_at is not None:
        raise Refused("team_archived", f"{request.team.name} is archived: decline the request.")


def _awaits_second(request: AccessRequest, by: User) -> bool:
    """Note the first of two; False where `by` is enough. Raises Refused where the first comes again."""
    if request.kind != Kind.BUDGET or not needs_second(
        Decimal(request.asked["raise_usd"]), settings.RAISE_ALONE_MOST_USD
    ):
        return False
    if request.endorsed_by_id is None:
        request.endorsed_by = by
        return True
    if request.endorsed_by_id == by.pk:
        message = "You granted this already, and it needs a second person."
        raise Refused("second_person_required", message)
    return False


def _decided(request: AccessRequest, state: AccessRequest.State, person: User, note: str) -> AccessRequest:
    request.state, request.decided_by, request.note = state, person, note
    request.decided_at = timezone.now()
    request.save()
    tell_decided(request)
    return request


@transaction.atomic
def _end_due(pk: int) -> bool:
    take_revision(Part.KEYS)
    request = AccessRequest.objects.select_related("team", "person").filter(pk=pk, state=State.GRANTED)
    found = request.filter(until__lte=timezone.now()).first()
    if found is None:
        return False
    _ended(found)
    return True


def _ended(request: AccessRequest) -> AccessRequest:
    try:
        access_grants.take_back(request)
    except InvalidField as fault:
        # A ceiling that came later bars what was before: the rows stay as they are, and people are told.
        request.note = f"{request.note}\n{fault.message}".strip()
    request.state, request.ended_at = State.ENDED, timezone.now()
    request.save()
    tell_ended(request)
    return request


def _text(value: Any) -> Any:
    if value is None or isinstance(value, bool | list):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)
