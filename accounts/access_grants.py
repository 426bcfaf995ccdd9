"""What a granted access request changes, by the services that make such changes anyway, and how it is taken back.

`by` is who of the team grants, and is bound by their rights and by what staff allow; None: staff do.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from django.utils import timezone

from accounts import limits
from accounts.access_terms import LIST_OF, is_higher, is_listed, is_teams_decision
from accounts.acting import Acting
from accounts.budgeting import change_budget, end_raise, raise_budget, save_budget
from accounts.limiting import set_limit
from accounts.memberships import give_role, take_grant
from accounts.models import AccessRequest, Budget, Key, Limit, Membership, MembershipGrant, Team, User
from accounts.money import plain
from accounts.services import save_team, update_key
from accounts.subject_rows import Owner, check_may_set, find_subject, subject_columns
from accounts.width import check_ceilings
from gateway.core.refusals import InvalidField

Kind, State = AccessRequest.Kind, AccessRequest.State
Applied = dict[str, Any]


def weigh(team: Team, person: User, kind: str, asked: Mapping[str, Any]) -> bool:
    """Whether it is the team's own decision; that there is something to ask for. Raises InvalidField."""
    return _KINDS[kind].weigh(team, person, asked)


def apply(request: AccessRequest, *, until: datetime | None, by: Acting | None) -> Applied:
    """Do what is asked. What comes back is what `take_back` needs. Raises InvalidField, Refused."""
    return _KINDS[request.kind].apply(request, until, by)


def take_back(request: AccessRequest) -> None:
    """As far as it is still as it was granted: what others changed since stays."""
    _KINDS[request.kind].take_back(request)


class _Granting(Protocol):
    def weigh(self, team: Team, person: User, asked: Mapping[str, Any]) -> bool: ...

    def apply(self, request: AccessRequest, until: datetime | None, by: Acting | None) -> Applied: ...

    def take_back(self, request: AccessRequest) -> None: ...


class _Role:
    """A grant beside those that there are, by the request's own name."""

    def weigh(self, team: Team, person: User, asked: Mapping[str, Any]) -> bool:
        there = team.memberships.active().get(user=person)
        if not is_higher(asked["role"], there.role):
            raise InvalidField("role", f"You are {there.role} of {team.name} already.")
        return is_teams_decision(Kind.ROLE, is_of_key=False, wanted=0, most=None)

    def apply(self, request: AccessRequest, until: datetime | None, by: Acting | None) -> Applied:
        give_role(
            team=_team(request),
            person=request.person,
            role=request.asked["role"],
            source=MembershipGrant.Source.REQUEST,
            origin=request.public_id,
            until=until,
            by=by,
        )
        return {"role": request.asked["role"]}

    def take_back(self, request: AccessRequest) -> None:
        grants = MembershipGrant.objects.filter(source="request", origin=request.public_id)
        for membership in Membership.objects.filter(team=request.team_id, pk__in=grants.values("membership")):
            take_grant(membership=membership, source=MembershipGrant.Source.REQUEST, origin=request.public_id)


class _Listed:
    """One more pattern: of the key that is named, else of the team."""

    def weigh(self, team: Team, person: User, asked: Mapping[str, Any]) -> bool:  # noqa: ARG002
        kind = next(each for each in LIST_OF if each in asked)
        _widened(team, kind, asked)
        return is_teams_decision(kind, is_of_key="key" in asked, wanted=0, most=None)

    def apply(self, request: AccessRequest, until: datetime | None, by: Acting | None) -> Applied:  # noqa: ARG002
        team, field = _team(request), LIST_OF[request.kind]
        row, listed = _widened(team, request.kind, request.asked)
        if isinstance(row, Key):
            if by is not None and not by.may_manage(row):
                check_may_set(by, row)
        elif by is not None:
            raise InvalidField("key", "Only staff say what all of a team may reach.")
        _save_lists(row, {field: [*listed, request.asked[request.kind]]})
        return {"field": field, "key": row.pk if isinstance(row, Key) else None, "was_empty": not listed}

    def take_back(self, request: AccessRequest) -> None:
        """An empty list opens everything: where nothing else is left, the last pattern is denied instead."""
        said, pattern = request.applied, request.asked[request.kind]
        row: Key | Team | None = _team(request)
        if said["key"] is not None:
            row = Key.objects.filter(pk=said["key"], revoked_at__isnull=True).select_related("team").first()
        if row is None or pattern not in getattr(row, said["field"]):
            return
        left = [each for each in getattr(row, said["field"]) if each != pattern]
        if left or said["was_empty"]:
            _save_lists(row, {said["field"]: left})
        else:
            denied = f"denied_{said['field']}"
            _save_lists(row, {denied: [*getattr(row, denied), pattern]})


class _Limit:
    def weigh(self, team: Team, person: User, asked: Mapping[str, Any]) -> bool:  # noqa: ARG002
        limit = _limit(team, asked)
        return is_teams_decision(Kind.LIMIT, is_of_key=False, wanted=asked["amount"], most=limit.most)

    def apply(self, request: AccessRequest, until: datetime | None, by: Acting | None) -> Applied:  # noqa: ARG002
        limit, amount = _limit(_team(request), request.asked), request.asked["amount"]
        former = {"limit": limit.pk, "amount": limit.amount, "most": limit.most}
        most = None if limit.most is None else max(limit.most, amount)
        _set(limit, amount, most, by)
        return former | {"granted": amount, "granted_most": most}

    def take_back(self, request: AccessRequest) -> None:
        said = request.applied
        limit = Limit.objects.with_subjects().filter(pk=said["limit"]).first()
        if limit is None:
            return
        if limit.amount != said["granted"]:
            _pass_on(request)
            return
        most = said["most"] if limit.most == said["granted_most"] else limit.most
        amount = said["amount"] if most is None else min(said["amount"], most)
        _set(limit, amount, most, None)


class _Budget:
    """For a while a raise, which ends by itself; else a higher amount."""

    def weigh(self, team: Team, person: User, asked: Mapping[str, Any]) -> bool:  # noqa: ARG002
        budget = _budget(team, asked)
        wanted = budget.amount_usd + Decimal(asked["raise_usd"])
        return is_teams_decision(Kind.BUDGET, is_of_key=False, wanted=wanted, most=budget.most_usd)

    def apply(self, request: AccessRequest, until: datetime | None, by: Acting | None) -> Applied:
        budget, more = _budget(_team(request), request.asked), Decimal(request.asked["raise_usd"])
        if by is not None:
            check_may_set(by, budget.subject_row)
        is_staff = by is None
        if until is not None:
            if budget.raise_until is not None and budget.raise_until > timezone.now():
                message = f"It is raised until {budget.raise_until:%Y-%m-%d %H:%M} UTC: end that raise first."
                raise InvalidField("raise_usd", message)
            raise_budget(budget=budget, by_usd=more, until=until, is_staff=is_staff)
            return {"budget": budget.pk, "until": until.isoformat()}
        former = {"budget": budget.pk, "amount_usd": plain(budget.amount_usd), "most_usd": budget.most_usd}
        wanted = budget.amount_usd + more
        former["most_usd"] = None if budget.most_usd is None else plain(budget.most_usd)
        most = {} if budget.most_usd is None else {"most_usd": max(budget.most_usd, wanted)}
        change_budget(budget=budget, is_staff=is_staff, amount_usd=wanted, **(most if is_staff else {}))  # type: ignore[arg-type]
        return former | {"granted": plain(wanted)}

    def take_back(self, request: AccessRequest) -> None:
        said = request.applied
        budget = Budget.objects.with_subjects().filter(pk=said["budget"]).first()
        if budget is None:
            return
        if "until" in said:
            if budget.raise_until is not None and budget.raise_until.isoformat() == said["until"]:
                end_raise(budget=budget)
        elif plain(budget.amount_usd) == said["granted"]:
            most = None if said["most_usd"] is None else Decimal(said["most_usd"])
            change_budget(budget=budget, is_staff=True, amount_usd=Decimal(said["amount_usd"]), most_usd=most)


class _StaffBudget:
    """What one of staff would have changed, had they not needed another one."""

    def weigh(self, team: Team, person: User, asked: Mapping[str, Any]) -> bool:
        raise NotImplementedError

    def apply(self, request: AccessRequest, until: datetime | None, by: Acting | None) -> Applied:  # noqa: ARG002
        budget = Budget.objects.with_subjects().filter(pk=request.asked["budget"]).first()
        if budget is None:
            raise InvalidField("budget", "The budget is gone: decline this.")
        for name, text in request.asked["changes"].items():
            field: Any = Budget._meta.get_field(name)
            setattr(budget, name, field.to_python(text))
        save_budget(budget)
        return {"budget": budget.pk}

    def take_back(self, request: AccessRequest) -> None:
        """What staff set stays until they set it otherwise."""


_KINDS: Mapping[str, _Granting] = {
    Kind.ROLE: _Role(),
    Kind.MODEL: _Listed(),
    Kind.PROVIDER: _Listed(),
    Kind.LIMIT: _Limit(),
    Kind.BUDGET: _Budget(),
    Kind.STAFF_BUDGET: _StaffBudget(),
}


def _team(request: AccessRequest) -> Team:
    if request.team is None:
        raise InvalidField("team", "It is about no team.")
    return request.team


def _widened(team: Team, kind: str, asked: Mapping[str, Any]) -> tuple[Key | Team, list[str]]:
    """Of what a list is to be widened, and that list. Raises InvalidField where that changes nothing."""
    field, pattern = LIST_OF[kind], asked[kind]
    row: Key | Team = _key(team, asked["key"]) if "key" in asked else team
    for bars in {row, team}:
        if is_listed(pattern, denied := getattr(bars, f"denied_{field}")):
            message = f"It is denied to {bars} ({', '.join(denied[:5])}): that list has to be changed."
            raise InvalidField(kind, message)
    of_team, listed = getattr(team, field), list(getattr(row, field))
    if isinstance(row, Key):
        if of_team and not is_listed(pattern, of_team):
            raise InvalidField("key", f"All of {team.name} may not reach it: ask without a key.")
        is_closed = kind == Kind.MODEL and not of_team and team.new_models == Team.NewModels.CLOSED
        if not listed and not is_closed:
            raise InvalidField(kind, "This key may reach it already.")
    elif not listed:
        raise InvalidField(kind, f"{team.name} lists none, so nothing is closed by that: ask for a key.")
    if is_listed(pattern, listed):
        raise InvalidField(kind, "It may be reached already.")
    return row, listed


def _key(team: Team, name: str) -> Key:
    live = Key.objects.for_team(team).select_related("team").filter(revoked_at__isnull=True)
    found = live.filter(public_id=name).first() if name.isalnum() and name.isascii() else None
    if found is None:
        raise InvalidField("key", f"key is {name[:40]!r}, and this team has no such key that is not revoked.")
    return found


def _save_lists(row: Key | Team, lists: dict[str, list[str]]) -> None:
    if isinstance(row, Key):
        update_key(key=row, **lists)  # type: ignore[arg-type]
        return
    for field, patterns in lists.items():
        setattr(row, field, patterns)
    save_team(team=row, fields=list(lists))


def _limit(team: Team, asked: Mapping[str, Any]) -> Limit:
    """Raises InvalidField where there is none, or it is as high already."""
    subject = find_subject(team, asked["subject"], asked.get("subject_id"))
    unit, window, amount = asked["unit"], asked["window"], asked["amount"]
    measured = Limit.objects.with_subjects().filter(unit=unit, window=window)
    limit = measured.filter(**subject_columns(subject)).first()
    if limit is None:
        raise InvalidField("unit", "There is no such limit: nothing holds it back.")
    if amount <= limit.amount:
        raise InvalidField("amount", f"amount is {amount}; the limit is {limit.amount} already.")
    field = next((name for name, measure in limits.PUBLISHED.items() if measure == (unit, window)), "")
    if field and isinstance(subject, Key):
        check_ceilings({field: amount}, team, timezone.now())
    return limit


def _set(limit: Limit, amount: int, most: int | None, by: Acting | None) -> None:
    subject: Owner = limit.subject_row  # type: ignore[assignment]
    if by is not None:
        check_may_set(by, subject)
    set_limit(
        subject=subject,
        unit=limit.unit,
        window=limit.window,
        amount=amount,
        most=most,
        is_staff=by is None,
    )


def _pass_on(request: AccessRequest) -> None:
    """Another grant raised the limit further: what this one found is what that one leaves."""
    said = request.applied
    others = AccessRequest.objects.filter(kind=Kind.LIMIT, state=State.GRANTED, applied__limit=said["limit"])
    for other in others.exclude(pk=request.pk):
        if other.applied["amount"] == said["granted"]:
            other.applied |= {"amount": said["amount"], "most": said["most"]}
            other.save(update_fields=["applied"])


def _budget(team: Team, asked: Mapping[str, Any]) -> Budget:
    subject = find_subject(team, asked["subject"], asked.get("subject_id"))
    of_window = Budget.objects.with_subjects().filter(window=asked["window"])
    budget = of_window.filter(**subject_columns(subject)).first()
    if budget is None:
        raise InvalidField("window", "There is no such budget: nothing holds it back.")
    return budget
