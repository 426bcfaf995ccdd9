"""Says a client's tools, and the calls of them, within a provider's limits, and reads its calls back. Pure.

One reversible mapping is made for each call of a provider, from the request alone. Names that the provider does not
take are shortened with a hash; a schema whose root it does not take becomes that of one member; every call has an id of
its own, whatever providers repeated in earlier turns.
"""

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from operator import is_
from typing import Any

import orjson

from providers.formats.base import SaidTools
from providers.formats.field_names import client_field
from providers.formats.limits import LONGEST_NAME, Limits, shortened
from providers.formats.notes import Notes
from providers.wire.conversation import Conversation, Message, Role, Tool, ToolCall, ToolChoice, ToolResult
from providers.wire.events import Event, ToolArguments, ToolCallStarted
from providers.wire.parts import of_kind, said_in

_OF_TOOLS = frozenset({ToolCall, ToolResult})
MEMBER = "arguments"
"""Of what stands for arguments whose schema is not taken."""
_WRAPPED = re.compile(rf'\s*\{{\s*"{MEMBER}"\s*:(.*)\}}\s*', re.DOTALL)
_HOISTED = ("$defs", "definitions")
_HOISTED_PLACES = tuple(f"#/{name}/" for name in _HOISTED)
# Who names a schema says nothing of what fits it.
_SILENT = frozenset({"$schema", "$id", *_HOISTED})


def fit_tools(conversation: Conversation, limits: Limits, notes: Notes) -> tuple[Conversation, SaidTools]:
    """For a provider of another format. Results stand right behind their calls."""
    calls = of_kind(said_in(conversation.messages), ToolCall)
    choice = conversation.tool_choice
    functions = conversation.functions
    used = [tool.name for tool in functions] + [call.name for call in calls]
    said = _said_names([*used, *(choice.names if choice else ())], limits)
    wrapped = frozenset(tool.name for tool in functions if not limits.take_root(tool.parameters))
    _tell(said, wrapped, notes)
    conversation = fit_ids(conversation, limits, notes)
    if said or wrapped:
        conversation = _said(conversation, said, wrapped)
    told = frozenset(said.get(name, name) for name in wrapped)
    names = {word: name for name, word in said.items()}
    return conversation, SaidTools(names, told, frozenset(call.id for call in calls))


def _said_names(used: Iterable[str], limits: Limits) -> dict[str, str]:
    """What is said for names that are not taken."""
    names = dict.fromkeys(used)
    untaken = [name for name in names if not limits.take_name(name)]
    taken = names.keys() - untaken
    said: dict[str, str] = {}
    for name in untaken:
        said[name] = _untaken(name, name, LONGEST_NAME, taken)
        taken.add(said[name])
    return said


def _untaken(word: str, seed: str, longest: int, taken: Iterable[str]) -> str:
    while (short := shortened(word, seed, longest)) in taken:
        seed += "\n"
    return short


def _tell(said: Mapping[str, str], wrapped: Iterable[str], notes: Notes) -> None:
    where = client_field(notes.source, "tool_name")
    for name, word in said.items():
        notes.note_path(f"{where}={name}", word)
    for name in sorted(wrapped):
        notes.tell_path(f"{where}={name}", "its arguments in one member")


def _said(conversation: Conversation, said: Mapping[str, str], wrapped: frozenset[str]) -> Conversation:
    def say_tool(tool: Any) -> Any:
        if not isinstance(tool, Tool) or not (tool.name in said or tool.name in wrapped):
            return tool
        schema = wrap_schema(tool.parameters or {}) if tool.name in wrapped else tool.parameters
        return replace(tool, name=said.get(tool.name, tool.name), parameters=schema)

    def say_part(part: Any) -> Any:
        if not isinstance(part, ToolCall) or not (part.name in said or part.name in wrapped):
            return part
        arguments = f'{{"{MEMBER}":{part.arguments}}}' if part.name in wrapped else part.arguments
        return replace(part, name=said.get(part.name, part.name), arguments=arguments)

    choice = conversation.tool_choice
    names = tuple(said.get(name, name) for name in choice.names) if choice else ()
    return replace(
        conversation,
        tools=tuple(map(say_tool, conversation.tools)),
        tool_choice=ToolChoice(choice.mode, names) if choice else None,
        messages=tuple(
            _with_parts(message, map(say_part, message.parts)) for message in conversation.messages
        ),
    )


def _with_parts(message: Message, parts: Iterable[Any]) -> Message:
    told = tuple(parts)
    return message if all(map(is_, told, message.parts)) else replace(message, parts=told)


def wrap_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of an object whose one member fits `schema`; what it defines is found in its old place."""
    inner = {name: _moved(value) for name, value in schema.items() if name not in _SILENT}
    hoisted = {name: _moved(schema[name]) for name in _HOISTED if name in schema}
    whole = {"type": "object", "properties": {MEMBER: inner}, "required": [MEMBER]}
    return {**whole, "additionalProperties": False, **hoisted}


def _moved(value: Any) -> Any:
    """With what refers to the root, or to a place in it, referring to where that is now."""
    if isinstance(value, list):
        return [_moved(each) for each in value]
    if not isinstance(value, dict):
        return value
    moved = {name: _moved(member) for name, member in value.items()}
    place = value.get("$ref")
    if isinstance(place, str) and place.startswith("#") and not place.startswith(_HOISTED_PLACES):
        moved["$ref"] = f"#/properties/{MEMBER}{place[1:]}"
    return moved


def unwrap(arguments: str) -> str:
    """Arguments as the client's schema has them; those of a model that did not keep to the one member stay."""
    found = _WRAPPED.fullmatch(arguments)
    if found is None:
        return arguments
    try:
        orjson.loads(found[1])
    except orjson.JSONDecodeError:
        return arguments
    return found[1].strip()


def fit_ids(conversation: Conversation, limits: Limits, notes: Notes) -> Conversation:
    """Each call with an id of its own that the provider takes, and each result with that of the call it answers."""
    parts = said_in(conversation.messages)
    called = [call.id for call in of_kind(parts, ToolCall)]
    answered = [result.call_id for result in of_kind(parts, ToolResult)]
    if len(set(called)) == len(called) and all(map(limits.take_id, {*called, *answered})):
        return conversation
    ids = _Ids(limits)
    messages = tuple(map(ids.fit, conversation.messages))
    if all(map(is_, messages, conversation.messages)):
        return conversation
    notes.note("tool_result", "ids that the provider takes")
    return replace(conversation, messages=messages)


class _Ids:
    """What is said for an id depends on what came before alone, so that a prompt that was kept is found again."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._taken: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._waiting: dict[str, deque[str]] = {}
        """By the client's id: what was said for the calls of the last turn with any, which nothing has answered."""
        self._last: dict[str, str] = {}
        self._is_over = False

    def fit(self, message: Message) -> Message:
        self._is_over = self._is_over or message.role is not Role.ASSISTANT
        if _OF_TOOLS.isdisjoint(map(type, message.parts)):
            return message
        return _with_parts(message, self._fit(message.parts))

    def _fit(self, parts: Iterable[Any]) -> Iterator[Any]:
        for part in parts:
            if isinstance(part, ToolCall):
                call_id = self._call(part.id)
                yield part if call_id == part.id else replace(part, id=call_id)
            elif isinstance(part, ToolResult):
                call_id = self._result(part.call_id)
                yield part if call_id == part.call_id else replace(part, call_id=call_id)
            else:
                yield part

    def _call(self, call_id: str) -> str:
        if self._is_over:
            self._waiting, self._is_over = {}, False
        said = call_id
        while said in self._taken or not self._limits.take_id(said):
            said = shortened(call_id, f"{call_id}\n{self._counts[call_id]}", self._limits.longest_id)
            self._counts[call_id] += 1
        self._taken.add(said)
        self._last[call_id] = said
        self._waiting.setdefault(call_id, deque()).append(said)
        return said

    def _result(self, call_id: str) -> str:
        """Of calls of one id the first that waits; where somebody else keeps the call, it is said alike each time."""
        if waiting := self._waiting.get(call_id):
            self._last[call_id] = waiting.popleft()
        elif call_id not in self._last and not self._limits.take_id(call_id):
            self._last[call_id] = shortened(call_id, f"{call_id}\n0", self._limits.longest_id)
        return self._last.get(call_id, call_id)


class RestoredCalls:
    """Makes a provider's calls the client's: see providers.adapters.repair.Repair. One answer, event after event.

    Ids are new in the client's history and within its format's limits; `seed` is another one for each answer.
    """

    def __init__(self, said: SaidTools, client: Limits, seed: str) -> None:
        self._said = said
        self._client = client
        self._seed = seed
        self._ids = set(said.ids)
        self._wrapped: int | None = None
        """The number of the open call whose arguments are held until they are whole."""
        self._held: list[str] = []

    def repair(self, event: Event) -> Iterator[Event]:
        if isinstance(event, ToolArguments) and event.index == self._wrapped:
            self._held.append(event.text)
            return
        if self._wrapped is not None:
            yield from self.end()
        if isinstance(event, ToolCallStarted):
            self._wrapped = event.index if event.name in self._said.wrapped else None
            name = self._said.names.get(event.name, event.name)
            yield replace(event, id=self._own_id(event), name=name)
        else:
            yield event

    def end(self) -> Iterator[Event]:
        index, text = self._wrapped, "".join(self._held)
        self._wrapped, self._held = None, []
        if text and index is not None:
            yield ToolArguments(index, unwrap(text))

    def _own_id(self, event: ToolCallStarted) -> str:
        call_id = event.id
        if call_id in self._ids or not self._client.take_id(call_id):
            seed = f"{self._seed}\n{event.index}\n{call_id}"
            call_id = _untaken(call_id, seed, self._client.longest_id, self._ids)
        self._ids.add(call_id)
        return call_id
