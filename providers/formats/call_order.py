"""Puts the events of an answer in order, one block after the other, however a provider mixes them."""

import re
from collections import deque
from dataclasses import dataclass, field

from providers.wire.events import Event, ToolArguments, ToolCallStarted

# What stands behind a backslash, if it has come already, and what else tells where an object ends.
_MARKS = re.compile(r'\\(?:.|\Z)|["{}]', re.DOTALL)


class CallOrder:
    """Lets the open tool call through as it comes, and holds everything else until that call is whole.

    A call is whole when its arguments are an object of JSON: nothing more can follow. So calls that come one after
    the other are never held. A call without arguments gets `{}` when it ends.
    """

    def __init__(self) -> None:
        self._open: _OpenCall | None = None
        self._held: deque[Event | _HeldCall] = deque()
        """Empty while no call is open."""
        self._held_calls: dict[int, _HeldCall] = {}

    def put(self, event: Event) -> list[Event]:
        """What may go on now."""
        if self._open is None:
            return self._pass(event)
        if isinstance(event, ToolArguments) and event.index == self._open.index:
            self._open.add(event.text)
            return [event]
        self._hold(event)
        return self._release() if self._open.is_whole() else []

    def end(self) -> list[Event]:
        """No more comes: everything that is still held, each call with all its arguments."""
        passed = self._release()
        while self._held:
            passed += self._release()
        return passed + self._close()

    def _hold(self, event: Event) -> None:
        if isinstance(event, ToolCallStarted):
            held = self._held_calls[event.index] = _HeldCall(event)
            self._held.append(held)
        elif not isinstance(event, ToolArguments):
            self._held.append(event)
        elif event.index in self._held_calls:
            self._held_calls[event.index].arguments.append(event)
        # Else it is white space after a call that was whole.

    def _release(self) -> list[Event]:
        """Ends the open call; what was held up to the next one, and that one as far as it has come."""
        passed = self._close()
        while self._held and self._open is None:
            held = self._held.popleft()
            passed += self._begin(held) if isinstance(held, _HeldCall) else [held]
        return passed

    def _pass(self, event: Event) -> list[Event]:
        if isinstance(event, ToolCallStarted):
            return self._begin(_HeldCall(event))
        return [] if isinstance(event, ToolArguments) else [event]

    def _begin(self, call: "_HeldCall") -> list[Event]:
        index = call.started.index
        if self._held_calls.get(index) is call:
            del self._held_calls[index]
        self._open = _OpenCall(index)
        for arguments in call.arguments:
            self._open.add(arguments.text)
        return [call.started, *call.arguments]

    def _close(self) -> list[Event]:
        call, self._open = self._open, None
        return [ToolArguments(call.index, "{}")] if call is not None and not call.has_arguments else []


@dataclass(slots=True)
class _HeldCall:
    started: ToolCallStarted
    arguments: list[ToolArguments] = field(default_factory=list)


class _OpenCall:
    """Its arguments are looked through once, and not before somebody has to wait for their end."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.has_arguments = False
        self._unread: list[str] = []
        self._depth = 0
        self._has_object = False
        self._is_text = False
        self._is_escaped = False

    def add(self, text: str) -> None:
        if text:
            self.has_arguments = True
            self._unread.append(text)

    def is_whole(self) -> bool:
        for text in self._unread:
            self._read(text)
        self._unread.clear()
        return self._has_object and self._depth == 0

    def _read(self, text: str) -> None:
        if self._is_escaped:
            self._is_escaped, text = False, text[1:]
        for mark in _MARKS.findall(text):
            if mark == "\\":
                self._is_escaped = True
            elif mark == '"':
                self._is_text = not self._is_text
            elif not self._is_text and mark in "{}":
                self._depth += 1 if mark == "{" else -1
                self._has_object = True
