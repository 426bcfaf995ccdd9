"""Whether silence means anything: the line on which a process hears the others, judged by both sides alike."""

from gateway.proxy.lane.frames import DEAD_AFTER_S

STORE_AWAY_S = 10.0
"""Calls outlive a store that is away for less than that; then both sides give them up, each by itself."""
_STOOD_STILL_S = 1.0


class Line:
    """Look often. Nobody is judged dead who could not have been heard: not while the line is cut, and not for what
    was said while it was, or while our own loop stood still and left it unread.
    """

    def __init__(self, now: float) -> None:
        self.open_since: float | None = None
        """Monotonic, as all times here; None while the line is cut."""
        self._cut_since = now
        self._looked_at = now
        self._connected_at: float | None = None

    def look(self, connected_at: float | None, now: float) -> bool:
        """True where the line is open anew: what was said before may be lost. See Subscription.is_up_since."""
        stood_still = now - self._looked_at > _STOOD_STILL_S
        self._looked_at = now
        if connected_at is None:
            if self.open_since is not None:
                self.open_since, self._cut_since = None, now
            return False
        is_new = self.open_since is None or connected_at != self._connected_at
        if is_new or stood_still:
            self.open_since = now
        self._connected_at = connected_at
        return is_new

    def is_silent(self, heard_at: float, now: float) -> bool:
        """Nothing came since `heard_at`, for so long that whoever should speak is dead."""
        return self.open_since is not None and now - max(heard_at, self.open_since) > DEAD_AFTER_S

    def is_lost(self, now: float) -> bool:
        return self.open_since is None and now - self._cut_since > STORE_AWAY_S
