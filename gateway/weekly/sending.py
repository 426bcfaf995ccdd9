"""Who is sent a digest now: each person once for a week, however many processes ask and however they end."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from accounts.alerts.kinds import WEEKLY
from accounts.alerts.people import want_weekly
from accounts.alerts.raising import make_alert
from accounts.mail.message import keep_parts
from accounts.mail.writing import write_parts
from accounts.models import AlertDelivery, Membership, Team, User
from accounts.rights import Right, rights_of
from gateway.core.reader import Reader, reader_of
from gateway.weekly.changes import Changes, read_changes
from gateway.weekly.spending import Spending, read_spending
from gateway.weekly.week import Week, latest_monday, week_due
from gateway.weekly.writing import TeamWeek, write_period, write_week

Memberships = Sequence[Membership]


def send_due(*, at: datetime) -> int:
    """Make the digests that are due. How many. They are delivered as alerts are, until they arrive."""
    monday = latest_monday(at)
    if monday is None:
        return 0
    by_week: dict[Week, dict[int, Memberships]] = defaultdict(dict)
    for memberships in _untold(monday):
        week = week_due(_zone_of(memberships), at)
        told = memberships[0].user.digest_week
        if week is not None and (told is None or told < week.monday):
            by_week[week][memberships[0].user_id] = memberships
    return sum(_tell(week, people, at) for week, people in by_week.items())


def _untold(monday: date) -> Iterable[Memberships]:
    """Of each person who can be mailed and was not told all up to that day."""
    is_untold = Q(user__digest_week=None) | Q(user__digest_week__lt=monday)
    rows = Membership.objects.active().filter(
        is_untold, user__is_active=True, team__is_active=True, team__archived_at=None
    )
    found: dict[int, list[Membership]] = defaultdict(list)
    for each in rows.exclude(user__email="").select_related("user", "team").order_by("user_id", "team__name"):
        found[each.user_id].append(each)
    return found.values()


def _zone_of(memberships: Memberships) -> str:
    """Their own; else that of their teams, where it is one."""
    person, zones = memberships[0].user, {each.team.time_zone for each in memberships}
    return person.time_zone or (zones.pop() if len(zones) == 1 else "UTC")


def _tell(week: Week, people: Mapping[int, Memberships], at: datetime) -> int:
    managers = {
        pk for pk, its in people.items() if any(Right.MEMBERS in rights_of(each.role) for each in its)
    }
    # Whoever came since is told of their first week when that is over.
    here = {pk for pk, its in people.items() if its[0].user.date_joined < week.due_at}
    wanting = want_weekly(here, managers)
    _claim(people.keys() - wanting, week)
    teams = {each.team_id: each.team for pk in wanting for each in people[pk]}
    weeks = _read(teams, week, at) if teams else {}
    return sum(_make(people[pk], weeks, week, at) for pk in sorted(wanting))


def _read(teams: Mapping[int, Team], week: Week, at: datetime) -> Mapping[int, TeamWeek]:
    spending = read_spending(teams.keys(), week)
    used = {pk: list(its.models) for pk, its in spending.items()}
    changes = read_changes(teams, used, week, at)
    return {
        pk: TeamWeek(team.name, spending.get(pk) or Spending(), changes.get(pk) or Changes())
        for pk, team in teams.items()
    }


def _claim(people: Collection[int], week: Week) -> int:
    """How many of them nobody has told of that week, until now."""
    untold = User.objects.filter(Q(digest_week=None) | Q(digest_week__lt=week.monday), pk__in=people)
    return untold.update(digest_week=week.monday)


@transaction.atomic
def _make(memberships: Memberships, weeks: Mapping[int, TeamWeek], week: Week, at: datetime) -> int:
    """The claim and what is sent are one: who dies in between has done neither."""
    person = memberships[0].user
    if not _claim([person.pk], week):
        return 0
    reader = _reader(person, week)
    parts = write_week([weeks[each.team_id] for each in memberships], reader)
    if not parts:
        return 0
    period, text = write_period(week, reader), write_parts(parts)
    data = {"period": period, "week": str(week.monday), "parts": keep_parts(parts)}
    alert = make_alert(WEEKLY, cause=f"user:{person.pk}", team=None, data=data, text=text, people=[person.pk])
    AlertDelivery.objects.create(alert=alert, address=person.email, due_at=at, created_at=at)
    return 1


def _reader(person: User, week: Week) -> Reader:
    return reader_of(person, week.zone)
