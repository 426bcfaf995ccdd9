"""Reading the snapshot from SQL: all of it at first, then only what changed. One snapshot serves a whole process."""

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from django.db.models import Q

from accounts.revision import Revisions, read
from catalogue.facts import ModelFacts, OfferingFacts
from catalogue.models import Offering, PublishedModel
from catalogue.published.content import UnreadableContentError, facts_from_content
from catalogue.published.snapshot import EMPTY, Snapshot
from gateway.core.store.interface import Limit
from providers.breakers import breaker_holds
from providers.credentials import credential_facts
from providers.facts import BreakerHolds, Credentials, ProviderFacts
from providers.services import provider_facts, quotas_by

log = logging.getLogger(__name__)

_EDITIONS_KEPT = 4


class Snapshots:
    """Holds the newest snapshot that this process has read, `current`. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.current = EMPTY
        self._changed_at = datetime.now(UTC)

    @property
    def changed_at(self) -> datetime:
        """When this process first saw the edition and the switches of the current snapshot."""
        return self._changed_at

    def refresh(self) -> Snapshot:
        """As it is now: one query, and more only where something changed. Raises django.db.Error.

        At worst two read the same: nobody waits for SQL with the lock, or where SQL is away all would wait in a line.
        """
        before = self.current
        now = load_snapshot(before)
        with self._lock:
            if self.current is before or self.current.revision < now.revision:
                self._hold(now)
            return self.current

    def _hold(self, now: Snapshot) -> None:
        before, self.current = self.current, now
        if (before.edition, before.switches) != (now.edition, now.switches):
            self._changed_at = datetime.now(UTC)

    def forget(self) -> None:
        """Read everything again at the next look: the database behind it became another one."""
        with self._lock:
            self.current = EMPTY
        snapshot_at_edition.cache_clear()


snapshots = Snapshots()
"""Of this process: the data plane and the catalogue's views look at the same one."""


def load_snapshot(previous: Snapshot | None) -> Snapshot:
    """The snapshot at the present revision, made from `previous` where that is possible.

    A published record that cannot be read leaves the model as `previous` has it, and is logged.
    """
    # Not in a transaction: what is newer than the revision read first shows again at the next one, and on
    # SQLite a transaction would take the write lock.
    revisions = read()
    known = previous if previous and 0 <= previous.revision <= revisions.number else EMPTY
    switches = max(revisions.catalogue, revisions.providers)
    if known is not EMPTY and switches <= known.revision:
        return known if known.revision == revisions.number else replace(known, revision=revisions.number)
    return Snapshot.of(
        _switched(_models(known, revisions)).values(),
        _providers(known, revisions),
        revision=revisions.number,
        edition=revisions.catalogue,
        switches=switches,
        credentials=_credentials(known, revisions),
        held=_held(known, revisions),
        in_flight=None if known is EMPTY else known.in_flight,
    )


@lru_cache(_EDITIONS_KEPT)
def snapshot_at_edition(number: int) -> Snapshot:
    """What was published at that edition, everything switched on: which switches were off then is not kept."""
    models = _read_models(PublishedModel.objects.at_edition(number), {}).values()
    providers = {offering.provider_id: _open(offering) for model in models for offering in model.offerings}
    return Snapshot.of(models, providers, revision=number, edition=number)


def _open(offering: OfferingFacts) -> ProviderFacts:
    return ProviderFacts(
        id=offering.provider_id,
        slug=offering.provider_slug,
        name=offering.provider_name,
        wire_format="",
        base_url="",
        is_enabled=True,
        is_usable=True,
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
    quotas = quotas_by("offering")
    turned = Q(is_enabled=False) | Q(patience_s__isnull=False) | Q(pk__in=quotas)
    rows = Offering.objects.filter(turned).values_list("pk", "is_enabled", "patience_s")
    switches = {
        pk: Switches(is_enabled, patience_s, quotas.get(pk, ())) for pk, is_enabled, patience_s in rows
    }
    return {public_id: _with_switches(model, switches) for public_id, model in models.items()}


class Switches(NamedTuple):
    """What staff turn of an offering, outside editions."""

    is_enabled: bool = True
    patience_s: int | None = None
    quotas: tuple[Limit, ...] = ()


_UNTURNED = Switches()


def _with_switches(model: ModelFacts, switches: Mapping[int, Switches]) -> ModelFacts:
    now = [switches.get(offering.id, _UNTURNED) for offering in model.offerings]
    if now == [Switches(each.is_enabled, each.patience_s, each.quotas) for each in model.offerings]:
        return model
    offerings = (
        replace(offering, **turned._asdict()) for offering, turned in zip(model.offerings, now, strict=True)
    )
    return replace(model, offerings=tuple(offerings))


def _providers(known: Snapshot, revisions: Revisions) -> Mapping[int, ProviderFacts]:
    if known is EMPTY or revisions.providers > known.revision:
        return provider_facts()
    return known.providers


def _credentials(known: Snapshot, revisions: Revisions) -> Credentials:
    if known is EMPTY or revisions.providers > known.revision:
        return credential_facts()
    return known.credentials


def _held(known: Snapshot, revisions: Revisions) -> BreakerHolds:
    if known is EMPTY or revisions.providers > known.revision:
        return breaker_holds()
    return known.held
