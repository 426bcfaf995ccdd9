"""Says tool names in OpenAI's alphabet, so that what comes back can be read without having kept a table."""

import re

from providers.formats.base import CannotTranslate
from providers.formats.spelling import spelt

_LONGEST = 64
_GOOD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MARK = "_esc_"
_PLAIN = re.compile(r"[A-Za-z0-9-]")
_ESCAPED = re.compile(r"_([0-9a-f]{2})")
# Their clients write for OpenAI's alphabet, and their providers may take more than it.
_SAME_ALPHABET = frozenset({"openai", "responses"})


def write_name(name: str, source: str) -> str:
    """The name itself where OpenAI takes it, else with the bytes in question escaped. Raises CannotTranslate."""
    if source in _SAME_ALPHABET or (_GOOD.fullmatch(name) and not name.startswith(_MARK)):
        return name
    escaped = _MARK + "".join(map(_escape, name))
    if len(escaped) > _LONGEST:
        message = f"The name of the tool '{name[:80]}' is too long for the chosen provider."
        raise CannotTranslate(message, param=spelt(source, "tool_name"))
    return escaped


def read_name(name: str) -> str:
    if not name.startswith(_MARK):
        return name
    data = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), name.removeprefix(_MARK))
    return data.encode("latin-1", "replace").decode("utf-8", "replace")


def _escape(character: str) -> str:
    if _PLAIN.fullmatch(character):
        return character
    return "".join(f"_{byte:02x}" for byte in character.encode())
