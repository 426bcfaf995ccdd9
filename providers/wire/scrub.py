"""Takes what must not leave the house out of a provider's text: credentials, hosts, addresses and paths."""

import re

_LONGEST = 500
_REMOVED = "[removed]"
_SECRET = re.compile(
    r"\b(?:bearer|basic)\s+[^\s\"',;]+"
    r"|\b(?:api[-_ ]?key|access[-_ ]?token|password|secret|authorization)\b[\"']?\s*[:=]\s*[\"']?[^\s\"',;]+"
    r"|\b(?:sk|pk|rk|gsk|csk|xai|hf|r8|org|proj)[-_][\w*.-]{6,}"
    r"|\b(?:pa|al)-[\w*-]{16,}"
    r"|\bAIza[\w*-]{8,}|\bAKIA[0-9A-Z]{12,}|\beyJ[\w-]{8,}\.[\w.-]+"
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


def scrub(text: str) -> str:
    """One line of at most 500 characters, with secrets and places removed."""
    line = _CONTROL.sub(" ", text[: 4 * _LONGEST])
    line = _PLACE.sub(_REMOVED, _SECRET.sub(_REMOVED, line))
    return " ".join(line.split())[:_LONGEST]
