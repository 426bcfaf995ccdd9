"""Says tool names and call ids in Anthropic's alphabet, so that names can be read back without a table."""

import re

from providers.formats.answer_tool import ANSWER_TOOL
from providers.formats.base import CannotTranslate
from providers.formats.spelling import spelt

_GOOD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MARK = "_esc_"
_PLAIN = re.compile(r"[A-Za-z0-9-]")
_ESCAPED = re.compile(r"_([0-9a-f]{2})")
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_-]")


def write_name(name: str, source: str) -> str:
    """The name itself where Anthropic takes it, else with the bytes in question escaped. Raises CannotTranslate."""
    if _GOOD.fullmatch(name) and not name.startswith((_MARK, ANSWER_TOOL)):
        return name
    escaped = _MARK + "".join(map(_escape, name))
    if len(escaped) > 64:
        message = f"The name of the tool '{name[:80]}' is too long for the chosen provider."
        raise CannotTranslate(message, param=spelt(source, "tool_name"))
    return escaped


def read_name(name: str) -> str:
    if not name.startswith(_MARK):
        return name
    data = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), name.removeprefix(_MARK))
    return data.encode("latin-1", "replace").decode("utf-8", "replace")


def write_call_id(call_id: str) -> str:
    """The same for a call and its result. It need not be read back: every request brings its own."""
    return _NOT_IN_IDS.sub(lambda match: f"_{ord(match[0]):02x}", call_id)


def _escape(character: str) -> str:
    if _PLAIN.fullmatch(character):
        return character
    return "".join(f"_{byte:02x}" for byte in character.encode())
