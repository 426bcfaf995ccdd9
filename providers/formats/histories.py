"""Orders a history as every format takes it: what tools gave stands right behind what called them. Pure.

Responses alone takes answers, and what a developer says, in between. Who calls tools side by side does so in one run
of the assistant's messages, whose results follow all of it.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from providers.formats.notes import Notes
from providers.wire.conversation import Message, Role, ToolCall, ToolResult
from providers.wire.parts import of_kind, places_of_tools


def results_behind_calls(messages: tuple[Message, ...], notes: Notes) -> tuple[Message, ...]:
    """The very same where they stand so already. Raises CannotTranslate for a result that answers no earlier call."""
    if _stand_behind_calls(messages):
        return messages
    history = _History(notes)
    for message in messages:
        history.take(message)
    if not history.is_apart:
        return messages
    notes.note("tool_result", "right behind the calls")
    return tuple([message for run in history.runs for message in run.ordered()])


def _stand_behind_calls(messages: tuple[Message, ...]) -> bool:
    """Whether they surely do, as in most histories: each right behind the last call of its run."""
    waiting: dict[str, int] = {}
    # None of them yet.
    behind_call = behind_result = len(messages)
    for place in places_of_tools(messages):
        message = messages[place]
        calls, results = of_kind(message.parts, ToolCall), of_kind(message.parts, ToolResult)
        is_of_calls = message.role is Role.ASSISTANT
        if bool(results) is is_of_calls or bool(calls) is not is_of_calls:
            return False
        if is_of_calls:
            waiting = waiting if place == behind_call else {}
            for call in calls:
                waiting[call.id] = waiting.get(call.id, 0) + 1
            behind_call = place + 1
            continue
        if place not in (behind_call, behind_result):
            return False
        for result in results:
            if not waiting.get(result.call_id):
                return False
            waiting[result.call_id] -= 1
        behind_result = place + 1
    return True


@dataclass(slots=True)
class _Run:
    """Messages of the assistant, one behind the other, and what came since, until the next such run.

    `results` are those of its calls, wherever they came; `open_calls` counts by id the calls without any. `first` and
    `last` are the places in `said` of the first and the last message with a call.
    """

    said: list[Message] = field(default_factory=list)
    since: list[Message] = field(default_factory=list)
    results: list[ToolResult] = field(default_factory=list)
    open_calls: dict[str, int] = field(default_factory=dict)
    first: int = -1
    last: int = -1
    is_followed: bool = False
    """By something else than results."""

    def add(self, message: Message) -> None:
        for call in message.parts:
            if isinstance(call, ToolCall):
                self.last = len(self.said)
                self.first = self.last if self.first < 0 else self.first
                self.open_calls[call.id] = self.open_calls.get(call.id, 0) + 1
        self.said.append(message)

    def ordered(self) -> Iterator[Message]:
        said = self.said
        if self.results:
            # What was said behind the calls was said beside them.
            said = [*said[: self.first], *said[self.last + 1 :], *said[self.first : self.last + 1]]
        yield from said
        if self.results:
            yield Message(Role.USER, tuple(self.results))
        yield from filter(None, map(_without_results, self.since))


class _History:
    def __init__(self, notes: Notes) -> None:
        self.runs = [_Run()]
        self.is_apart = False
        """A result stands elsewhere than right behind its calls."""
        self._notes = notes
        self._earlier: defaultdict[str, deque[_Run]] = defaultdict(deque)
        """By id: the runs before this one with a call that nothing has answered."""
        self._answered: dict[str, _Run] = {}

    def take(self, message: Message) -> None:
        if message.role is Role.ASSISTANT:
            self._next_run().add(message)
            return
        run = self.runs[-1]
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        for result in results:
            asked_by = self._asked_by(result)
            asked_by.results.append(result)
            is_behind = asked_by is run and not run.is_followed and run.last == len(run.said) - 1
            self.is_apart = self.is_apart or not is_behind
        run.is_followed = run.is_followed or not results
        run.since.append(message)

    def _next_run(self) -> _Run:
        run = self.runs[-1]
        if run.since:
            for call_id, count in run.open_calls.items():
                self._earlier[call_id].extend([run] * count)
            self.runs.append(_Run())
        return self.runs[-1]

    def _asked_by(self, result: ToolResult) -> _Run:
        """Whose call it answers: of this run, else the oldest that waits; a second result goes to the first."""
        call_id, run = result.call_id, self.runs[-1]
        if run.open_calls.get(call_id):
            run.open_calls[call_id] -= 1
            self._answered[call_id] = run
        elif earlier := self._earlier.get(call_id):
            self._answered[call_id] = earlier.popleft()
        elif call_id not in self._answered:
            message = f"No earlier call has the id '{call_id[:80]}', which a result answers."
            raise self._notes.refuse("tool_result", message, "invalid_value")
        return self._answered[call_id]


def _without_results(message: Message) -> Message | None:
    """None where nothing else was said."""
    others = tuple([part for part in message.parts if not isinstance(part, ToolResult)])
    if len(others) == len(message.parts):
        return message
    return replace(message, parts=others) if others else None
