"""How long answers usually are, so that a budget holds what a call is likely to cost and not the most it could."""

import math
from collections import OrderedDict, deque

Asked = tuple[int, str, str]
"""The lineage of a key, a model and an endpoint: one program asks much the same again and again."""
UNKNOWN = 1_024
"""Output tokens that are taken for likely where too few answers are known, and the client does not say more."""
_KEPT = 50
_ENOUGH = 5
_QUANTILE = 0.9
"""Above the mean of most long-tailed distributions."""


class AnswerSizes:
    """Of this process: the output tokens of the last answers to each of the most recent askers."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._known: OrderedDict[Asked, deque[int]] = OrderedDict()

    def learn(self, asked: Asked, output_tokens: int) -> None:
        sizes = self._known.get(asked)
        if sizes is None:
            sizes = self._known[asked] = deque(maxlen=_KEPT)
            if len(self._known) > self._capacity:
                self._known.popitem(last=False)
        sizes.append(output_tokens)
        self._known.move_to_end(asked)

    def expect(self, asked: Asked, most: int | None) -> int:
        """Output tokens, never more than `most`, which is what the client allows; None: it does not say."""
        sizes = self._known.get(asked)
        likely = UNKNOWN
        if sizes is not None and len(sizes) >= _ENOUGH:
            usual = sorted(sizes)[math.ceil(_QUANTILE * len(sizes)) - 1]
            # Where a few are much longer than all others, what they add to the mean counts for more.
            likely = max(usual, math.ceil(sum(sizes) / len(sizes)))
        return likely if most is None else min(likely, most)
