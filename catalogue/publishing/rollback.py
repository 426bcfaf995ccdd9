"""Rolling back: what an earlier edition said is published again, as a new edition.

Working rows are set to what the older records say, and then published. Prices are ended and appended, never
rewritten; switches are not editorial and stay as they are; names of organisations and providers belong to those.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast

from django.db import transaction
from django.utils import timezone

from accounts.models import Project, Team, User
from accounts.revision import Part, lock_revision, take_revision
from catalogue.changes.differences import FieldChange
from catalogue.changes.price_text import readable_differences
from catalogue.facts import ModelFacts
from catalogue.models import Alias, Edition, Model, Organisation, PublishedModel
from catalogue.published.content import (
    Content,
    MemberContent,
    UnreadableContentError,
    facts_from_content,
)
from catalogue.publishing.compile import compile_model, compile_provider
from catalogue.publishing.editions import publish
from catalogue.publishing.restoring import restore, without_past
from catalogue.services import delete_models
from providers.models import Provider


class RollbackRefusedError(ValueError):
    """`reasons` are sentences for staff, one for each thing that stands in the way."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Step:
    """One model and what it would be set to. `changes` are from the working row; `is_gone`: it comes back.

    Without a change it may still be set: where offerings were deleted and added anew.
    """

    public_id: str
    content: Content
    changes: Sequence[FieldChange]
    is_gone: bool = False
    is_same: bool = False
    """The working row says it already, and in the same rows."""
    reasons: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """`newer` are models that the edition did not have yet. They stay unless asked otherwise."""

    edition: int
    steps: Sequence[Step]
    newer: Sequence[str] = field(default=())

    @property
    def reasons(self) -> list[str]:
        """Why it cannot be done; empty where it can."""
        return [reason for step in self.steps for reason in step.reasons]


def plan_rollback(edition: int, public_id: str | None = None) -> Plan:
    """What would change: of one model, or of all that differ from that edition. A fixed number of queries."""
    then = PublishedModel.objects.at_edition(edition)
    if public_id is not None:
        then = then.filter(public_id=public_id)
    live = dict(PublishedModel.objects.current().values_list("public_id", "pk"))
    ids = {name: pk for name, pk in then.values_list("public_id", "pk") if public_id or live.get(name) != pk}
    records = dict(PublishedModel.objects.filter(pk__in=ids.values()).values_list("public_id", "content"))
    rows = {row.public_id: row for row in Model.objects.complete().filter(public_id__in=records)}
    obstacles = _Obstacles.read(records.values())
    at = timezone.now()
    steps = [_step(record, rows.get(name), obstacles, at) for name, record in sorted(records.items())]
    steps = [step for step in steps if not step.is_same]
    newer = [] if public_id else sorted(live.keys() - set(then.values_list("public_id", flat=True)))
    return Plan(edition, steps, newer)


@transaction.atomic
def roll_back(
    edition: int, public_id: str | None = None, *, author: User | None = None, removes_newer: bool = False
) -> Edition | None:
    """Set the working rows and publish them. None: nothing changed for clients. Raises RollbackRefusedError."""
    lock_revision()
    plan = plan_rollback(edition, public_id)
    if plan.reasons:
        raise RollbackRefusedError(plan.reasons)
    at = timezone.now()
    note = f"Rolled back {public_id or 'the catalogue'} to {Edition.objects.get(number=edition)}"
    removed = None
    if removes_newer and plan.newer:
        removed = delete_models(Model.objects.filter(public_id__in=plan.newer), author=author)
    models = _restore_all(plan.steps, at)
    return publish(models, author=author, note=note, at=at) or removed


def _restore_all(steps: Sequence[Step], at: datetime) -> list[Model]:
    """All names are freed first, and all models are there before they refer to each other."""
    if any(step.is_gone for step in steps):
        # Offerings come back switched off, which every process has to see.
        take_revision(Part.PROVIDERS)
    rows = {row.public_id: row for row in Model.objects.complete().filter(public_id__in=_ids(steps))}
    for step in steps:
        if step.is_gone:
            organisation_id, slug = step.public_id.split("/", 1)
            rows[step.public_id] = Model.objects.create(
                organisation_id=organisation_id, slug=slug, name=step.content["name"]
            )
    for step in steps:
        row = rows[step.public_id]
        for alias in row.aliases.exclude(name__in=step.content["aliases"]):
            alias.delete()
    return [restore(rows[step.public_id], step.content, at) for step in steps]


def _ids(steps: Iterable[Step]) -> list[str]:
    return [step.public_id for step in steps]


@dataclass(frozen=True, slots=True)
class _Obstacles:
    """What a record has to find when it comes back, read once for all of them."""

    organisations: Collection[str]
    providers: Collection[int]
    models: Collection[str]
    taken: dict[str, str]
    """Alias → the model that has it now and would keep it."""

    @classmethod
    def read(cls, records: Iterable[Content]) -> "_Obstacles":
        by_id = {record["id"]: record for record in records}
        holders = Alias.objects.values_list("name", "model__public_id")
        return cls(
            set(Organisation.objects.values_list("pk", flat=True)),
            set(Provider.objects.values_list("pk", flat=True)),
            {*Model.objects.values_list("public_id", flat=True), *by_id},
            {
                name: holder
                for name, holder in holders
                if holder not in by_id or name in by_id[holder]["aliases"]
            },
        )


def _step(record: Content, row: Model | None, obstacles: _Obstacles, at: datetime) -> Step:
    public_id = record["id"]
    try:
        older = without_past(facts_from_content(_with_present_providers(record, row)), at)
    except UnreadableContentError as error:
        return Step(
            public_id, record, (), reasons=[f"{public_id}: its older record cannot be read ({error})."]
        )
    reasons = list(_reasons(public_id, record, obstacles))
    if row and row.is_route != older.is_route:
        reasons.append(f"{public_id}: it is a {row.get_kind_display().lower()} now. Delete that first.")
    current = _working_facts(row, at) if row else None
    older = _with_present_organisation(older, current) if current else older
    changes = list(readable_differences(current, older)) if current else []
    is_same = current == older and not reasons
    return Step(public_id, record, changes, is_gone=row is None, is_same=is_same, reasons=reasons)


def _with_present_providers(record: Content, row: Model | None) -> Content:
    """What providers say of themselves belongs to their rows, which are not rolled back."""
    if row is None:
        return record
    present = {each.provider_id: compile_provider(each.provider) for each in row.offerings.all()}
    offerings = [
        each | {"provider": present.get(each["provider"]["id"], each["provider"])}
        for each in record["offerings"]
    ]
    return cast("Content", record | {"offerings": offerings})


def _with_present_organisation(older: ModelFacts, current: ModelFacts) -> ModelFacts:
    """Likewise its organisation."""
    return replace(
        older, organisation_name=current.organisation_name, organisation_colour=current.organisation_colour
    )


def _working_facts(row: Model, at: datetime) -> ModelFacts | None:
    """None of a row that is too broken to be read: it is set as a whole."""
    try:
        # What a route has of its members is not compared.
        return without_past(facts_from_content(compile_model(row, {})), at)
    except (UnreadableContentError, TypeError, AttributeError):
        return None


def _reasons(public_id: str, record: Content, obstacles: _Obstacles) -> Iterable[str]:
    if record["organisation"]["id"] not in obstacles.organisations:
        yield f"{public_id}: its organisation {record['organisation']['id']} no longer exists. Add it first."
    yield from _reasons_of_members(public_id, record.get("members", ()), obstacles)
    for offering in record["offerings"] if "members" not in record else ():
        provider = offering["provider"]
        if provider["id"] not in obstacles.providers:
            yield f"{public_id}: the provider {provider['slug']} no longer exists, which it had an offering at."
    for relation, other in (("successor", record["successor_id"]), ("predecessor", record["previous_id"])):
        if other and other not in obstacles.models:
            yield f"{public_id}: its {relation} {other} no longer exists. Roll that one back first."
    for name in record["aliases"]:
        holder = obstacles.taken.get(name, public_id)
        if holder != public_id:
            yield f"{public_id}: its alias {name} belongs to {holder} now. Take it from there first."
        elif name in obstacles.models:
            yield f"{public_id}: its alias {name} is the id of a model now."


def _reasons_of_members(
    public_id: str, members: Iterable[MemberContent], obstacles: _Obstacles
) -> Iterable[str]:
    for member in members:
        if member["model_id"] not in obstacles.models:
            yield f"{public_id}: its member {member['model_id']} no longer exists. Roll that one back first."
        provider, conditions = member["provider"], member["conditions"]
        if provider and provider["id"] not in obstacles.providers:
            yield f"{public_id}: the provider {provider['slug']} no longer exists, which a member of it is pinned to."
        if (team := conditions.get("team")) and not Team.objects.filter(pk=team["id"]).exists():
            yield f"{public_id}: the team {team['slug']} no longer exists, whose calls a member of it is for."
        if (project := conditions.get("project")) and not Project.objects.filter(pk=project["id"]).exists():
            yield f"{public_id}: the project {project['slug']} no longer exists, whose calls a member of it is for."
