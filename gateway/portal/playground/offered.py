"""What the playground's pickers say of each model that a team may call: its price, its context, what it takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accounts.key_facts import facts_of_team
from accounts.models import Team
from catalogue.endpoints import GENERATION
from catalogue.facts import ModelFacts
from catalogue.pricing.cost import plain
from catalogue.published.headline import headline
from catalogue.published.reading import Reading
from gateway.portal.eyes.verdicts import Viewer, judge
from gateway.public.offered import context_range, from_price, shown_offerings

Line = Mapping[str, Any]


@dataclass(slots=True)
class LineCache:
    """Lines of the catalogue's present state, by model: they are the same for every team."""

    state: str = ""
    lines: dict[str, Line] = field(default_factory=dict)

    def line(self, model: ModelFacts, reading: Reading) -> Line:
        if self.state != reading.state:
            self.state, self.lines = reading.state, {}
        lines = self.lines
        kept = lines.get(model.id)
        if kept is None:
            kept = lines[model.id] = _describe(model, reading)
        return kept

    def forget(self) -> None:
        self.state, self.lines = "", {}


line_cache = LineCache()
"""Of this process."""


def offered_to(team: Team, reading: Reading) -> Sequence[Line]:
    """Those that can generate text, by name."""
    viewer = Viewer(facts_of_team(team), team)
    models = [model for model in reading.snapshot.models.values() if model.is_listed(reading.at)]
    able = [
        model for model in models if _generates(model, reading) and judge(viewer, model, reading).may_call
    ]
    return [line_cache.line(model, reading) for model in sorted(able, key=lambda each: each.name.casefold())]


def _generates(model: ModelFacts, reading: Reading) -> bool:
    shown = shown_offerings(model, reading.snapshot, reading.at)
    return any(offering.endpoints & GENERATION for offering in shown)


def _describe(model: ModelFacts, reading: Reading) -> Line:
    line = headline(model, reading.snapshot, reading.at)
    prices = {"prompt": line.prompt, "completion": line.completion}
    amounts = {name: from_price(span, line) for name, span in prices.items()}
    context = context_range(line)
    shown = shown_offerings(model, reading.snapshot, reading.at)
    return {
        "id": model.id,
        "name": model.name,
        "aliases": list(model.aliases),
        "status": model.status(reading.at).value,
        "context": context.text if context else None,
        "usd": {name: plain(span.low.usd) for name, span in prices.items() if span},
        "price": {name: amount.text for name, amount in amounts.items() if amount},
        "params": sorted({name for offering in shown for name in offering.params}),
        "reads": sorted(model.input_types),
        "tier": model.reasoning_tier,
    }
