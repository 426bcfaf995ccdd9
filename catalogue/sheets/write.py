"""Writing one batch of a judged sheet: one short transaction, judged once more under the lock, published at its end."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from accounts import audit
from accounts.models import User
from catalogue.models import Edition, Model, Price
from catalogue.publishing.editions import publish
from catalogue.sheets.judge import Judge
from catalogue.sheets.judged import JudgedRow, Kind
from catalogue.sheets.known_base import Known
from catalogue.sheets.known_prices import KnownPrices, begins_now
from catalogue.sheets.upload import Row


class SpoiltError(Exception):
    """What was good when it was judged no longer is; the message names row and reason. Nothing of the batch is kept."""


def write_batch(known: Known, rows: Sequence[Row], *, author: User | None, note: str) -> Edition | None:
    """Call it in a transaction that holds the revision. Raises SpoiltError."""
    judged = Judge(known).judge(rows)
    for each in judged:
        if each.faults:
            raise SpoiltError(f"Row {each.number}, {each.name}: {each.faults[0]}")
    with audit.unwatched():
        made = [each.row for each in judged if each.kind is Kind.NEW]
        if isinstance(known, KnownPrices):
            _begin_prices(known, made)
        _make(made)
        for each in judged:
            if each.kind is Kind.CHANGED:
                _save(each)
    touched = known.model_ids(each.row for each in judged if each.kind is not Kind.SAME)
    return _publish(touched, author=author, note=note)


def _make(rows: Sequence[Any]) -> None:
    if rows and isinstance(rows[0], Model):
        _make_models(rows)
    elif rows:
        type(rows[0]).objects.bulk_create(rows)


def _begin_prices(known: KnownPrices, rows: Sequence[Price]) -> None:
    """As a price that is typed does: what has no beginning begins now, and what ran until then ends."""
    at = timezone.now()
    for row in rows:
        if begins_now(row):
            row.valid_from = at
    ended = {price.pk: max(at, row.valid_from or at) for row in rows for price in known.superseded(row)}
    for ends in set(ended.values()):
        Price.objects.filter(pk__in=[pk for pk, each in ended.items() if each == ends]).update(valid_to=ends)


def _make_models(rows: Sequence[Model]) -> None:
    """They may name others of the same batch, which have no key before they are made."""
    named = [(row, row.successor, row.previous) for row in rows if row.successor or row.previous]
    for row, _successor, _previous in named:
        row.successor = row.previous = None
    Model.objects.bulk_create(rows)
    for row, successor, previous in named:
        row.successor, row.previous = successor, previous
    Model.objects.bulk_update([row for row, *_ in named], ["successor", "previous"])


def _save(judged: JudgedRow) -> None:
    row, names = judged.row, list(judged.names)
    if isinstance(row, Model):
        names.append("updated_at")
    row.save(update_fields=names)


def _publish(model_ids: set[int], *, author: User | None, note: str) -> Edition | None:
    models = list(Model.objects.filter(pk__in=model_ids))
    edition = publish(models, author=author, note=note)
    aside = next((model for model in models if model.quarantine_reason), None)
    if aside is not None:
        raise SpoiltError(f"{aside} cannot be published. {aside.quarantine_reason}")
    return edition
