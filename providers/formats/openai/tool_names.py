"""Tool names in OpenAI's alphabet."""

import re

from providers.formats.tool_names import ToolNames

_NAMES = ToolNames(re.compile(r"[A-Za-z0-9_-]{1,64}"), re.compile(r"[A-Za-z0-9-]"), "_", 64)
# Their clients write for OpenAI's alphabet, and their providers may take more than it.
_SAME_ALPHABET = frozenset({"openai", "responses"})

read_name = _NAMES.read


def write_name(name: str, source: str) -> str:
    """Raises CannotTranslate."""
    return name if source in _SAME_ALPHABET else _NAMES.write(name, source)
