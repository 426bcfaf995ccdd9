"""What a model's page shows around its form: how it stands, what clients see, every price, and what is to be fixed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from catalogue.admin.live import lifecycle_chip, live_chip
from catalogue.admin.preview import Preview, facts_of, preview
from catalogue.admin.price_history import PriceTable, price_tables
from catalogue.facts import ModelFacts
from catalogue.models import Model, PublishedModel
from catalogue.published.content import Content, UnreadableContentError
from catalogue.published.loading import snapshots
from catalogue.published.snapshot import Snapshot
from catalogue.publishing.compile import compile_model, digest, problems
from catalogue.publishing.routes import published_members
from catalogue.quality.completeness import Quality
from catalogue.quality.lint import EXPLANATIONS, Finding, Kind, Subject
from catalogue.quality.worklist import ignored_of, judge_one, subject_of, world_in, world_of
from gateway.core.admin_base import Tone, status_chip


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """For the template. `preview`, `quality` and `findings` are None and empty of a model that breaks a rule."""

    lifecycle: str
    publication: str
    live: PublishedModel | None
    problems: Sequence[str]
    prices: Sequence[PriceTable]
    preview: Preview | None = None
    quality: Quality | None = None
    quality_chip: str = ""
    findings: Sequence[tuple[str, Finding]] = ()
    uncallable: Sequence[str] = ()
    """Why no call can go there, whatever is connected."""


def describe(model: Model) -> ModelSummary:
    """Of a model fetched by complete() and with_live(); four queries beside a snapshot that is up to date."""
    at, broken = timezone.now(), problems(model)
    live = PublishedModel.objects.current().filter(public_id=model.public_id)
    common: dict[str, Any] = {
        "lifecycle": lifecycle_chip(model, at),
        "publication": live_chip(model, is_live_as_edited=not broken and _is_live(model)),
        "live": live.select_related("edition_from__author").defer("content").first(),
        "problems": model.quarantine_reason.splitlines() or broken,
        "prices": price_tables(model.offerings.all(), at),
    }
    return (
        ModelSummary(**common)
        if broken
        else ModelSummary(**common, **_judged(model, snapshots.refresh(), at))
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """Of one row of a list."""

    quality: Quality
    is_live_as_edited: bool


def judge_shown(rows: Iterable[Model]) -> Mapping[int, Judged]:
    """By primary key, among the others as published; models that break a rule have none.

    Of models fetched by complete() and with_live(); two queries where the snapshot is up to date.
    """
    shown = list(rows)
    published = published_members(shown)
    subjects = [subject for row in shown if (subject := _sound(row, published))]
    world = world_in(_with_edited(snapshots.refresh(), subjects), timezone.now())
    return {
        subject.pk: Judged(judge_one(subject, world)[1], subject.is_live_as_edited) for subject in subjects
    }


def quality_chip(quality: Quality) -> str:
    lacks = ", ".join(f"{name} ({points})" for name, points in quality.missing.items())
    return status_chip(
        str(quality.score), _tone(quality.score), f"Lacks: {lacks}" if lacks else "Nothing is missing"
    )


def why_uncallable(model: Model) -> Sequence[str]:
    """Why no call can go to it, whatever is connected; empty where one could, or where it breaks a rule."""
    row = Model.objects.complete().with_live().get(pk=model.pk)
    if problems(row):
        return []
    return _uncallable(judge_one(subject_of(row), world_in(snapshots.refresh(), timezone.now()))[0])


def _uncallable(findings: Iterable[Finding]) -> Sequence[str]:
    return [each.what for each in findings if each.kind is Kind.UNCALLABLE and each.offering_id is None]


def _judged(model: Model, snapshot: Snapshot, at: datetime) -> dict[str, Any]:
    ignored = ignored_of(model)
    findings, quality = judge_one(
        subject_of(model), world_of([*_others(snapshot, model), facts_of(model)], snapshot.providers, at)
    )
    return {
        "preview": preview(model, snapshot, at),
        "quality": quality,
        "quality_chip": quality_chip(quality),
        "findings": [
            (EXPLANATIONS[finding.kind].title, finding)
            for finding in findings
            if finding.identity not in ignored
        ],
        "uncallable": _uncallable(findings),
    }


def _sound(row: Model, published: Mapping[str, Content]) -> Subject | None:
    """None of one that breaks a rule. What is live as edited kept them when it was published."""
    try:
        subject = subject_of(row, published)
    except UnreadableContentError:
        return None
    return subject if subject.is_live_as_edited or not problems(row) else None


def _with_edited(snapshot: Snapshot, subjects: Sequence[Subject]) -> Snapshot:
    edited = {each.model.id: each.model for each in subjects if not each.is_live_as_edited}
    if not edited:
        return snapshot
    return Snapshot.of({**snapshot.models, **edited}.values(), snapshot.providers, revision=0)


def _is_live(model: Model) -> bool:
    live_digest = model.live_digest  # type: ignore[attr-defined]  # annotated by with_live
    return bool(digest(compile_model(model)) == live_digest)


def _others(snapshot: Snapshot, model: Model) -> list[ModelFacts]:
    """The other models as published: where this one's successors lead."""
    return [facts for facts in snapshot.models.values() if facts.id != model.public_id]


def _tone(score: int) -> Tone:
    return "good" if score >= 80 else "warning" if score >= 50 else "bad"
