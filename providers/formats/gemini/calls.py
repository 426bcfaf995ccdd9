"""The tool calls of a conversation as it is read: what a result answers, and ids for calls that have none."""

from collections import Counter, defaultdict, deque

from providers.formats.base import BadRequest
from providers.formats.gemini.fields import Fields


class Calls:
    """Ids are optional in Gemini's format; without them results answer calls of their name, in order."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._open: Counter[str] = Counter()
        self._waiting: defaultdict[str, deque[str]] = defaultdict(deque)
        """By name: the ids of its calls in order, also of some that are no longer open."""

    def add(self, name: str, call_id: str | None) -> str:
        """The call's id, which is its place in the conversation if the client gave none."""
        call_id = call_id or f"call_{len(self._names)}"
        self._names[call_id] = name
        self._open[call_id] += 1
        self._waiting[name].append(call_id)
        return call_id

    def answer(self, response: Fields, name: str) -> str:
        """The id of the call that a functionResponse answers. Raises BadRequest."""
        call_id = response.text("id") or self._oldest(name)
        if call_id not in self._names:
            raise BadRequest(
                f"There is no functionCall '{response.text('id') or name}' before '{response.path}'.",
                param=response.path,
            )
        if self._open[call_id]:
            self._open[call_id] -= 1
        return call_id

    def _oldest(self, name: str) -> str | None:
        waiting = self._waiting[name]
        while waiting and not self._open[waiting[0]]:
            waiting.popleft()
        return waiting[0] if waiting else None
