"""What is to be told of a translation: what was said in other words, and what could not be said."""

from providers.formats.base import CannotTranslate
from providers.formats.spelling import spelt


class Notes:
    """`source` is the wire format of the client, in whose words everything is named."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.translated: list[str] = []

    def note(self, field: str, words: str) -> None:
        """Once for each; `field` is a key of formats.spelling."""
        line = f"{spelt(self.source, field)} -> {words}"
        if line not in self.translated:
            self.translated.append(line)

    def refuse(self, field: str, message: str) -> CannotTranslate:
        return CannotTranslate(message, param=spelt(self.source, field))
