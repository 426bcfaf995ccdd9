"""Reading the snapshot from SQL: all of it at first, then only what changed."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace

from accounts.revision import Revisions, read
from catalogue.compile import UnreadableContentError, facts_from_content
from catalogue.models import Offering, PublishedModel
from catalogue.snapshot import EMPTY, ModelFacts, Snapshot
from providers.facts import ProviderFacts
from providers.services import provider_facts

log = logging.getLogger(__name__)


def load_snapshot(previous: Snapshot | None) -> Snapshot:
    """The snapshot at the present revision, made from `previous` where that is possible.

    A published record that cannot be read leaves the model as `previous` has it, and is logged.
    """
    # Not in a transaction: what is newer than the revision read first shows again at the next one, and on
    # SQLite a transaction would take the write lock.
    revisions = read()
    known = previous if previous and 0 <= previous.revision <= revisions.number else EMPTY
    models = _models(known, revisions)
    if known is EMPTY or max(revisions.catalogue, revisions.providers) > known.revision:
        models = _switched(models)
    return Snapshot.of(
        models.values(),
        _providers(known, revisions),
        revision=revisions.number,
        edition=revisions.catalogue,
    )


def _models(known: Snapshot, revisions: Revisions) -> Mapping[str, ModelFacts]:
    if known is EMPTY:
        return _read_models(PublishedModel.objects.at_edition(revisions.number), {})
    if revisions.catalogue <= known.revision:
        return known.models
    rows = PublishedModel.objects.touched_between(known.revision, revisions.number)
    live = [row for row in rows if row.is_live_at(revisions.number)]
    gone = {row.public_id for row in rows} - {row.public_id for row in live}
    remaining = {public_id: model for public_id, model in known.models.items() if public_id not in gone}
    return _read_models(live, remaining)


def _read_models(rows: Iterable[PublishedModel], known: Mapping[str, ModelFacts]) -> dict[str, ModelFacts]:
    models = dict(known)
    for row in rows:
        try:
            models[row.public_id] = facts_from_content(row.content)
        except UnreadableContentError:
            log.exception("The record of %s cannot be read; the last good one stays in use.", row.public_id)
    return models


def _switched(models: Mapping[str, ModelFacts]) -> dict[str, ModelFacts]:
    """With the switches of offerings as they are now."""
    off = set(Offering.objects.filter(is_enabled=False).values_list("pk", flat=True))
    return {public_id: _with_switches(model, off) for public_id, model in models.items()}


def _with_switches(model: ModelFacts, off: set[int]) -> ModelFacts:
    if all(offering.is_enabled is (offering.id not in off) for offering in model.offerings):
        return model
    offerings = (replace(offering, is_enabled=offering.id not in off) for offering in model.offerings)
    return replace(model, offerings=tuple(offerings))


def _providers(known: Snapshot, revisions: Revisions) -> Mapping[int, ProviderFacts]:
    if known is EMPTY or revisions.providers > known.revision:
        return provider_facts()
    return known.providers
