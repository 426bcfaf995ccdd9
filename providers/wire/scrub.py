"""Takes what must not leave the house out of a provider's text: credentials, hosts, addresses and paths."""

import html
import re
from base64 import b64encode
from collections.abc import Iterator

_LONGEST = 500
_READ_CHARS = 64 * 1024
_REMOVED = "[removed]"
# Taking shorter ones out would make holes in words.
_SHORTEST_SECRET = 8
_OPENING = r"[\"'`<({\[\\]*"
_SECRET = re.compile(
    rf"\b(?:bearer|basic)\s*[:=]?\s+{_OPENING}[^\s\"',;]+"
    rf"|\b(?:api[-_ ]?key|access[-_ ]?token|password|secret|authorization)\b[\"'\\]*\s*[:=]\s*{_OPENING}"
    rf"(?:(?:bearer|basic|token|digest|apikey|key)\s+{_OPENING})?[^\s\"',;]+"
    r"|\b(?:sk|pk|rk|gsk|csk|xai|hf|r8|org|proj)[-_][\w*.-]{6,}"
    r"|\b(?:pa|al)-[\w*-]{16,}"
    r"|\bAIza[\w*-]{8,}|\bAKIA[0-9A-Z]{12,}|\beyJ[\w-]{8,}\.[\w.-]+"
    r"|(?<![\w*.-])[\w.-]{2,32}\*{3,}[\w*.-]*"
    r"|\b(?=\w*\d)[A-Za-z0-9_]{32,}\b",
    re.IGNORECASE,
)
# Only these endings make a host, so that names of parameters such as `messages.content` stay readable.
_PLACE = re.compile(
    r"\b[a-z][a-z0-9+.-]{0,20}://[^\s\"'<>)]+"
    r"|\b(?:[a-z0-9_-]{1,63}\.){1,8}(?:com|net|org|io|ai|dev|cloud|app|co|eu|uk|de|fr|us|cn|xyz|info|tech|run|local|internal"
    r"|lan|svc|localdomain|arpa)\b(?::\d+)?"
    r"|\blocalhost\b(?::\d+)?"
    r"|\bhost=[^\s,)]+"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b(?::\d+)?"
    r"|\[?(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])\]?(?::\d+)?"
    r"|(?<![\w/\\])(?:~|[a-z]:)?(?:[/\\][\w.@+-]+){2,}[/\\]?",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_PACKED = re.compile(r"[\w+/=%\\-]{10,}")


def scrub(text: str, secret: str = "") -> str:
    """One line of at most 500 characters, with secrets and places removed.

    `secret` is the credential that was used. It is taken out before anything else, so that no part of it is left where
    a pattern would have ended.
    """
    line = _CONTROL.sub(" ", remove_secret(_first_words(text), secret)[: 4 * _LONGEST])
    line = _PLACE.sub(_REMOVED, _SECRET.sub(_REMOVED, line))
    return " ".join(line.split())[:_LONGEST]


def remove_secret(text: str, secret: str) -> str:
    """Without this very secret, as it is and as JSON, HTML and addresses write it; also packed in base64."""
    secret = secret.strip()
    if len(secret) < _SHORTEST_SECRET:
        return text
    text = re.sub("".join(map(_any_spelling, secret)), _REMOVED, text, flags=re.IGNORECASE)
    cores = re.compile("|".join("".join(map(_any_spelling, core)) for core in _base64_cores(secret)))
    return _PACKED.sub(lambda word: _REMOVED if cores.search(word.group()) else word.group(), text)


def _first_words(text: str) -> str:
    """As much as is looked at, and no half word: half a secret would not be known."""
    return text if len(text) <= _READ_CHARS else text[:_READ_CHARS].rpartition(" ")[0]


def _any_spelling(char: str) -> str:
    code = ord(char)
    forms = [rf"\\*(?:{re.escape(char)}|u00{code:02x}|x{code:02x})", f"%(?:25)*{code:02X}|%(?:25)*{code:02x}"]
    forms += [rf"&#0*{code};", f"&#[xX]0*{code:x};", re.escape(html.escape(char))]
    if char == " ":
        forms.append(r"\+")
    return f"(?:{'|'.join(forms)})"


def _base64_cores(secret: str) -> Iterator[str]:
    """What is the same wherever it was packed: after any number of other bytes, such as `user:`, and before others."""
    data = secret.encode()
    for others, mixed in ((0, 0), (1, 2), (2, 3)):
        whole = (others + len(data)) * 8 // 6
        core = b64encode(bytes(others) + data)[mixed:whole].decode()
        yield core
        if core != (of_addresses := core.translate(str.maketrans("+/", "-_"))):
            yield of_addresses
