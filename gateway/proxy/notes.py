"""What is to be told of how calls were routed, on its way to whoever writes it down. Pure."""

from collections import deque

from gateway.proxy.routing.plan import RoutePlan

_MOST = 10_000
PlanNote = tuple[str, RoutePlan, float]
"""The call's id, its plan, and for how many seconds it waited before its first attempt, as far as that is known."""


class PlanNotes:
    """Of the latest calls that had a choice, or had to wait; older ones are dropped where nobody writes them down.

    Taken on the loop, given out to another thread. `take` is a builtin, so that a call pays nothing of ours for it.
    """

    def __init__(self) -> None:
        self._waiting: deque[PlanNote] = deque(maxlen=_MOST)
        self.take = self._waiting.append

    def __len__(self) -> int:
        return len(self._waiting)

    def give(self, most: int) -> list[PlanNote]:
        """The oldest; at most so many."""
        given: list[PlanNote] = []
        while len(given) < most:
            try:
                given.append(self._waiting.popleft())
            except IndexError:
                break
        return given
