"""Whom an alert is mailed to in person: those whom it concerns, and those who asked for it."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from django.conf import settings

from accounts.alerts.kinds import FOR_PEOPLE, KINDS, WEEKLY, Concerns, Kind
from accounts.models import Alert, AlertChoice, Membership, User
from accounts.rights import Role
from gateway.core.refusals import InvalidField


def addresses_of(alert: Alert) -> Sequence[str]:
    """Of the people who get it by mail; of the operator's own alerts, GATEWAY_ALARM_EMAILS."""
    kind = KINDS.get(alert.kind)
    if kind is None:
        return []
    if alert.team_id is None:
        operators = {*settings.ALARM_EMAILS, *_superusers(kind), *_staff(alert)}
        return sorted(operators) if kind.by_mail else []
    members = list(
        Membership.objects.active().filter(team=alert.team_id, user__is_active=True).select_related("user")
    )
    choices = dict(
        AlertChoice.objects.filter(kind=kind.name, user__in=[each.user_id for each in members]).values_list(
            "user_id", "by_mail"
        )
    )
    concerned = _concerned(kind, members, set(alert.people))
    found = {each.user.email for each in members if _wants(kind, each.user_id, concerned, choices)}
    return sorted(address for address in found if address)


def _superusers(kind: Kind) -> Iterable[str]:
    if kind.concerns is not Concerns.SUPERUSERS:
        return []
    return (
        User.objects.filter(is_superuser=True, is_active=True)
        .exclude(email="")
        .values_list("email", flat=True)
    )


def _staff(alert: Alert) -> Iterable[str]:
    """Whom it names."""
    named = User.objects.filter(pk__in=alert.people, is_staff=True, is_active=True)
    return named.exclude(email="").values_list("email", flat=True)


def want_weekly(people: Iterable[int], managers: Collection[int]) -> set[int]:
    """Those of them who get the weekly digest: owners and admins unless they chose not to, others who chose to."""
    choices = dict(AlertChoice.objects.filter(kind=WEEKLY).values_list("user_id", "by_mail"))
    return {person for person in people if choices.get(person, person in managers)}


def choices_of(user: User) -> Mapping[str, bool | None]:
    """Kind → whether that person wants it by mail; None: as the kind has it."""
    chosen = dict(AlertChoice.objects.filter(user=user).values_list("kind", "by_mail"))
    return {name: chosen.get(name) for name in FOR_PEOPLE}


def choose(user: User, wanted: Mapping[str, bool | None]) -> None:
    """Keep what a person wants by mail; what is not named stays. Raises InvalidField."""
    for name, by_mail in wanted.items():
        if name not in FOR_PEOPLE:
            raise InvalidField("kind", f"There is no kind of alert '{name[:40]}'.")
        if KINDS[name].is_required and by_mail is False:
            raise InvalidField(name, f"Mail about {name} cannot be turned off.")
    for name, by_mail in wanted.items():
        mine = AlertChoice.objects.filter(user=user, kind=name)
        if by_mail is None:
            mine.delete()
        elif not mine.update(by_mail=by_mail):
            AlertChoice.objects.bulk_create(
                [AlertChoice(user=user, kind=name, by_mail=by_mail)], ignore_conflicts=True
            )


def _concerned(kind: Kind, members: Iterable[Membership], named: set[int]) -> set[int]:
    owners = {each.user_id for each in members if each.role == Role.OWNER}
    here = {each.user_id for each in members} & named
    if kind.concerns is Concerns.PEOPLE:
        return here or owners
    return owners | here


def _wants(kind: Kind, user: int, concerned: set[int], choices: Mapping[int, bool]) -> bool:
    if user in concerned and kind.is_required:
        return True
    return choices.get(user, user in concerned and kind.by_mail)
