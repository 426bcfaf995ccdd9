"""Whose quotas were found full a moment ago: `auto` looks elsewhere first, instead of asking for room again in vain."""

from collections.abc import Iterable

from catalogue.facts import OfferingFacts

_KNOWN_S = 1.0
_MOST = 10_000


class Headroom:
    """As this process heard it when calls were let in, within the last second; times are monotonic."""

    def __init__(self) -> None:
        self._full_until: dict[int, float] = {}

    def of(self, offering: OfferingFacts, at: float) -> float:
        """From 0 to 1: nothing is known of what is in between."""
        return 0.0 if at < self._full_until.get(offering.id, at) else 1.0

    def found_full(self, offerings: Iterable[OfferingFacts], at: float) -> None:
        if len(self._full_until) > _MOST:
            self._full_until.clear()
        for offering in offerings:
            self._full_until[offering.id] = at + _KNOWN_S
