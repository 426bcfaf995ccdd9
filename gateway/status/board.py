"""How all models and providers do now and did in 90 days: what the status page shows, and its JSON tells."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.utils import timezone

from accounts.windows import DAY_S
from catalogue.published.reading import Reading, read_now
from gateway.core.locales import write_number
from gateway.core.reader import current
from gateway.status.bars import DEGRADED, DOWN, UP, picture
from gateway.status.counting import DAYS_SHOWN, Subject, marks_of, start_of, subjects_of
from gateway.status.days import Lasted, lasted, uptime
from gateway.status.diary import Entry, read_diary
from gateway.status.evidence import day_start, read_outages
from gateway.status.kept import boards, past_days
from gateway.status.spans import Spans
from providers.models import StatusDay, StatusProgress

WORDS = {UP: "answers", DEGRADED: "answers in part", DOWN: "does not answer"}
_WORST = (DOWN, DEGRADED, UP)
_NEVER_NOW = 0.5
_PAST_KEPT_S = 600.0
Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Component:
    """A model or a provider. `days` are the last 90, the oldest first; None: nothing was seen on that day."""

    kind: str
    id: str
    name: str
    group: str
    state: str
    days: Sequence[Lasted | None]
    seen_s: float
    today: date

    @property
    def word(self) -> str:
        return WORDS[self.state]

    @property
    def uptime(self) -> float | None:
        return uptime(sum(day.down_s for day in self.days if day), self.seen_s)

    @property
    def uptime_word(self) -> str:
        """As its reader writes numbers."""
        if self.uptime is None:
            return "no data"
        locale = current().locale
        return locale.percent.format(write_number(Decimal(f"{self.uptime:.2f}"), locale))

    @property
    def picture(self) -> str:
        return picture(self.days, self.today - timedelta(days=len(self.days) - 1), self.name)


@dataclass(frozen=True, slots=True)
class Group:
    """Models of one organisation, or all providers."""

    id: str
    name: str
    components: Sequence[Component]

    @property
    def state(self) -> str:
        return worst(self.components)

    @property
    def troubled(self) -> Sequence[Component]:
        return [each for each in self.components if each.state != UP]

    @property
    def summary(self) -> str:
        noun = "provider" if self.id == "" else "model"
        count = len(self.components)
        if not self.troubled:
            return f"{count} {noun}s, all answer" if count > 1 else f"1 {noun}, which answers"
        return f"{len(self.troubled)} of {count} {noun}{'s' if count > 1 else ''} in trouble"


@dataclass(frozen=True)
class Board:
    """`providers` is None for those who may not know them."""

    today: date
    models: Sequence[Component]
    providers: Sequence[Component] | None
    diary: Sequence[Entry]

    @property
    def first_day(self) -> date:
        return self.today - timedelta(days=DAYS_SHOWN - 1)

    @cached_property
    def groups(self) -> Sequence[Group]:
        """Of models, by organisation."""
        found: dict[str, list[Component]] = {}
        for model in self.models:
            found.setdefault(model.id.partition("/")[0], []).append(model)
        groups = [Group(id_, each[0].group, each) for id_, each in found.items()]
        return sorted(groups, key=lambda group: (group.name.casefold(), group.id))

    @cached_property
    def provider_group(self) -> Group | None:
        return Group("", "Providers", self.providers) if self.providers else None

    @property
    def state(self) -> str:
        return worst(self.models)

    @property
    def sentence(self) -> str:
        return sentence_of(self.models)

    @property
    def open_entries(self) -> Sequence[Entry]:
        return [entry for entry in self.diary if entry.is_open]


def worst(components: Sequence[Component]) -> str:
    states = {each.state for each in components}
    return next((state for state in _WORST if state in states), UP)


def sentence_of(models: Sequence[Component]) -> str:
    """What stands on top of the page."""
    down = [each for each in models if each.state == DOWN]
    partly = [each for each in models if each.state == DEGRADED]
    if not models:
        return "There is no model to call yet"
    if not down and not partly:
        return "All models answer" if len(models) > 1 else f"{models[0].name} answers"
    told = []
    if down:
        told.append(f"{_named(down, len(models))} {'do' if len(down) > 1 else 'does'} not answer")
    if partly:
        verb = "answer" if len(partly) > 1 else "answers"
        told.append(f"{_named(partly, len(models))} {verb} in part")
    return "; ".join(told)


def _named(some: Sequence[Component], of: int) -> str:
    if len(some) == 1:
        return some[0].name
    return f"{len(some)} of {of} models" if len(some) < of else f"All {of} models"


def board_for(*, sees_providers: bool) -> Board:
    """As it was within the last seconds."""
    return boards.get(sees_providers, lambda: read_board(timezone.now(), sees_providers=sees_providers))


def read_board(at: datetime, *, sees_providers: bool) -> Board:
    """Eight queries at most, for any number of models."""
    reading = read_now()
    subjects = list(subjects_of(reading.snapshot, at))
    today, begin = at.astimezone(UTC).date(), day_start(at)
    outages = read_outages(reading.snapshot, begin, at.timestamp())
    marks = {(row.kind, row.name): marks_of(row) for row in StatusDay.objects.filter(day=today)}
    past = _past(today)
    found: dict[str, list[Component]] = {StatusDay.Kind.MODEL.value: [], StatusDay.Kind.PROVIDER.value: []}
    for subject in subjects:
        out = outages.of(subject.offerings)
        name = (subject.kind, subject.name)
        now: Lasted | None = None
        if name in marks:
            now = lasted(marks[name], out, begin, at.timestamp())
        elif any(out):
            now = lasted(marks_of(StatusDay()), out, begin, at.timestamp())
        days = [*_in_order(past.get(name, {}), today), now]
        seen_s = DAY_S * sum(day is not None for day in days[:-1]) + (at.timestamp() - begin) * (
            now is not None
        )
        state = _state(subject, out, reading, at)
        found[subject.kind].append(
            Component(subject.kind, subject.name, *_titles(subject, reading), state, days, seen_s, today)
        )
    models, providers = (sorted(each, key=lambda row: row.name.casefold()) for each in found.values())
    shown = {model.id for model in models}
    return Board(
        today,
        models,
        providers if sees_providers else None,
        read_diary(at, shown, {each.id for each in providers} if sees_providers else None),
    )


def _state(subject: Subject, outages: Sequence[Spans], reading: Reading, at: datetime) -> str:
    """Down where every offering is left alone now; degraded where some is, or a provider cannot be probed."""
    left_alone = [_lasts(spans, at) for spans in outages]
    if all(left_alone):
        return DOWN
    ill = {
        provider.slug for provider in reading.snapshot.providers.values() if provider.health == "unhealthy"
    }
    return DEGRADED if any(left_alone) or ill.intersection(subject.slugs) else UP


def _lasts(spans: Spans, at: datetime) -> bool:
    return bool(spans) and spans[-1][1] >= at.timestamp() - _NEVER_NOW


def _titles(subject: Subject, reading: Reading) -> tuple[str, str]:
    """Its name, and that of its group."""
    if subject.kind == StatusDay.Kind.MODEL:
        model = reading.snapshot.models[subject.name]
        return model.name, model.organisation_name or model.organisation_id
    names = {provider.slug: provider.name for provider in reading.snapshot.providers.values()}
    return names[subject.name], "Providers"


def _past(today: date) -> Mapping[Name, Mapping[date, Lasted]]:
    """Days that are over; read anew when one of them changes."""
    version = StatusProgress.objects.values_list("version", flat=True).first()
    found: Mapping[Name, Mapping[date, Lasted]] = past_days.get(
        (version, today), lambda: _read_past(today), _PAST_KEPT_S
    )
    return found


def _read_past(today: date) -> Mapping[Name, Mapping[date, Lasted]]:
    found: dict[Name, dict[date, Lasted]] = {}
    rows = StatusDay.objects.filter(day__gte=today - timedelta(days=DAYS_SHOWN - 1), day__lt=today)
    columns = ("kind", "name", "day", "down_s", "degraded_s")
    for kind, name, day, down_s, degraded_s in rows.order_by().values_list(*columns):
        found.setdefault((kind, name), {})[day] = Lasted(down_s, degraded_s)
    return found


def _in_order(days: Mapping[date, Lasted], today: date) -> Iterator[Lasted | None]:
    for back in range(DAYS_SHOWN - 1, 0, -1):
        yield days.get(today - timedelta(days=back))


def as_json(board: Board) -> dict[str, Any]:
    """Without anything that changes while nothing happens."""
    told: dict[str, Any] = {
        "status": {UP: "ok", DEGRADED: "degraded", DOWN: "down"}[board.state],
        "sentence": board.sentence,
        "first_day": board.first_day.isoformat(),
        "last_day": board.today.isoformat(),
        "models": [
            {"id": each.id, "name": each.name, "organisation": each.group, **_told(each, board.today)}
            for each in board.models
        ],
    }
    if board.providers is not None:
        told["providers"] = [
            {"id": each.id, "name": each.name, **_told(each, board.today)} for each in board.providers
        ]
    return told | {"incidents": [entry.as_json() for entry in board.diary]}


def _told(component: Component, today: date) -> dict[str, Any]:
    whole = [None if day is None else uptime(day.down_s, DAY_S) for day in component.days[:-1]]
    last = component.days[-1]
    so_far = timezone.now().timestamp() - start_of(today)
    return {
        "status": {UP: "ok", DEGRADED: "degraded", DOWN: "down"}[component.state],
        "uptime_percent": component.uptime,
        "days": [*whole, None if last is None else uptime(last.down_s, so_far)],
    }
