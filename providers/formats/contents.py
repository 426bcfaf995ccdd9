"""Reads what a message says: a string, or a list of parts, each by the reader of its type; texts alone at once."""

from collections.abc import Callable, Collection, Mapping, Set

from providers.formats.fields import Fields
from providers.formats.wording import as_read
from providers.wire.conversation import Json, Message, Native, Part, Role, Text


class ContentReader:
    """Of the format `origin`. `readers` are by the type of a part; `noted` are members that say nothing new."""

    __slots__ = ("_noted", "_origin", "_readers")

    def __init__(
        self, origin: str, readers: Mapping[str, Callable[[Fields], Part]], noted: Collection[str] = ()
    ) -> None:
        self._origin = origin
        self._readers = readers
        self._noted = noted

    def read(self, message: Fields, name: str, kinds: Set[str]) -> list[Part]:
        """Of the field `name`; `kinds` are the types of part that may stand there. Raises BadRequest."""
        content = message.any(name)
        if content is None or isinstance(content, str):
            return [Text(content)] if content else []
        return [self.read_part(fields, kinds) for fields in message.things(name)]

    def read_part(self, fields: Fields, kinds: Set[str]) -> Part:
        """Native is of a type that only this format knows, or that says nothing here. Raises BadRequest."""
        kind = fields.needed("type")
        if kind not in kinds:
            return Native(self._origin, fields.value, fields.at("type"))
        part = self._readers[kind](fields)
        if isinstance(part, Native):
            return part
        fields.end(self._noted)
        return as_read(part, self._origin, fields.value, fields.own)


class PlainReader:
    """Reads messages that are texts and who says them, as most are, without asking member by member.

    `roles` are by the format's words, `content` is the member that holds what is said: parts, or also a string.
    `members` a message may have, and `of_text` a part of it, without anything more being said; `kinds` are the types
    of such parts by role.
    """

    __slots__ = ("_content", "_kinds", "_members", "_of_text", "_origin", "_roles", "_takes_string")

    def __init__(
        self,
        origin: str,
        roles: Mapping[str, Role],
        kinds: Mapping[Role, tuple[str | None, ...]],
        *,
        content: str = "content",
        takes_string: bool = True,
        members: Collection[str] = (),
        of_text: Collection[str] = (),
    ) -> None:
        self._origin = origin
        self._roles = roles
        self._kinds = kinds
        self._content = content
        self._takes_string = takes_string
        self._members = frozenset({"role", content, *members})
        self._of_text = frozenset({"text", *of_text})

    def read(self, value: Json) -> Message | None:
        """None for what may be more, or wrong: the format's own reader finds out."""
        if type(value) is not dict or not value.keys() <= self._members:
            return None
        name, said = value.get("role"), value.get(self._content)
        role = self._roles.get(name) if type(name) is str else None
        if role is None or not said or ("type" in value and value["type"] != "message"):
            return None
        if type(said) is str:
            parts: tuple[Text, ...] | None = (Text(said),) if self._takes_string else None
        else:
            parts = self._read_parts(said, role)
        return None if parts is None else as_read(Message(role, parts), self._origin, value, {})

    def _read_parts(self, parts: Json, role: Role) -> tuple[Text, ...] | None:
        if type(parts) is not list:
            return None
        kinds, of_text, texts = self._kinds[role], self._of_text, []
        for part in parts:
            if type(part) is not dict or not part.keys() <= of_text or part.get("type") not in kinds:
                return None
            text = part.get("text")
            if type(text) is not str:
                return None
            texts.append(self.text_of(text, part))
        return tuple(texts)

    def text_of(self, text: str, part: Json) -> Text:
        return as_read(Text(text), self._origin, part, {})
