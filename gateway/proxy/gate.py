"""How many calls one process has in hand, and who goes on when there is room: teams in turns.

A call that finds no room waits for a second at most, all its waiting together. What would make the queue longer than it
may be is refused at once, from the team with the most calls in it: a crowd of one team is nobody else's trouble.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from gateway.proxy.errors import Unavailable

LONGEST_WAIT_S = 1.0
"""That a call waits in all before its first attempt: for room here, for what budgets hold for others, and for what
another one finds out of an offering that may be well again."""
_AGAIN_S = 1.0
_Waiting = asyncio.Future[bool]


class Gate:
    """Of one process, on its loop. `count` tells how many calls are in hand, those that wait among them."""

    def __init__(self, most: int, count: Callable[[], int]) -> None:
        self.most = most
        self.waiting = 0
        self._count = count
        self._teams: OrderedDict[int, deque[_Waiting]] = OrderedDict()
        """Whoever waits, by team: the team whose turn is next comes first."""

    async def wait(self, team_id: int) -> float:
        """Wait for room; seconds that it took. Raises Unavailable where there was none in time."""
        began_at = time.monotonic()
        waiting = self._line_up(team_id)
        try:
            async with asyncio.timeout(LONGEST_WAIT_S):
                has_room = await waiting
        except TimeoutError:
            has_room = False
        finally:
            if waiting.cancelled():
                self._leave(team_id, waiting)
        if not has_room:
            raise overloaded()
        return time.monotonic() - began_at

    def let_in(self) -> None:
        """There may be room again."""
        while self.waiting and self._count() - self.waiting < self.most:
            team_id, queue = next(iter(self._teams.items()))
            self._take(team_id, queue.popleft(), has_room=True)
            if queue:
                self._teams.move_to_end(team_id)

    def _line_up(self, team_id: int) -> _Waiting:
        """As many may wait as may run."""
        waiting: _Waiting = asyncio.get_running_loop().create_future()
        self._teams.setdefault(team_id, deque()).append(waiting)
        self.waiting += 1
        if self.waiting > self.most:
            longest = max(self._teams, key=lambda each: len(self._teams[each]))
            self._take(longest, self._teams[longest].pop(), has_room=False)
        self.let_in()
        return waiting

    def _take(self, team_id: int, waiting: _Waiting, *, has_room: bool) -> None:
        """Out of the queue, of which it is no part any more."""
        self.waiting -= 1
        if not self._teams[team_id]:
            del self._teams[team_id]
        if not waiting.done():
            waiting.set_result(has_room)

    def _leave(self, team_id: int, waiting: _Waiting) -> None:
        """Of one that was not taken out: its time was over, or its client has gone."""
        self._teams[team_id].remove(waiting)
        self._take(team_id, waiting, has_room=False)


def overloaded() -> Unavailable:
    return Unavailable(
        "This gateway has as many calls in hand as it takes at once. Try again in a moment.",
        code="overloaded",
        retry_after_s=_AGAIN_S,
    )
