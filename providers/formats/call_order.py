"""Puts the events of an answer in order, one block after the other, however a provider mixes them."""

import orjson

from providers.wire.events import Event, ToolArguments, ToolCallStarted


class CallOrder:
    """Lets the open tool call through as it comes, and holds everything else until that call is whole.

    A call is whole when its arguments are an object of JSON: nothing more can follow. So calls that come one after
    the other are never held. A call without arguments gets `{}` when it ends.
    """

    def __init__(self) -> None:
        self._open: int | None = None
        self._arguments = ""
        self._held: list[Event] = []

    def put(self, event: Event) -> list[Event]:
        """What may go on now."""
        if self._open is None or self._is_of_open(event):
            return self._pass(event)
        self._held.append(event)
        return self._release() if _is_whole(self._arguments) else []

    def end(self) -> list[Event]:
        """No more comes: everything that is still held, each call with all its arguments."""
        passed = self._release()
        while self._held:
            passed += self._release()
        return passed + self._close()

    def _release(self) -> list[Event]:
        passed = self._close()
        held, self._held = self._held, []
        for event in held:
            if self._open is None or self._is_of_open(event):
                passed += self._pass(event)
            else:
                self._held.append(event)
        return passed

    def _is_of_open(self, event: Event) -> bool:
        return isinstance(event, ToolArguments) and event.index == self._open

    def _pass(self, event: Event) -> list[Event]:
        if isinstance(event, ToolCallStarted):
            self._open, self._arguments = event.index, ""
        elif isinstance(event, ToolArguments):
            if event.index != self._open:
                # White space after a call that was whole.
                return []
            self._arguments += event.text
        return [event]

    def _close(self) -> list[Event]:
        number, self._open = self._open, None
        return [ToolArguments(number, "{}")] if number is not None and not self._arguments else []


def _is_whole(arguments: str) -> bool:
    if not arguments.rstrip().endswith("}"):
        return False
    try:
        orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return False
    return True
