"""The dated turns of models' lives, past and to come: releases, deprecations, retirements. Pure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalogue.changes.differences import label, price_text
from catalogue.changes.model_changes import Kind
from catalogue.facts import ModelFacts
from catalogue.instants import date_text, instant_text
from catalogue.lifecycle.message import tell_life
from catalogue.lifecycle.status import Status
from catalogue.published.snapshot import Snapshot

_PASSED = {Kind.RELEASED: "released", Kind.DEPRECATED: "deprecated", Kind.RETIRED: "retired"}


@dataclass(frozen=True, slots=True)
class LifecycleEvent:
    kind: Kind
    at: datetime
    model: ModelFacts

    def title(self, now: datetime) -> str:
        """Such as “Haiku will be retired on 2026-12-01”."""
        tense = "was" if self.at <= now else "will be"
        return f"{self.model.name} {tense} {_PASSED[self.kind]} on {date_text(self.at)}"


def lifecycle_events(model: ModelFacts) -> Iterator[LifecycleEvent]:
    """In the order of its life; unknown dates are left out."""
    dates = (
        (Kind.RELEASED, model.release_at),
        (Kind.DEPRECATED, model.deprecation_at),
        (Kind.RETIRED, model.retirement_at),
    )
    for kind, at in dates:
        if at is not None:
            yield LifecycleEvent(kind, at, model)


def next_event(model: ModelFacts, now: datetime) -> LifecycleEvent | None:
    """The first that has not come yet."""
    return next((each for each in lifecycle_events(model) if each.at > now), None)


def has_news(model: ModelFacts, now: datetime) -> bool:
    """Whether it is not simply active until further notice."""
    return model.status(now) is not Status.ACTIVE or next_event(model, now) is not None


def in_order_of_dates(models: Iterable[ModelFacts], now: datetime) -> list[ModelFacts]:
    """Whatever comes next first; then those to which nothing comes, the latest past first."""

    def place(model: ModelFacts) -> tuple[bool, float, str]:
        following = next_event(model, now)
        if following is not None:
            return False, following.at.timestamp(), model.id
        return True, -max((each.at.timestamp() for each in lifecycle_events(model)), default=0.0), model.id

    return sorted(models, key=place)


@dataclass(frozen=True, slots=True)
class LifecycleQuery:
    """What is asked of a list of lives. None: all of them."""

    ids: Collection[str] | None = None
    organisations: Collection[str] | None = None
    providers: Collection[str] | None = None
    statuses: Collection[str] | None = None
    retires_before: datetime | None = None
    comes_before: datetime | None = None
    """Of whatever comes next."""

    def choose(self, models: Iterable[ModelFacts], now: datetime) -> list[ModelFacts]:
        """Those of the models that have a date to tell and are asked for, what comes next first."""
        return in_order_of_dates((m for m in models if has_news(m, now) and self._asks_for(m, now)), now)

    def _asks_for(self, model: ModelFacts, now: datetime) -> bool:
        slugs = {offering.provider_slug for offering in model.offerings}
        return (
            (self.ids is None or model.id in self.ids)
            and (self.organisations is None or model.organisation_id in self.organisations)
            and (self.providers is None or not slugs.isdisjoint(self.providers))
            and (self.statuses is None or model.status(now) in self.statuses)
            and self._is_in_time(model, now)
        )

    def _is_in_time(self, model: ModelFacts, now: datetime) -> bool:
        ends, following = model.retirement_at, next_event(model, now)
        is_early = self.retires_before is None or (ends is not None and ends < self.retires_before)
        is_near = self.comes_before is None or (following is not None and following.at < self.comes_before)
        return is_early and is_near


def lifecycle_record(model: ModelFacts, snapshot: Snapshot, now: datetime) -> dict[str, Any]:
    """A row of `GET /v1/gateway/lifecycle`. Unknown is None."""
    successor, following = snapshot.successor(model, now), next_event(model, now)
    return {
        "id": model.id,
        "name": model.name,
        "organisation_id": model.organisation_id,
        "status": model.status(now).value,
        "release_date": date_text(model.release_at),
        "deprecation_date": date_text(model.deprecation_at),
        "retirement_date": date_text(model.retirement_at),
        "next": following and {"kind": following.kind.value, "date": date_text(following.at)},
        "replacement_model_id": successor.id if successor else None,
        "message": tell_life(model, successor, now),
    }


def dated_instants(model: ModelFacts, now: datetime) -> list[dict[str, Any]]:
    """Everything of it that begins or ends by itself, the earliest first."""
    told = [(each.at, each.kind.value, each.title(now)) for each in lifecycle_events(model)]
    for offering in model.offerings:
        where = label(offering)
        told += _ends("offering", f"Offering {where}", offering.effective_from, offering.effective_to)
        for price in offering.prices:
            about = f"Price at {where}, {price_text(price)}"
            told += _ends("price", about, price.valid_from, price.valid_to)
    return [
        {"at": instant_text(at), "kind": kind, "is_past": at <= now, "summary": summary}
        for at, kind, summary in sorted(told)
    ]


def _ends(
    what: str, about: str, begins: datetime | None, ends: datetime | None
) -> Iterator[tuple[datetime, str, str]]:
    if begins is not None:
        yield begins, f"{what}_begins", f"{about}: begins."
    if ends is not None:
        yield ends, f"{what}_ends", f"{about}: ends."
