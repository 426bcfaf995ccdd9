"""What is to be told of a translation: what was said in other words, and what could not be said."""

from providers.formats.base import CannotTranslate
from providers.formats.field_names import client_field


class Notes:
    """`source` is the wire format of the client, in whose words everything is named."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.translated: list[str] = []

    def note(self, field: str, words: str) -> None:
        """Once for each; `field` is a key of formats.field_names."""
        line = f"{client_field(self.source, field)} -> {words}"
        if line not in self.translated:
            self.translated.append(line)

    def refuse(self, field: str, message: str) -> CannotTranslate:
        return CannotTranslate(message, param=client_field(self.source, field))
