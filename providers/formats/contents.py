"""Reads what a message says in formats of typed parts: a string, or a list of parts, each by the reader of its type."""

from collections.abc import Callable, Collection, Mapping, Set

from providers.formats.fields import Fields
from providers.formats.wording import as_read
from providers.wire.conversation import Native, Part, Text


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
