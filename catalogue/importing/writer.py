"""Writing a folder into the catalogue, in short transactions. What is there already and the same is left alone."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit
from accounts.models import User
from accounts.revision import Part, give_way, lock_revision, take_revision
from catalogue.importing.entries import Folder, OfferingEntry
from catalogue.importing.rows import (
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
from catalogue.models import Alias, Edition, Model, Offering, Organisation, Price
from catalogue.publishing.editions import publish
from providers.models import Credential, Provider

T = TypeVar("T")
Progress = Callable[[str, int, int], None]
"""Told the stage, how much of it is done, and how much there is."""

_BATCH = 100


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

    def count(self, counts: dict[str, int], what: str, number: int) -> None:
        if number:
            counts[what] = counts.get(what, 0) + number


class Writer:
    """One import. Each batch is a transaction of its own: if it breaks off, the next import goes on from there."""

    def __init__(self, folder: Folder, *, author: User | None, progress: Progress) -> None:
        self._folder = folder
        self._author = author
        self._progress = progress
        self._touched = set[int]()
        self.written = Written()

    def write(self) -> Written:
        with audit.unwatched():
            self._write_organisations()
            self._write_providers()
            self._write_models()
            self._write_references()
            self._write_aliases()
            self._write_offerings()
            self._publish()
        self._tell()
        return self.written

    def _tell(self) -> None:
        """One entry of the audit for the whole run, told on its last edition."""
        edition = Edition.objects.filter(number__in=self.written.editions[-1:]).first()
        if edition is not None:
            counts = {f"{what} made": number for what, number in self.written.made.items()}
            counts |= {f"{what} changed": number for what, number in self.written.changed.items()}
            audit.record_run(edition, {"imported from": self._folder.name} | counts)

    @transaction.atomic
    def _write_organisations(self) -> None:
        lock_revision()
        known = Organisation.objects.in_bulk()
        entries = self._folder.organisations
        new = [Organisation(**organisation_fields(each)) for each in entries if each.id not in known]
        changed = [
            row for each in entries if (row := known.get(each.id)) and set_facts(row, known_fields(each))
        ]
        Organisation.objects.bulk_create(new)
        for row in changed:
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
        take_revision(Part.PROVIDERS)
        rows = Provider.objects.bulk_create(map(provider_row, entries))
        Credential.objects.bulk_create(
            Credential(provider=row, kind=Credential.Kind.ENVIRONMENT, variable=entry.variable)
            for row, entry in zip(rows, entries, strict=True)
            if entry.variable
        )
        self.written.count(self.written.made, "providers", len(rows))

    def _write_models(self) -> None:
        known = {model.public_id: model for model in Model.objects.all()}
        for batch in self._batches("models", self._folder.models):
            new = [new_model(entry) for entry in batch if entry.id not in known]
            changed = [
                known[entry.id] for entry in batch if entry.id in known and take(known[entry.id], entry)
            ]
            if new or changed:
                self._save_models(new, changed)

    @transaction.atomic
    def _save_models(self, new: Sequence[Model], changed: Sequence[Model]) -> None:
        lock_revision()
        Model.objects.bulk_create(new)
        for model in changed:
            model.save()
        self._note("models", new, changed)

    def _write_references(self) -> None:
        """Successors and predecessors, once all models are there."""
        models = {model.public_id: model for model in Model.objects.all()}
        for batch in self._batches("references", self._folder.models):
            changed = [model for entry in batch if refer(model := models[entry.id], entry, models)]
            if changed:
                with transaction.atomic():
                    lock_revision()
                    Model.objects.bulk_update(changed, ["successor", "previous"])

    @transaction.atomic
    def _write_aliases(self) -> None:
        lock_revision()
        taken = {
            *Alias.objects.values_list("name", flat=True),
            *Model.objects.values_list("public_id", flat=True),
        }
        ids = dict(Model.objects.values_list("public_id", "pk"))
        rows = [
            Alias(name=entry.name, model_id=ids[entry.model_id])
            for entry in self._folder.aliases
            if entry.name not in taken and entry.model_id in ids
        ]
        Alias.objects.bulk_create(rows)
        self.written.count(self.written.made, "aliases", len(rows))

    def _write_offerings(self) -> None:
        ids = dict(Model.objects.values_list("public_id", "pk"))
        providers = dict(Provider.objects.values_list("slug", "pk"))
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
            self._save_offerings(new, there)

    @transaction.atomic
    def _save_offerings(
        self, new: Sequence[tuple[Offering, OfferingEntry]], there: Sequence[tuple[Offering, OfferingEntry]]
    ) -> None:
        lock_revision()
        now = timezone.now()
        changed = [row for row, entry in there if set_facts(row, entry.facts)]
        Offering.objects.bulk_create(row for row, _ in new)
        for row in changed:
            row.save()
        added = [price_row(row, price, None) for row, entry in new for price in entry.prices]
        ended: list[Price] = []
        for row, entry in there:
            changes = price_changes(row, entry.prices, now)
            added += changes.added
            ended += changes.ended
            self.written.left += changes.left
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

    def _note(self, what: str, made: Collection[Any], changed: Collection[Any]) -> None:
        self.written.count(self.written.made, what, len(made))
        self.written.count(self.written.changed, what, len(changed))

    def _batches(self, stage: str, entries: Sequence[T]) -> Iterator[Sequence[T]]:
        for begins in range(0, len(entries), _BATCH):
            yield entries[begins : begins + _BATCH]
            self._progress(stage, min(begins + _BATCH, len(entries)), len(entries))
            if begins + _BATCH < len(entries):
                give_way()


def _next_positions() -> dict[int, int]:
    """By model: where its next offering comes in the order."""
    positions: dict[int, int] = {}
    for model_id, position in Offering.objects.values_list("model_id", "position"):
        positions[model_id] = max(positions.get(model_id, 0), position + 1)
    return positions
