"""The worklist: every working model examined, kept for as long as nothing was edited."""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Subquery
from django.utils import timezone

from accounts.models import AuditEntry, Revision, User
from catalogue.facts import ModelFacts
from catalogue.models import IgnoredFinding, Model, Offering
from catalogue.published.content import Content, UnreadableContentError, facts_from_content
from catalogue.published.loading import snapshots
from catalogue.published.snapshot import Snapshot
from catalogue.publishing.compile import compile_model, digest
from catalogue.publishing.routes import published_members
from catalogue.quality.completeness import Quality, judge
from catalogue.quality.lint import (
    Finding,
    Identity,
    Kind,
    Subject,
    World,
    examine,
    unconnected,
)
from providers.facts import ProviderFacts
from providers.models import UpstreamList

_KEPT_S = 300
_day = re.compile(r"\b20\d\d-\d\d-\d\d\b")


@dataclass(frozen=True, slots=True)
class Worklist:
    """`qualities` by the model's primary key; a model that could not be read has none."""

    findings: tuple[Finding, ...]
    qualities: Mapping[int, Quality]
    ignored: tuple[tuple[Finding, IgnoredFinding], ...] = ()
    """Found all the same, and left out of `findings`."""


class WorklistCache:
    """As judged last. Safe from any thread: at worst two judge the same."""

    def __init__(self) -> None:
        self._kept: tuple[str, float, Worklist] | None = None

    def read(self) -> Worklist:
        """At most five minutes old, for dates pass; one query where nothing was edited since the last look."""
        state, now = _state(), time.monotonic()
        if self._kept is None or self._kept[0] != state or self._kept[1] < now:
            self._kept = (state, now + _KEPT_S, examine_catalogue())
        return self._kept[2]

    def forget(self) -> None:
        self._kept = None


worklist_cache = WorklistCache()
"""Of this process."""


def examine_catalogue(at: datetime | None = None) -> Worklist:
    """Read and judge everything: six queries for any number of models."""
    now = at or timezone.now()
    subjects, findings = [], []
    rows = list(Model.objects.complete().with_live().order_by("public_id"))
    published = published_members(rows)
    for row in rows:
        try:
            subjects.append(subject_of(row, published))
        except UnreadableContentError as error:
            what = row.quarantine_reason or str(error)
            findings.append(Finding(Kind.QUARANTINED, row.pk, row.public_id, what))
    models = [subject.model for subject in subjects]
    world = world_of(models, snapshots.refresh().providers, now)
    return _judge(subjects, world, [*findings, *unconnected(models, world)])


def subject_of(row: Model, published: Mapping[str, Content] | None = None) -> Subject:
    """What is judged of a model fetched by complete() and with_live(). Raises UnreadableContentError.

    `published`: see compile_model.
    """
    live_digest = row.live_digest  # type: ignore[attr-defined]  # annotated by with_live
    try:
        content = compile_model(row, published)
        edited_digest = digest(content)
    except (TypeError, ValueError, AttributeError) as error:
        raise UnreadableContentError(str(error)) from error
    return Subject(
        pk=row.pk,
        model=facts_from_content(content),
        priced_at={offering.pk: at for offering in row.offerings.all() if (at := _priced_at(row, offering))},
        quarantine_reason=row.quarantine_reason,
        is_published=live_digest is not None,
        is_live_as_edited=live_digest == edited_digest,
    )


def world_of(models: Iterable[ModelFacts], providers: Mapping[int, ProviderFacts], at: datetime) -> World:
    """What a model among these is judged against; one query."""
    return world_in(Snapshot.of(models, providers, revision=0), at)


def world_in(snapshot: Snapshot, at: datetime) -> World:
    """The same of a snapshot that is there already; one query."""
    return World(
        snapshot,
        at,
        {known.provider_id: frozenset(known.names) for known in UpstreamList.objects.all()},
        timedelta(days=settings.STALE_PRICE_DAYS),
    )


def judge_one(subject: Subject, world: World) -> tuple[Sequence[Finding], Quality]:
    """What is to be fixed of it, and how complete it is."""
    found = list(examine(subject, world))
    return found, judge(subject, {finding.kind for finding in found}, world.at)


def _judge(subjects: Iterable[Subject], world: World, findings: list[Finding]) -> Worklist:
    qualities = {}
    for subject in subjects:
        found, qualities[subject.pk] = judge_one(subject, world)
        findings += found
    order = list(Kind)
    known = {_identity_of(row): row for row in IgnoredFinding.objects.select_related("author")}
    findings.sort(key=lambda each: order.index(each.kind))
    return Worklist(
        tuple(each for each in findings if each.identity not in known),
        qualities,
        tuple((each, known[each.identity]) for each in findings if each.identity in known),
    )


def ignored_of(model: Model) -> frozenset[Identity]:
    """What nobody wants to see of it any more; one query."""
    return frozenset(map(_identity_of, model.ignored_findings.all()))


def ignore(findings: Iterable[Finding], *, reason: str, author: User | None) -> None:
    """Leave these out of the worklist, for everybody."""
    for each in findings:
        kind, model_id, offering_id, provider_id, what = each.identity
        IgnoredFinding.objects.create(
            kind=kind,
            model_id=model_id,
            offering_id=offering_id,
            provider_id=provider_id,
            what=what,
            reason=reason,
            author=author,
        )


def _identity_of(row: IgnoredFinding) -> Identity:
    return (row.kind, row.model_id, row.offering_id, row.provider_id, row.what)


def _priced_at(row: Model, offering: Offering) -> datetime | None:
    """When somebody last looked at its prices: a row was written, or a source was read on a day that it names."""
    rows = list(offering.prices.all())
    days = _day.findall(" ".join([row.source, *(price.source for price in rows)]))
    read_at = [moment for day in days if (moment := _moment(day))]
    return max([price.created_at for price in rows] + read_at, default=None)


def _moment(day: str) -> datetime | None:
    try:
        return datetime.fromisoformat(day).replace(tzinfo=UTC)
    except ValueError:
        return None


def _state() -> str:
    """Another one after every edit: what is published takes a revision, what is not is told by the audit."""
    told = AuditEntry.objects.order_by("-id").values_list("id", flat=True)
    state = Revision.objects.values_list("number", Subquery(told[:1])).first()
    # An empty catalogue has taken no revision yet.
    return str(state or told.first())
