"""Tool names and call ids in Anthropic's alphabet."""

import re

from providers.formats.answer_tool import ANSWER_TOOL
from providers.formats.anthropic.signatures import ORIGIN
from providers.formats.tool_names import ToolNames

_NAMES = ToolNames(
    re.compile(r"[A-Za-z0-9_-]{1,64}"), re.compile(r"[A-Za-z0-9-]"), "_", 64, reserved=(ANSWER_TOOL,)
)
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_-]")

read_name = _NAMES.read


def write_name(name: str, source: str) -> str:
    """Raises CannotTranslate. Clients of Anthropic's format write for its alphabet."""
    return name if source == ORIGIN else _NAMES.write(name, source)


def write_call_id(call_id: str) -> str:
    """The same for a call and its result. It need not be read back: every request brings its own."""
    return _NOT_IN_IDS.sub(lambda match: f"_{ord(match[0]):02x}", call_id)
