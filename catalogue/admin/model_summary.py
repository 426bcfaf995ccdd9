"""What a model's page shows around its form: how it stands, what clients see, every price, and what is to be mended."""

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
from catalogue.published.loading import snapshots
from catalogue.published.snapshot import Snapshot
from catalogue.publishing.compile import problems
from catalogue.quality.completeness import Quality
from catalogue.quality.lint import EXPLANATIONS, Finding
from catalogue.quality.worklist import judge_one, subject_of, world_of
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


def describe(model: Model) -> ModelSummary:
    """Of a model fetched by complete() and with_live(); three queries beside a snapshot that is up to date."""
    at, broken = timezone.now(), problems(model)
    live = PublishedModel.objects.current().filter(public_id=model.public_id)
    common: dict[str, Any] = {
        "lifecycle": lifecycle_chip(model, at),
        "publication": live_chip(model),
        "live": live.select_related("edition_from__author").defer("content").first(),
        "problems": model.quarantine_reason.splitlines() or broken,
        "prices": price_tables(model.offerings.all(), at),
    }
    return (
        ModelSummary(**common)
        if broken
        else ModelSummary(**common, **_judged(model, snapshots.refresh(), at))
    )


def judge_shown(rows: Iterable[Model]) -> Mapping[int, Quality]:
    """How complete these are, by primary key, among the others as published; models that break a rule have none.

    Of models fetched by complete() and with_live(); two queries where the snapshot is up to date.
    """
    subjects = [subject_of(row) for row in rows if not problems(row)]
    edited = {subject.model.id: subject.model for subject in subjects}
    snapshot = snapshots.refresh()
    world = world_of({**snapshot.models, **edited}.values(), snapshot.providers, timezone.now())
    return {subject.pk: judge_one(subject, world)[1] for subject in subjects}


def quality_chip(quality: Quality) -> str:
    lacks = ", ".join(f"{name} ({points})" for name, points in quality.missing.items())
    return status_chip(
        str(quality.score), _tone(quality.score), f"Lacks: {lacks}" if lacks else "Nothing is missing"
    )


def _judged(model: Model, snapshot: Snapshot, at: datetime) -> dict[str, Any]:
    findings, quality = judge_one(
        subject_of(model), world_of([*_others(snapshot, model), facts_of(model)], snapshot.providers, at)
    )
    return {
        "preview": preview(model, snapshot, at),
        "quality": quality,
        "quality_chip": quality_chip(quality),
        "findings": [(EXPLANATIONS[finding.kind].title, finding) for finding in findings],
    }


def _others(snapshot: Snapshot, model: Model) -> list[ModelFacts]:
    """The other models as published: where this one's successors lead."""
    return [facts for facts in snapshot.models.values() if facts.id != model.public_id]


def _tone(score: int) -> Tone:
    return "good" if score >= 80 else "warning" if score >= 50 else "bad"
