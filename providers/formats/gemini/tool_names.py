"""Says tool names in Gemini's alphabet, so that what comes back can be read without having kept a table."""

import re

_LONGEST = 128
_GOOD = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")
_MARK = "_esc_"
_PLAIN = re.compile(r"[A-Za-z0-9_-]")
_ESCAPED = re.compile(r"\.([0-9a-f]{2})")


def write_name(name: str) -> str | None:
    """The name itself where Gemini accepts it, else with the bytes in question escaped. None if that is too long."""
    if _GOOD.fullmatch(name) and not name.startswith(_MARK):
        return name
    escaped = _MARK + "".join(_escape(character) for character in name)
    return escaped if len(escaped) <= _LONGEST else None


def read_name(name: str) -> str:
    if not name.startswith(_MARK):
        return name
    data = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), name.removeprefix(_MARK))
    return data.encode("latin-1", "replace").decode("utf-8", "replace")


def _escape(character: str) -> str:
    if _PLAIN.fullmatch(character):
        return character
    return "".join(f".{byte:02x}" for byte in character.encode())
