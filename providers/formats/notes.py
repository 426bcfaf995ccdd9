"""What is to be told of a translation: what was said in other words, what was left out, and what cannot be said."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from providers.formats.base import CannotTranslate, WrittenRequest
from providers.formats.field_names import client_field
from providers.formats.losses import COMMON, Kind, loss_of, loss_of_tool, says_nothing, without_places
from providers.wire.conversation import (
    ChoiceMode,
    Conversation,
    Native,
    Part,
    Tool,
    ToolResult,
)
from providers.wire.parts import has_natives_inside

LEFT_OUT = "left out"


class Notes:
    """`source` is the wire format of the client, in whose words everything is named.

    `translated` tells all that was said otherwise than it came; `lost` what of it is a loss, by kind, and `worst` the
    worst of these; `told` what is none, and clients hear of all the same.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.translated: list[str] = []
        self.lost: dict[str, Kind] = {}
        self.told: list[str] = []
        self.worst = Kind.NOTHING

    def note(self, field: str, words: str) -> None:
        """Once for each; `field` is a key of formats.field_names."""
        self.note_path(client_field(self.source, field), words)

    def note_path(self, path: str, words: str) -> None:
        line = f"{without_places(path)} -> {words}"
        if line not in self.translated:
            self.translated.append(line)

    def tell_path(self, path: str, words: str) -> None:
        """What loses nothing, and may weigh otherwise with a model all the same."""
        self.note_path(path, words)
        line = f"{without_places(path)} -> {words}"
        if line not in self.told:
            self.told.append(line)

    def refuse(self, field: str, message: str, code: str = "unsupported_parameter") -> CannotTranslate:
        return CannotTranslate(message, param=client_field(self.source, field), code=code)

    def lose(self, field: str, message: str, words: str = LEFT_OUT) -> None:
        """What the provider or its model lacks: told, where it may be lost. Raises CannotTranslate where not."""
        kind = COMMON[field].kind
        if kind > Kind.TUNING:
            raise self.refuse(field, message)
        self.lose_path(client_field(self.source, field), kind, words)

    def written(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] = MappingProxyType({})
    ) -> WrittenRequest:
        """The request, with all that is to be told of it."""
        return WrittenRequest(
            path, body, headers, tuple(self.translated), self.worst_first(), self.worst, told=tuple(self.told)
        )

    def worst_first(self) -> tuple[str, ...]:
        return tuple(sorted(self.lost, key=self.lost.__getitem__, reverse=True))

    def lose_path(self, path: str, kind: Kind, words: str = LEFT_OUT) -> None:
        self.note_path(path, words)
        line = f"{without_places(path)} -> {words}"
        self.lost.setdefault(line, kind)
        self.worst = max(self.worst, kind)

    def lose_native(self, path: str, value: object) -> None:
        """A member that only clients of this format have. Raises CannotTranslate."""
        kind, asks = loss_of(self.source, path, value)
        if kind > Kind.TUNING:
            raise _no_words(path, _type_of(value) if path == "tool_choice" else "")
        if asks:
            self.lose_path(path, kind)


def leave_natives(conversation: Conversation, notes: Notes, said: Collection[str] = ()) -> Conversation:
    """For a writer of another format: the conversation without what only its client's has; see formats.losses.

    `said` are those settings that the writer says itself. Raises CannotTranslate.
    """
    for path, value in conversation.extra.items():
        if path not in said and not _is_search(conversation, path):
            notes.lose_native(path, value)
        elif path not in said:
            _lose_tool(conversation, path, path, notes)
    if not has_natives_inside(conversation):
        return conversation
    tools = tuple(tool for tool in conversation.tools if _keeps_tool(tool, conversation, notes))
    for message in conversation.messages:
        _lose_own(message, notes)
        for part in message.parts:
            _judge_part(part, notes)
    return replace(conversation, tools=tools) if len(tools) < len(conversation.tools) else conversation


def _judge_part(part: Part, notes: Notes) -> None:
    if isinstance(part, Native):
        raise _no_words(part.path, _kind_of(part))
    _lose_own(part, notes)
    if isinstance(part, ToolResult):
        for inner in part.parts:
            _judge_part(inner, notes)


def _lose_own(thing: Any, notes: Notes) -> None:
    if thing.wording is not None:
        for path, value in thing.wording.own.items():
            notes.lose_native(path, value)


def _keeps_tool(tool: Tool | Native, conversation: Conversation, notes: Notes) -> bool:
    if not isinstance(tool, Native):
        _lose_own(tool, notes)
        return True
    if tool.origin != conversation.source:
        # The provider's own, in the place of the client's.
        return True
    _lose_tool(conversation, _kind_of(tool), tool.path, notes)
    return False


def _lose_tool(conversation: Conversation, kind: str, path: str, notes: Notes) -> None:
    """One that a provider runs. Where a model has other tools and is free to choose, it may do without a search."""
    loss = loss_of_tool(notes.source, kind)
    choice = conversation.tool_choice
    mode = ChoiceMode.AUTO if choice is None else choice.mode
    is_free = bool(conversation.functions) and mode is ChoiceMode.AUTO and not (choice and choice.names)
    if loss.kind is not Kind.HINT and not (loss.is_search and (is_free or mode is ChoiceMode.NONE)):
        raise _no_words(path, kind)
    notes.lose_path(path if path == kind else f"{path}={kind}", Kind.HINT)


def _is_search(conversation: Conversation, path: str) -> bool:
    """A setting that is a tool, as chat has one."""
    return not says_nothing(conversation.extra[path]) and loss_of_tool(conversation.source, path).is_search


def _kind_of(native: Native) -> str:
    """Its type, where it has one; else the member that it is."""
    kind = _type_of(native.value)
    return kind if kind and native.path.endswith(".type") else native.path.rpartition(".")[2]


def _type_of(value: object) -> str:
    kind = value.get("type") if isinstance(value, Mapping) else None
    return kind if isinstance(kind, str) else ""


def _no_words(path: str, kind: str = "") -> CannotTranslate:
    """`kind` is which tool it is about, where one is."""
    is_tool = kind and (path.endswith(".type") or path == "tool_choice")
    what = f"'{kind[:60]}' for '{path}'" if is_tool else f"'{path}'"
    return CannotTranslate(f"The chosen provider has no {what}.", param=path)
