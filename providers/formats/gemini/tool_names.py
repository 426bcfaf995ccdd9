"""Tool names in Gemini's alphabet."""

import re

from providers.formats.tool_names import ToolNames

_NAMES = ToolNames(re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}"), re.compile(r"[A-Za-z0-9_-]"), ".", 128)

write_name = _NAMES.write
read_name = _NAMES.read
