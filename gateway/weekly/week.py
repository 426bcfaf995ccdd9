"""Which week is told when. Pure: a week runs from Monday to Monday in somebody's zone, and is told on Monday at 8."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from gateway.core.reader import zone_named

AT = time(8)
LATE = timedelta(days=3)
"""So long after that it is still told, where nothing ran meanwhile."""
_WEEK = timedelta(days=7)
_FARTHEST_EAST, _FARTHEST_WEST = timedelta(hours=14), timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Week:
    """The one before `monday`, on which it is told."""

    monday: date
    zone: str

    @property
    def begins_at(self) -> datetime:
        return _midnight(self.monday - _WEEK, zone_named(self.zone))

    @property
    def ends_at(self) -> datetime:
        return _midnight(self.monday, zone_named(self.zone))

    @property
    def before_at(self) -> datetime:
        """When the week before it began."""
        return _midnight(self.monday - 2 * _WEEK, zone_named(self.zone))

    @property
    def due_at(self) -> datetime:
        return datetime.combine(self.monday, AT, zone_named(self.zone))

    @property
    def last_day(self) -> date:
        return self.monday - timedelta(days=1)

    @property
    def first_day(self) -> date:
        return self.monday - _WEEK


def week_due(zone: str, at: datetime) -> Week | None:
    """The one that is to be told there now; None on all days but the first of a week."""
    today = at.astimezone(zone_named(zone)).date()
    week = Week(today - timedelta(days=today.weekday()), zone)
    return week if week.due_at <= at < week.due_at + LATE else None


def latest_monday(at: datetime) -> date | None:
    """The latest that some zone may be due for; None where none is."""
    east = (at + _FARTHEST_EAST).replace(tzinfo=None)
    monday = east.date() - timedelta(days=east.weekday())
    begins = datetime.combine(monday, AT)
    is_over = (at - _FARTHEST_WEST).replace(tzinfo=None) >= begins + LATE
    return monday if begins <= east and not is_over else None


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)
