"""Words that may stand in labels: those of our own configuration, and only so many of them."""

import logging
from collections.abc import Callable, Mapping

OTHER, NONE = "other", "none"
_log = logging.getLogger(__name__)


class Bounded:
    """The first `most` words that were seen; each later one is `other`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()

    def __call__(self, word: str) -> str:
        if not word:
            return NONE
        if word not in self._known:
            if len(self._known) >= self._most:
                return OTHER
            self._known.add(word)
        return word


class TeamNames:
    """Slugs of the oldest `most` teams; all others are `other`.

    `load` reads them by id, the oldest first. It is asked again where a team comes that nobody knew, and may fail: then
    what is known stays.
    """

    def __init__(self, load: Callable[[], Mapping[int, str]], most: int) -> None:
        self._load = load
        self._most = most
        self._named: dict[int, str] = {0: "operator"}

    def __call__(self, team_id: int) -> str:
        if team_id not in self._named:
            self._named |= self._read()
            # A row that is gone meanwhile, or a database that is away, is not asked for at each call.
            self._named.setdefault(team_id, OTHER)
        return self._named[team_id]

    def forget(self) -> None:
        """So that a slug that changed, and what the database could not say, is read again."""
        self._named = {0: "operator"}

    def _read(self) -> dict[int, str]:
        try:
            rows = list(self._load().items())
        except Exception as error:  # noqa: BLE001  # names are worth no more than a line in the log
            _log.warning("The teams' names cannot be read for the metrics: %s", error)
            return {}
        return {pk: slug if place < self._most else OTHER for place, (pk, slug) in enumerate(rows)}
