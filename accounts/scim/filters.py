"""What a list is asked for: `userName eq "ada"`, several joined by `and`. Pure. Source: RFC 7644, section 3.4.2.2."""

import json
import re
from collections.abc import Collection, Mapping

from gateway.core.errors import ApiError

LONGEST = 1_000
_TEXT = r'"(?:[^"\\]|\\.)*"'
_TERM = re.compile(
    rf'([A-Za-z][\w.:$-]*(?:\[[^\]"]*{_TEXT}\])?[\w.]*)\s+eq\s+({_TEXT}|true|false)', re.IGNORECASE
)
_AND = re.compile(r"\s+and\s+", re.IGNORECASE)
_INDEX = re.compile(r"\[[^\]]*\]")
SCHEMAS = ("urn:ietf:params:scim:schemas:core:2.0:user:", "urn:ietf:params:scim:schemas:core:2.0:group:")
"""Before an attribute, they say what it is without them."""


def read_filter(text: str, known: Collection[str]) -> Mapping[str, str | bool]:
    """By attribute, in small letters and without index: what it has to equal. Raises ApiError."""
    wanted: dict[str, str | bool] = {}
    rest = text.strip()
    if len(rest) > LONGEST:
        raise _refusal(known)
    while rest:
        found = _TERM.match(rest)
        if found is None:
            raise _refusal(known)
        name = plain_name(found.group(1))
        if name not in {each.lower() for each in known}:
            raise _refusal(known)
        value = _value(found.group(2), known)
        if wanted.setdefault(name, value) != value:
            raise _refusal(known)
        rest = rest[found.end() :]
        if rest:
            joined = _AND.match(rest)
            if joined is None or joined.end() == len(rest):
                raise _refusal(known)
            rest = rest[joined.end() :]
    return wanted


def plain_name(attribute: str) -> str:
    """`emails[type eq "work"].value` is `emails.value`, and a core schema's urn before it says nothing."""
    # No attribute is as long; and looking for the ends of many brackets takes the square of their number.
    name = (_INDEX.sub("", attribute) if len(attribute) <= LONGEST else attribute).lower()
    return next((name.removeprefix(each) for each in SCHEMAS if name.startswith(each)), name)


def _value(text: str, known: Collection[str]) -> str | bool:
    if text[0] != '"':
        return text.lower() == "true"
    try:
        return str(json.loads(text))
    except json.JSONDecodeError:
        raise _refusal(known) from None


def _refusal(known: Collection[str]) -> ApiError:
    message = f"filter: use 'attribute eq \"value\"', several joined by 'and', of {', '.join(known)}."
    return ApiError(message, code="invalidFilter", param="filter")
