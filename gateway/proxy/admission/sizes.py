"""How long answers usually are, so that a budget holds what a call is likely to cost and not the most it could."""

import math
from collections import OrderedDict, deque
from dataclasses import dataclass, field

Asked = tuple[int, str, str]
"""The lineage of a key, a model and an endpoint: one program asks much the same again and again."""
UNKNOWN = 1_024
"""Output tokens that are taken for likely where too few answers are known, and the client does not say more."""
_KEPT = 50
_ENOUGH = 5
_FEW = 5
_QUANTILE = 0.9
"""Above the mean of most long-tailed distributions."""


@dataclass(slots=True)
class _Sizes:
    """Of the last answers to one asker. `likely` is worked out when it is asked for, and a few have come since."""

    last: deque[int] = field(default_factory=lambda: deque(maxlen=_KEPT))
    likely: int = UNKNOWN
    news: int = 0

    def add(self, output_tokens: int) -> None:
        self.last.append(output_tokens)
        self.news += 1

    def expect(self) -> int:
        if self.news and len(self.last) >= _ENOUGH and (self.news >= _FEW or len(self.last) < _KEPT):
            usual = sorted(self.last)[math.ceil(_QUANTILE * len(self.last)) - 1]
            # Where a few are much longer than all others, what they add to the mean counts for more.
            self.likely = max(usual, math.ceil(sum(self.last) / len(self.last)))
            self.news = 0
        return self.likely


class AnswerSizes:
    """Of this process: the output tokens of the last answers to each of the most recent askers."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._known: OrderedDict[Asked, _Sizes] = OrderedDict()

    def learn(self, asked: Asked, output_tokens: int) -> None:
        sizes = self._known.get(asked)
        if sizes is None:
            sizes = self._known[asked] = _Sizes()
            if len(self._known) > self._capacity:
                self._known.popitem(last=False)
        sizes.add(output_tokens)
        self._known.move_to_end(asked)

    def expect(self, asked: Asked, most: int | None) -> int:
        """Output tokens, never more than `most`, which is what the client allows; None: it does not say."""
        sizes = self._known.get(asked)
        likely = UNKNOWN if sizes is None else sizes.expect()
        return likely if most is None else min(likely, most)
