"""Which models' lives are asked for. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from catalogue.milestones import has_news, in_order_of_dates, next_milestone
from catalogue.snapshot import ModelFacts


@dataclass(frozen=True, slots=True)
class Outlook:
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
        ends, following = model.retirement_at, next_milestone(model, now)
        is_early = self.retires_before is None or (ends is not None and ends < self.retires_before)
        is_near = self.comes_before is None or (following is not None and following.at < self.comes_before)
        return is_early and is_near
