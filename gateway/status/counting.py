"""Counting days: today a quarter of an hour after the other, each day for good once it is over, earlier ones back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction

from accounts.windows import DAY_S, QUARTER_S
from catalogue.facts import OfferingFacts
from catalogue.published.loading import snapshots
from catalogue.published.snapshot import Snapshot
from gateway.status.days import Lasted, Marks, Outages, lasted
from gateway.status.evidence import Evidence, read_evidence, read_outages
from providers.facts import ProviderFacts
from providers.models import StatusDay, StatusProgress

DAYS_SHOWN, DAYS_KEPT = 90, 100
_QUARTERS = DAY_S // QUARTER_S
# What began last may still be told late: by then it has ended.
_LATE = timedelta(seconds=QUARTER_S)
_BACK_A_ROUND = 7
Name = tuple[str, str]
"""Kind and name, as StatusDay has them."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A model or a provider, with the ids of the offerings that answer for it and the slugs of who has those. A named
    route has `members`, each with those of its offerings that the route may go to.
    """

    kind: str
    name: str
    offerings: tuple[int, ...]
    slugs: tuple[str, ...]
    members: tuple["Subject", ...] = ()

    def marks(self, evidence: Evidence) -> Marks:
        if self.members:
            return Marks.of_any([member.marks(evidence) for member in self.members])
        if self.kind == StatusDay.Kind.PROVIDER:
            return evidence.marks_of_provider(self.name)
        return evidence.marks_of_model(self.name, self.slugs)

    def is_seen(self, evidence: Evidence) -> bool:
        if self.members:
            return any(member.is_seen(evidence) for member in self.members)
        if self.kind == StatusDay.Kind.PROVIDER:
            return evidence.has_seen_provider(self.name)
        return evidence.has_seen_model(self.name, self.slugs)


def subjects_of(snapshot: Snapshot, at: datetime) -> Iterator[Subject]:
    """All that can be called now: models and named routes, and who provides them."""
    by_provider: dict[int, list[int]] = {}
    for model in snapshot.models.values():
        if not snapshot.is_routable(model, at):
            continue
        serving = [offering for offering in model.offerings if snapshot.serves(offering, at)]
        if model.is_route:
            yield _model(model.id, serving, snapshot, _members(serving, snapshot))
            continue
        for offering in serving:
            by_provider.setdefault(offering.provider_id, []).append(offering.id)
        yield _model(model.id, serving, snapshot)
    for id_, offerings in by_provider.items():
        slug = slug_of(snapshot, id_)
        yield Subject(StatusDay.Kind.PROVIDER.value, slug, tuple(offerings), (slug,))


def _model(
    name: str, serving: Sequence[OfferingFacts], snapshot: Snapshot, members: tuple[Subject, ...] = ()
) -> Subject:
    slugs = tuple(dict.fromkeys(slug_of(snapshot, offering.provider_id) for offering in serving))
    return Subject(StatusDay.Kind.MODEL.value, name, tuple(each.id for each in serving), slugs, members)


def _members(serving: Sequence[OfferingFacts], snapshot: Snapshot) -> tuple[Subject, ...]:
    """Of a named route, by whose offerings it has."""
    by_model: dict[str, list[OfferingFacts]] = {}
    for offering in serving:
        by_model.setdefault(snapshot.offerings[offering.id][0].id, []).append(offering)
    return tuple(_model(name, offerings, snapshot) for name, offerings in by_model.items())


def slug_of(snapshot: Snapshot, provider_id: int) -> str:
    provider: ProviderFacts = snapshot.providers[provider_id]
    return provider.slug


def count_days(at: datetime) -> int:
    """One round; however often it is made, the same comes of it. How many days were written."""
    # Whoever begins at midnight is still counted for the day before.
    today = (at - _LATE).astimezone(UTC).date()
    subjects = list(subjects_of(snapshots.refresh(), at))
    with transaction.atomic():
        progress = _progress(today)
        days = _close(progress, today, subjects, at)
        _count(today, progress.quarter, subjects, at)
        progress.quarter = max(progress.quarter, _quarters_until(at, today) - 2)
        days += _fill_back(progress, today, subjects, at)
        progress.version += days
        progress.save()
        StatusDay.objects.filter(day__lt=today - timedelta(days=DAYS_KEPT)).delete()
    return days + 1


def _progress(today: date) -> StatusProgress:
    StatusProgress.objects.get_or_create(pk=1, defaults={"today": today, "back_to": today})
    return StatusProgress.objects.select_for_update().get(pk=1)


def _close(progress: StatusProgress, today: date, subjects: Sequence[Subject], at: datetime) -> int:
    """Days that are over since the last round."""
    closed = 0
    first = max(progress.today, today - timedelta(days=DAYS_SHOWN - 1))
    if first != progress.today:
        progress.quarter = 0
    for number in range((today - first).days):
        _count(first + timedelta(days=number), progress.quarter, subjects, at)
        progress.quarter = 0
        closed += 1
    progress.today = today
    return closed


def _fill_back(progress: StatusProgress, today: date, subjects: Sequence[Subject], at: datetime) -> int:
    """Some days of before any was counted, the latest first."""
    earliest = today - timedelta(days=DAYS_SHOWN - 1)
    filled = 0
    while progress.back_to > earliest and filled < _BACK_A_ROUND:
        progress.back_to -= timedelta(days=1)
        _count(progress.back_to, 0, subjects, at)
        filled += 1
    return filled


@dataclass(frozen=True, slots=True)
class _Look:
    """At a day until `end`: what was seen from the quarter of an hour `since` on, and of breakers on all of it."""

    day: date
    since: int
    end: float
    evidence: Evidence
    outages: Outages


def _count(day: date, since: int, subjects: Sequence[Subject], at: datetime) -> None:
    begin = start_of(day)
    end = min(begin + DAY_S, at.timestamp())
    evidence = read_evidence(begin, since, _quarters_until(at, day))
    look = _Look(day, since, end, evidence, read_outages(snapshots.current, begin, end))
    known = {(row.kind, row.name): row for row in StatusDay.objects.filter(day=day)}
    found = (_counted(subject, look, known.get((subject.kind, subject.name))) for subject in subjects)
    StatusDay.objects.bulk_create(
        [row for row in found if row],
        update_conflicts=True,
        unique_fields=["day", "kind", "name"],
        update_fields=["down_s", "degraded_s", "bad", "shaky"],
        batch_size=500,
    )


def _counted(subject: Subject, look: _Look, row: StatusDay | None) -> StatusDay | None:
    """None where nothing was seen, or nothing changed."""
    if row is None and not subject.is_seen(look.evidence):
        return None
    before = marks_of(row) if row else Marks()
    marks = before.recounted(look.since, subject.marks(look.evidence))
    told = lasted(marks, look.outages.of(subject.offerings), start_of(look.day), look.end)
    if row and (before, Lasted(row.down_s, row.degraded_s)) == (marks, told):
        return None
    return StatusDay(
        kind=subject.kind,
        name=subject.name,
        day=look.day,
        down_s=told.down_s,
        degraded_s=told.degraded_s,
        bad=sorted(marks.bad),
        shaky=sorted(marks.shaky),
    )


def marks_of(row: StatusDay) -> Marks:
    return Marks(frozenset(row.bad), frozenset(row.shaky))


def start_of(day: date) -> int:
    return int(datetime.combine(day, time.min, UTC).timestamp())


def _quarters_until(at: datetime, day: date) -> int:
    """Of that day, those that have begun."""
    return max(0, min(_QUARTERS, int(at.timestamp() - start_of(day)) // QUARTER_S + 1))
