"""Incidents as a diary: what health checks opened and closed, what staff opened and said of any.

What breakers of one provider did at about the same time is one entry, told as the first of them: so one outage is one
entry, however many models it was of. Whoever may not know the providers is told of each model by itself.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Prefetch

from catalogue.feeds.formats import Entry as FeedEntry
from gateway.core.lines import as_one_line
from providers.models import Incident, IncidentNote, ProviderCredential

DIARY_DAYS = 90
ENTRIES_MOST = 50
_ROWS_MOST = 500
_GAP = timedelta(minutes=10)
_NAMED = 3
_IDS = uuid.UUID("6f1b7c3e-6a54-4f1e-9b36-0d9d9b1f2f10")
_WHY = {
    "failures": "its calls failed",
    "rate": "too many of its calls failed",
    "credential": "it refused our calls",
    "model_missing": "it did not know the model",
    "probe": "health checks of it failed",
}


@dataclass(frozen=True, slots=True)
class Note:
    at: datetime
    title: str
    text: str


@dataclass(slots=True)
class Entry:
    """What is told of some incidents that are one. `ended_at` is None while it goes on."""

    first: Incident
    kind: str
    title: str
    began_at: datetime
    ended_at: datetime | None
    models: Sequence[str] = ()
    provider: str = ""
    notes: Sequence[Note] = field(default=())

    def is_open_at(self, at: datetime) -> bool:
        return self.began_at <= at and (self.ended_at is None or self.ended_at > at)

    is_open: bool = False
    is_planned: bool = False

    @property
    def state(self) -> str:
        if self.is_planned:
            return "planned"
        return "going on" if self.is_open else "over"

    @property
    def id(self) -> str:
        """The same at every host name."""
        words = f"{self.first.pk}\n{self.first.began_at.isoformat()}"
        return uuid.uuid5(_IDS, words).urn

    @property
    def anchor(self) -> str:
        return f"incident-{self.first.pk}"

    @property
    def updated(self) -> datetime:
        ended = [self.ended_at] if self.ended_at and not self.is_planned and not self.is_open else []
        return max([self.began_at, *ended, *(note.at for note in self.notes)])

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "title": self.title,
            "began_at": _instant(self.began_at),
            "ended_at": _instant(self.ended_at) if self.ended_at else None,
            "models": list(self.models),
            "provider": self.provider or None,
            "notes": [
                {"at": _instant(note.at), "title": note.title, "text": note.text} for note in self.notes
            ],
        }

    def as_feed_entry(self, page: str) -> FeedEntry:
        lines = [f"{_instant(self.began_at)}: it began."]
        lines += [f"{_instant(note.at)}: {note.title}\n{note.text}".rstrip() for note in self.notes]
        if self.ended_at and self.state == "over":
            lines.append(f"{_instant(self.ended_at)}: it was over.")
        return FeedEntry(
            id=self.id,
            title=f"{self.title} ({self.state})",
            summary="\n".join(lines),
            link=f"{page}#{self.anchor}",
            updated=self.updated,
            published=self.began_at,
            categories=(self.kind, self.state),
        )


def read_diary(at: datetime, shown: Collection[str], providers: Collection[str] | None) -> Sequence[Entry]:
    """What the status page tells, the newest first; of models and providers (slugs) that are shown alone. None: whoever
    asks may not know the providers. Three queries.
    """
    entries = [
        entry
        for group in grouped(_rows(at), sees_providers=providers is not None)
        if group[0].is_public and (entry := _entry(group, shown, providers, at))
    ]
    return sorted(entries, key=lambda entry: entry.began_at, reverse=True)[:ENTRIES_MOST]


def _rows(at: datetime) -> Sequence[Incident]:
    """The oldest first, without what happened to teams' own credentials."""
    notes = Prefetch("notes", IncidentNote.objects.filter(is_public=True))
    found = Incident.objects.filter(began_at__gte=at - timedelta(days=DIARY_DAYS))
    rows = list(found.select_related("provider", "offering__model").prefetch_related(notes)[:_ROWS_MOST])
    further = {id_ for row in rows if (id_ := _credential_of(row))}
    operators = further and set(
        ProviderCredential.objects.filter(pk__in=further, team=None).values_list("pk", flat=True)
    )
    return [row for row in reversed(rows) if not (id_ := _credential_of(row)) or id_ in (operators or ())]


def _credential_of(row: Incident) -> int | None:
    _, _, id_ = row.way.partition(":")
    return int(id_) if id_ and row.offering_id else None


def grouped(rows: Iterable[Incident], *, sees_providers: bool) -> list[list[Incident]]:
    """`rows` come the oldest first. What staff opened stands alone."""
    groups: list[list[Incident]] = []
    latest: dict[Any, list[Incident]] = {}
    for row in rows:
        if not row.is_seen:
            groups.append([row])
            continue
        key = row.provider_id if sees_providers or row.offering is None else f"model {row.offering.model_id}"
        group = latest.get(key)
        if group and any(each.ended_at is None or each.ended_at + _GAP >= row.began_at for each in group):
            group.append(row)
        else:
            groups.append([row])
            latest[key] = groups[-1]
    return groups


def _entry(
    group: Sequence[Incident], shown: Collection[str], providers: Collection[str] | None, at: datetime
) -> Entry | None:
    """None where it is of nothing that is shown."""
    first = group[0]
    models = sorted({row.offering.model.public_id for row in group if row.offering} & set(shown))
    its = [
        row
        for row in group
        if row.offering is None and row.provider and row.provider.slug in (providers or ())
    ]
    if first.is_seen and not models and not its:
        return None
    ends = [row.ended_at for row in group]
    ended_at = None if None in ends else max(end for end in ends if end)
    provider = first.provider.name if first.provider and providers is not None else ""
    entry = Entry(
        first,
        "incident" if first.is_seen else first.kind,
        as_one_line(first.title) or _title(first, models, provider),
        first.began_at,
        ended_at,
        models if first.is_seen else (),
        provider,
        [Note(note.at, note.title, note.text) for row in group for note in row.notes.all()],
    )
    entry.is_open, entry.is_planned = entry.is_open_at(at), entry.began_at > at
    return entry


def _title(first: Incident, models: Sequence[str], provider: str) -> str:
    what = ", ".join(models) if len(models) <= _NAMED else f"{len(models)} models"
    if not provider:
        return f"{what}: calls to one of its providers failed"
    why = _WHY.get(first.cause, "its calls failed")
    return f"{what} at {provider}: {why}" if models else f"{provider}: {why}"


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
