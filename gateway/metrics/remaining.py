"""What is left of providers' own limits, as their answers said lately."""

import time
from collections.abc import Mapping

from gateway.metrics import families
from gateway.metrics.totals import Totals
from providers.wire.remaining import remaining_in

_BELIEVED_S = 300.0
"""Their windows are mostly a minute: what nobody has said for so long is not known any more."""


class Remaining:
    """Of one process. A gauge each, with the instant at which it was said: the last word of any process counts."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str, str], tuple[int, float]] = {}
        """By model, provider and kind; the instant in Unix seconds."""

    def note(self, model: str, provider: str, headers: Mapping[str, str], at: float) -> None:
        for kind, left in remaining_in(headers):
            labels = model, provider, kind
            if at >= self._said.get(labels, (0, 0.0))[1]:
                self._said[labels] = left, at

    def look(self, totals: Totals) -> None:
        since = time.time() - _BELIEVED_S
        self._said = {labels: said for labels, said in self._said.items() if said[1] > since}
        for labels, (left, at) in self._said.items():
            totals.tell(families.REMAINING, *labels, to=left, at=at)
