"""Publishing: what staff edited becomes what clients see, in numbered editions."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from accounts.models import User
from accounts.revision import Part, lock_revision, take_revision
from catalogue.models import Alias, Edition, Model, PublishedModel, RouteMember
from catalogue.published.content import Content
from catalogue.publishing.compile import compile_model, digest, problems
from catalogue.publishing.routes import published_members
from catalogue.publishing.rows import write_rows


@dataclass(frozen=True, slots=True)
class _Draft:
    """A compiled model that differs from what is live. `replaces` is the row whose place it takes."""

    content: Content
    digest: str
    replaces: int | None


@transaction.atomic
def publish(
    models: Iterable[Model], *, author: User | None = None, note: str = "", at: datetime | None = None
) -> Edition | None:
    """Publish those of the models whose record changed, as one edition. None if nothing changed for clients.

    A model with problems is quarantined: its `quarantine_reason` is set, also on the instance that was passed,
    and its last good published row stays live. Named routes are published together with any of their members.
    """
    lock_revision()
    passed = list(models)
    ids = [model.pk for model in passed]
    routes = RouteMember.objects.filter(model__in=ids).order_by().values("route")
    rows = list(Model.objects.complete().filter(Q(pk__in=ids) | Q(pk__in=routes)).order_by("pk"))
    reasons = reasons_against(rows)
    _note_quarantine(rows, reasons)
    for model in passed:
        model.quarantine_reason = reasons.get(model.pk, "")
    drafts = _drafts([row for row in rows if row.pk not in reasons])
    if not drafts:
        return None
    edition = _open_edition(author, note, at)
    _write(drafts, edition)
    return edition


@transaction.atomic
def withdraw(
    public_ids: Iterable[str], *, author: User | None = None, note: str = "", at: datetime | None = None
) -> Edition | None:
    """Take models that no longer exist out of the catalogue. None when none of them was published."""
    lock_revision()
    rows = PublishedModel.objects.current().filter(public_id__in=list(public_ids))
    if not rows.exists():
        return None
    edition = _open_edition(author, note, at)
    rows.update(edition_to=edition)
    return edition


def reasons_against(rows: list[Model]) -> dict[int, str]:
    """By primary key: why a model that was fetched by complete() cannot be published, a line each reason."""
    taken = _taken_names(rows)
    reasons = {}
    for row in rows:
        complaints = problems(row)
        complaints += [
            f"alias {alias}: it is a model's id." for alias in row.aliases.all() if alias.name in taken
        ]
        if row.public_id in taken:
            complaints.append(f"model: its id {row.public_id} is another model's alias.")
        if complaints:
            reasons[row.pk] = "\n".join(complaints)
    return reasons


def _taken_names(rows: list[Model]) -> set[str]:
    """Aliases of these models that are ids of models, and their ids that are aliases; one query."""
    aliases = [alias.name for row in rows for alias in row.aliases.all()]
    ids = Model.objects.filter(public_id__in=aliases).order_by().values_list("public_id")
    names = Alias.objects.filter(name__in=[row.public_id for row in rows]).order_by().values_list("name")
    return {name for (name,) in ids.union(names)}


def _note_quarantine(rows: list[Model], reasons: Mapping[int, str]) -> None:
    changed: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        reason = reasons.get(row.pk, "")
        if reason != row.quarantine_reason:
            changed[reason].append(row.pk)
    for reason, ids in changed.items():
        Model.objects.filter(pk__in=ids).update(quarantine_reason=reason)


def _drafts(rows: list[Model]) -> list[_Draft]:
    """What would change for clients."""
    live = PublishedModel.objects.current().filter(public_id__in=[row.public_id for row in rows])
    current = {
        public_id: (pk, live_digest)
        for pk, public_id, live_digest in live.values_list("pk", "public_id", "digest")
    }
    drafts = []
    for row, content in _compiled(rows):
        replaced, live_digest = current.get(row.public_id, (None, ""))
        draft = _Draft(content, digest(content), replaced)
        if draft.digest != live_digest:
            drafts.append(draft)
    return drafts


def _compiled(rows: list[Model]) -> Iterator[tuple[Model, Content]]:
    """Routes last: they say what their members say from now on."""
    published = published_members(rows)
    for row in sorted(rows, key=lambda row: row.is_route):
        content = compile_model(row, published)
        published[row.public_id] = content
        yield row, content


def _open_edition(author: User | None, note: str, at: datetime | None) -> Edition:
    number = take_revision(Part.CATALOGUE)
    last = Edition.objects.aggregate(place=Max("place"))["place"] or 0
    return Edition.objects.create(
        number=number, place=last + 1, author=author, note=note[:300], published_at=at or timezone.now()
    )


def _write(drafts: list[_Draft], edition: Edition) -> None:
    replaced = [draft.replaces for draft in drafts if draft.replaces is not None]
    if replaced:
        PublishedModel.objects.filter(pk__in=replaced).update(edition_to=edition)
    write_rows([(draft.content, draft.digest) for draft in drafts], edition)
