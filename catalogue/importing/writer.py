"""Writing a folder into the catalogue, in short transactions. What is there already and the same is left alone."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEntry, User
from accounts.revision import Part, give_way, lock_revision, take_revision
from catalogue.importing.entries import Folder, OfferingEntry
from catalogue.importing.rows import (
    IMPORTED,
    Changes,
    PriceChanges,
    known_fields,
    new_model,
    new_offering,
    organisation_fields,
    price_changes,
    price_row,
    provider_row,
    refer,
    set_facts,
    take,
)
from catalogue.models import Alias, Edition, Model, Offering, Organisation, Price, PublishedModel
from catalogue.pricing.cost import plain
from catalogue.publishing.editions import publish
from providers.models import Credential, Provider

T = TypeVar("T")
Progress = Callable[[str, int, int], None]
"""Told the stage, how much of it is done, and how much there is."""

_BATCH = 100


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of a row. `before` is empty where it said nothing, or the row is new."""

    row: str
    field: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.row}: {self.field}: {self.before or 'nothing'} → {self.after or 'nothing'}"


@dataclass(slots=True)
class Written:
    """How many rows were made and changed, by what they are; and the editions that came of it."""

    made: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    editions: list[int] = field(default_factory=list)
    left: int = 0
    """Prices that were left to what staff had set."""
    aside: list[str] = field(default_factory=list)
    """Why models could not be published, one line each."""
    differences: list[Difference] = field(default_factory=list)
    """Of rows that were there before, and of prices."""
    curated: int = 0
    """Models that people look after here."""

    def count(self, counts: dict[str, int], what: str, number: int) -> None:
        if number:
            counts[what] = counts.get(what, 0) + number


class Writer:
    """One import. Each batch is a transaction of its own: if it breaks off, the next import goes on from there.

    What people look after here wins: of a model that did not come by an import, or that somebody has changed since,
    and of its offerings, only what is left open is filled in. With `only_new` nothing that is there is touched; with
    `is_dry` nothing at all, and no lock is taken.
    """

    def __init__(
        self,
        folder: Folder,
        *,
        author: User | None,
        progress: Progress,
        only_new: bool = False,
        is_dry: bool = False,
    ) -> None:
        self._folder = folder
        self._only_new, self._is_dry = only_new, is_dry
        self._new = dict[str, Model]()
        self._curated = _curated_models()
        self._author = author
        self._progress = progress
        self._touched = set[int]()
        self._made = set[int]()
        self.written = Written()

    def write(self) -> Written:
        with audit.unwatched():
            self._write_organisations()
            self._write_providers()
            self._write_models()
            self._write_references()
            self._write_aliases()
            self._write_offerings()
            if not self._is_dry:
                self._publish()
        self._tell()
        self.written.curated = len(self._curated)
        return self.written

    def _tell(self) -> None:
        """One entry of the audit for the whole run, told on its last edition."""
        edition = Edition.objects.filter(number__in=self.written.editions[-1:]).first()
        if edition is not None:
            counts = {f"{what} made": number for what, number in self.written.made.items()}
            counts |= {f"{what} changed": number for what, number in self.written.changed.items()}
            audit.record_run(
                edition, {"imported from": self._folder.name} | counts, event="catalogue.imported"
            )

    @transaction.atomic
    def _write_organisations(self) -> None:
        self._lock()
        known = Organisation.objects.in_bulk()
        entries = self._folder.organisations
        new = [Organisation(**organisation_fields(each)) for each in entries if each.id not in known]
        changed = []
        theirs = set(Model.objects.filter(pk__in=self._curated).values_list("organisation_id", flat=True))
        for each in [] if self._only_new else entries:
            row = known.get(each.id)
            if row and self._differs(row, set_facts(row, known_fields(each), is_curated=each.id in theirs)):
                changed.append(row)
        if not self._is_dry:
            Organisation.objects.bulk_create(new)
        for row in [] if self._is_dry else changed:
            row.save()
            self._touched.update(row.models.values_list("pk", flat=True))
        self._note("organisations", new, changed)

    @transaction.atomic
    def _write_providers(self) -> None:
        """New ones only: what opens a provider that is there, and whether it is on, is not an import's to say."""
        known = set(Provider.objects.values_list("slug", flat=True))
        entries = [entry for entry in self._folder.providers if entry.slug not in known]
        if not entries:
            return
        self.written.count(self.written.made, "providers", len(entries))
        if self._is_dry:
            return
        take_revision(Part.PROVIDERS)
        rows = Provider.objects.bulk_create(map(provider_row, entries))
        Credential.objects.bulk_create(
            Credential(provider=row, kind=Credential.Kind.ENVIRONMENT, variable=entry.variable)
            for row, entry in zip(rows, entries, strict=True)
            if entry.variable
        )

    def _write_models(self) -> None:
        known = {model.public_id: model for model in Model.objects.all()}
        for batch in self._batches("models", self._folder.models):
            new = [new_model(entry) for entry in batch if entry.id not in known]
            changed = []
            for entry in batch:
                model = None if self._only_new else known.get(entry.id)
                if model and self._differs(model, take(model, entry, is_curated=model.pk in self._curated)):
                    changed.append(model)
            if new or changed:
                self._save_models(new, changed)

    @transaction.atomic
    def _save_models(self, new: Sequence[Model], changed: Sequence[Model]) -> None:
        self._lock()
        if self._is_dry:
            for model in new:
                model.pk = -1 - len(self._new)
                self._new[model.public_id] = model
        else:
            Model.objects.bulk_create(new)
        self._made.update(model.pk for model in new)
        for model in [] if self._is_dry else changed:
            model.save()
        self._note("models", new, changed)

    def _write_references(self) -> None:
        """Successors and predecessors, once all models are there."""
        models = {model.public_id: model for model in Model.objects.all()} | self._new
        for batch in self._batches("references", self._folder.models):
            changed = []
            for entry in batch:
                model = models[entry.id]
                if self._may_touch(model) and self._differs(
                    model, refer(model, entry, models, is_curated=model.pk in self._curated)
                ):
                    changed.append(model)
            if changed and not self._is_dry:
                with transaction.atomic():
                    self._lock()
                    Model.objects.bulk_update(changed, ["successor", "previous"])

    @transaction.atomic
    def _write_aliases(self) -> None:
        self._lock()
        taken = {
            *Alias.objects.values_list("name", flat=True),
            *Model.objects.values_list("public_id", flat=True),
        }
        ids = self._ids()
        rows = [
            Alias(name=entry.name, model_id=ids[entry.model_id])
            for entry in self._folder.aliases
            if entry.name not in taken and entry.model_id in ids
        ]
        if not self._is_dry:
            Alias.objects.bulk_create(rows)
        self.written.count(self.written.made, "aliases", len(rows))

    def _write_offerings(self) -> None:
        ids = self._ids()
        providers = dict(Provider.objects.values_list("slug", "pk"))
        if self._is_dry:
            providers |= {entry.slug: 0 for entry in self._folder.providers if entry.slug not in providers}
        positions = _next_positions()
        known = {
            (row.model.public_id, row.provider.slug, row.upstream_name): row
            for row in Offering.objects.select_related("model", "provider").prefetch_related("prices")
        }
        for batch in self._batches("offerings", self._folder.offerings):
            new = [
                (new_offering(entry, ids, providers, positions), entry)
                for entry in batch
                if entry.key not in known
            ]
            there = [(known[entry.key], entry) for entry in batch if entry.key in known]
            if self._only_new:
                new, there = [pair for pair in new if pair[0].model_id in self._made], []
            self._save_offerings(new, there)

    @transaction.atomic
    def _save_offerings(
        self, new: Sequence[tuple[Offering, OfferingEntry]], there: Sequence[tuple[Offering, OfferingEntry]]
    ) -> None:
        self._lock()
        now = timezone.now()
        changed = [
            row
            for row, entry in there
            if self._differs(row, set_facts(row, entry.facts, is_curated=row.model_id in self._curated))
        ]
        if not self._is_dry:
            Offering.objects.bulk_create(row for row, _ in new)
        for row in [] if self._is_dry else changed:
            row.save()
        added = [price_row(row, price, None) for row, entry in new for price in entry.prices]
        ended: list[Price] = []
        for row, entry in there:
            changes = price_changes(row, entry.prices, now)
            added += changes.added
            ended += changes.ended
            self._tell_prices(row, changes)
            self.written.left += changes.left
        if not self._is_dry:
            Price.objects.bulk_create(added)
            Price.objects.bulk_update(ended, ["valid_to"])
        self._note("offerings", [row for row, _ in new], changed)
        self._note("prices", added, ended)

    def _publish(self) -> None:
        """All models of the folder: what an import that broke off had written is published by the next one."""
        ids = [entry.id for entry in self._folder.models]
        for batch in self._batches("publishing", ids):
            self._publish_models(Model.objects.filter(public_id__in=batch))
        self._publish_models(Model.objects.filter(pk__in=self._touched).exclude(public_id__in=ids))

    def _publish_models(self, rows: QuerySet[Model]) -> None:
        models = list(rows)
        edition = publish(models, author=self._author, note=f"Imported from {self._folder.name}")
        if edition:
            self.written.editions.append(edition.number)
        self.written.aside += [
            f"{model}: {model.quarantine_reason}" for model in models if model.quarantine_reason
        ]

    def _lock(self) -> None:
        if not self._is_dry:
            lock_revision()

    def _ids(self) -> dict[str, int]:
        """Of models by public id; those that a dry run would make have placeholders."""
        return dict(Model.objects.values_list("public_id", "pk")) | {
            id_: each.pk for id_, each in self._new.items()
        }

    def _may_touch(self, model: Model) -> bool:
        return not self._only_new or model.pk in self._made

    def _differs(self, row: Any, changes: Changes) -> bool:
        """Whether it does; what differs of a row that was there before is told."""
        if row.pk not in self._made or not isinstance(row, Model):
            self.written.differences += [
                Difference(str(row), name, _shown(before), _shown(after))
                for name, (before, after) in changes.items()
            ]
        return bool(changes)

    def _tell_prices(self, row: Offering, changes: PriceChanges) -> None:
        said = [*((price, True) for price in changes.ended), *((price, False) for price in changes.added)]
        for price, is_ended in said:
            text = f"{plain(price.amount)} {price.currency} for {price.unit_size}"
            before, after = (text, "ends") if is_ended else ("", text)
            self.written.differences.append(
                Difference(
                    f"{row.model} at {row.provider} as {row.upstream_name}",
                    f"price of {price.meter}, {price.plan}",
                    before,
                    after,
                )
            )

    def _note(self, what: str, made: Collection[Any], changed: Collection[Any]) -> None:
        self.written.count(self.written.made, what, len(made))
        self.written.count(self.written.changed, what, len(changed))

    def _batches(self, stage: str, entries: Sequence[T]) -> Iterator[Sequence[T]]:
        for begins in range(0, len(entries), _BATCH):
            yield entries[begins : begins + _BATCH]
            self._progress(stage, min(begins + _BATCH, len(entries)), len(entries))
            if begins + _BATCH < len(entries) and not self._is_dry:
                give_way()


def _curated_models() -> frozenset[int]:
    """Those that did not come by an import of a folder, and those that somebody has acted on since."""
    page = f"{Model._meta.label_lower}/"
    acts = AuditEntry.objects.filter(page__startswith=page).exclude(actor=None, key="")
    pages = acts.order_by().values_list("page", flat=True).distinct()
    acted_on = {int(number) for each in pages if (number := each.removeprefix(page)).isdecimal()}
    others = Model.objects.exclude(source__startswith=IMPORTED).values_list("pk", flat=True)
    published = PublishedModel.objects.exclude(edition_from__author=None).values("public_id")
    by_people = Model.objects.filter(public_id__in=published).values_list("pk", flat=True)
    return frozenset(acted_on.union(others, by_people))


def _shown(value: Any) -> str:
    if value in (None, ""):
        return ""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _next_positions() -> dict[int, int]:
    """By model: where its next offering comes in the order."""
    positions: dict[int, int] = {}
    for model_id, position in Offering.objects.values_list("model_id", "position"):
        positions[model_id] = max(positions.get(model_id, 0), position + 1)
    return positions
