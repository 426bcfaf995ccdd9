"""What changed of a model between two instants: by an edition, or because a date came. Pure.

A model's life is cut at the instants at which an edition replaced it or a date of it passed. What is true just before
and from such an instant on is compared, so that lists read at both sides always agree with what is told here.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from catalogue.changes.differences import FieldChange, changed, differences, is_price_list, label
from catalogue.facts import ModelFacts, OfferingFacts
from catalogue.lifecycle.status import Status
from catalogue.pricing.cost import current_prices
from catalogue.published.record import price_fields, top_offering, unit_price

INSTANT = timedelta(microseconds=1)
"""The least that two instants can lie apart."""
_IDS = uuid.UUID("6f0d2f2e-61a4-4c0b-9d5e-0a6c7a0f7d11")


class Kind(StrEnum):
    ADDED = "added"
    ANNOUNCED = "announced"
    RELEASED = "released"
    DEPRECATED = "deprecated"
    RETIRED = "retired"
    WITHDRAWN = "withdrawn"
    REPRICED = "repriced"
    CHANGED = "changed"


_REACHED: Mapping[Status, Kind] = {
    Status.ACTIVE: Kind.RELEASED,
    Status.DEPRECATED: Kind.DEPRECATED,
    Status.RETIRED: Kind.RETIRED,
}
_ORDER = list(Status)


@dataclass(frozen=True, slots=True)
class Version:
    """A model as published from one edition until before another; `closed` is None while it is live."""

    model: ModelFacts
    opened: int
    opened_at: datetime
    closed: int | None = None
    closed_at: datetime | None = None

    @property
    def last_edition_at(self) -> datetime:
        return self.closed_at or self.opened_at

    def turning_points(self) -> Iterator[datetime]:
        """At which it began, ended, or a date of it passed meanwhile."""
        yield self.opened_at
        if self.closed_at is not None:
            yield self.closed_at
        for at in self.model.instants():
            if self.opened_at < at and (self.closed_at is None or at < self.closed_at):
                yield at

    def is_live(self, at: datetime) -> bool:
        return self.opened_at <= at and (self.closed_at is None or at < self.closed_at)


@dataclass(frozen=True, slots=True)
class Change:
    """`edition` is None where a date came and nobody published. `model` is as it was afterwards, or at last."""

    kind: Kind
    at: datetime
    edition: int | None
    model: ModelFacts
    fields: tuple[FieldChange, ...] = ()

    @property
    def id(self) -> str:
        """The same whenever it is asked for."""
        cause = self.at.isoformat() if self.edition is None else str(self.edition)
        return stable_id(self.model, self.kind, cause)


def stable_id(model: ModelFacts, *parts: str) -> str:
    """A URN for something about a model, the same in every process and at every host name."""
    words = (model.id, model.created_at.isoformat(), *parts)
    return uuid.uuid5(_IDS, "\n".join(words)).urn


def changes_between(versions: Iterable[Version], begins: datetime, ends: datetime) -> list[Change]:
    """From `begins` until before `ends`, of any number of models, newest first.

    `versions` are all that were live at an instant of that range or just before it, in the order of their editions.
    """
    by_model: dict[str, list[Version]] = {}
    for version in versions:
        by_model.setdefault(version.model.id, []).append(version)
    found = [change for each in by_model.values() for change in _of_one_model(each, begins, ends)]
    return sorted(found, key=lambda change: (-change.at.timestamp(), change.model.id, change.kind))


def _of_one_model(versions: Sequence[Version], begins: datetime, ends: datetime) -> Iterator[Change]:
    points = {at for version in versions for at in version.turning_points() if begins <= at < ends}
    for at in sorted(points):
        yield from _changes_at(at, _live(versions, at - INSTANT), _live(versions, at))


def _live(versions: Sequence[Version], at: datetime) -> Version | None:
    """The newest of those that are live."""
    return next((version for version in reversed(versions) if version.is_live(at)), None)


def _changes_at(at: datetime, before: Version | None, after: Version | None) -> Iterator[Change]:
    if after is None:
        if before is not None:
            yield Change(Kind.WITHDRAWN, at, before.closed, before.model)
    elif before is None:
        is_announced = after.model.status(at) is Status.ANNOUNCED
        yield Change(Kind.ANNOUNCED if is_announced else Kind.ADDED, at, after.opened, after.model)
    else:
        edition = after.opened if after is not before else None
        yield from _moves(before.model, after.model, at, edition)


def _moves(before: ModelFacts, after: ModelFacts, at: datetime, edition: int | None) -> Iterator[Change]:
    left, reached = before.status(at - INSTANT), after.status(at)
    if _ORDER.index(reached) > _ORDER.index(left):
        yield Change(_REACHED[reached], at, edition, after)
    prices = tuple(_price_changes(before, after, at))
    if prices:
        yield Change(Kind.REPRICED, at, edition, after, prices)
    fields = tuple(_field_changes(before, after, at, is_repriced=bool(prices)))
    if fields:
        yield Change(Kind.CHANGED, at, edition, after, fields)


def _field_changes(
    before: ModelFacts, after: ModelFacts, at: datetime, *, is_repriced: bool
) -> Iterator[FieldChange]:
    if before is after:
        yield from changed("providers", _providers(before, at - INSTANT), _providers(after, at))
        return
    for change in differences(before, after):
        if not (is_repriced and is_price_list(change)):
            yield change


def _price_changes(before: ModelFacts, after: ModelFacts, at: datetime) -> Iterator[FieldChange]:
    """Of the seven prices that lists show, then of each offering that serves before and after; USD for one unit."""
    shown, shows = _shown_prices(before, at - INSTANT), _shown_prices(after, at)
    for name, price in shows.items():
        yield from changed(f"pricing.{name}", shown[name], price)
    earlier = {offering.id: offering for offering in _effective(before, at - INSTANT)}
    for offering in _effective(after, at):
        if offering.id in earlier:
            old, new = _units(earlier[offering.id], at - INSTANT), _units(offering, at)
            for meter in sorted({*old, *new}):
                field = f"offerings.{label(offering)}.pricing.{meter}"
                yield from changed(field, old.get(meter), new.get(meter))


def _shown_prices(model: ModelFacts, at: datetime) -> dict[str, str | None]:
    """As the list shows them while everything is switched on."""
    _top, prices = top_offering(_effective(model, at), at)
    return price_fields({meter: unit_price(price) for meter, price in prices.items()})


def _units(offering: OfferingFacts, at: datetime) -> dict[str, str]:
    return {price.meter: unit_price(price) for price in current_prices(offering.prices, at)}


def _effective(model: ModelFacts, at: datetime) -> list[OfferingFacts]:
    return [offering for offering in model.offerings if offering.is_effective(at)]


def _providers(model: ModelFacts, at: datetime) -> list[str]:
    return sorted({offering.provider_slug for offering in _effective(model, at)})
