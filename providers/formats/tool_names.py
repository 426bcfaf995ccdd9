"""Says tool names in a format's alphabet, so that what comes back can be read without having kept a table."""

import re
from dataclasses import dataclass

from providers.formats.base import CannotTranslate
from providers.formats.field_names import client_field

_MARK = "_esc_"


@dataclass(frozen=True, slots=True)
class ToolNames:
    """`good` is what the format takes as it is, `plain` a character that may stay; others become `sign` and two digits.

    `reserved` are beginnings of names that mean something else.
    """

    good: re.Pattern[str]
    plain: re.Pattern[str]
    sign: str
    longest: int
    reserved: tuple[str, ...] = ()

    def write(self, name: str, source: str) -> str:
        """The name itself where it is taken, else with the bytes in question escaped. Raises CannotTranslate."""
        if self.good.fullmatch(name) and not name.startswith((_MARK, *self.reserved)):
            return name
        escaped = _MARK + "".join(map(self._escape, name))
        if len(escaped) > self.longest:
            message = f"The name of the tool '{name[:80]}' is too long for the chosen provider."
            raise CannotTranslate(message, param=client_field(source, "tool_name"))
        return escaped

    def read(self, name: str) -> str:
        if not name.startswith(_MARK):
            return name
        escaped = re.compile(f"{re.escape(self.sign)}([0-9a-f]{{2}})")
        data = escaped.sub(lambda match: chr(int(match[1], 16)), name.removeprefix(_MARK))
        return data.encode("latin-1", "replace").decode("utf-8", "replace")

    def _escape(self, character: str) -> str:
        if self.plain.fullmatch(character):
            return character
        return "".join(f"{self.sign}{byte:02x}" for byte in character.encode())
