"""What may be asked of usage: instants, ranges, groups, filters and places in a list, read from a query. Pure.

All checks raise InvalidField, which names the parameter.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from accounts.usage.times import LONGEST_DAYS
from accounts.windows import DAY_S, QUARTER_S
from gateway.core.refusals import InvalidField

GROUPS: Mapping[str, str] = {
    "team": "team_id",
    "project": "project",
    "key": "lineage_id",
    "member": "member_id",
    "service_account": "service_account_id",
    "model": "model",
    "provider": "provider",
    "endpoint": "endpoint",
    "outcome": "outcome",
    "surface": "surface",
    "kind": "kind",
}
"""By what usage may be told apart and narrowed, with the column of UsageSeries."""
_VALUES_MOST, _VALUE_LENGTH = 50, 200
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_UNIX = re.compile(r"\d{1,12}")
_FIRST, _LAST = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (2000, 2100))
_FORMS = "RFC 3339, such as 2026-11-02T09:30:00Z, a day, such as 2026-11-02, or Unix seconds"


def read_instant(name: str, text: str, zone: str) -> float:
    """Unix seconds. A day means its midnight in that zone."""
    try:
        at = _instant(text.strip(), zone)
    except (ValueError, OverflowError):
        raise InvalidField(name, f"{name} is {text[:40]!r}; write it as {_FORMS}.") from None
    if not _FIRST <= at < _LAST:
        raise InvalidField(name, f"{name} is {text[:40]!r}; it must be in the years from 2000 to 2099.")
    return at


def _instant(text: str, zone: str) -> float:
    if _UNIX.fullmatch(text) and text.isascii():
        return float(text)
    if _DAY.fullmatch(text):
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()
    # Where a client forgot to encode it, the plus of an offset comes as a blank.
    at = datetime.fromisoformat(re.sub(r" (\d\d:?\d\d)$", r"+\1", text))
    if at.tzinfo is None:
        raise ValueError("no offset")
    return at.timestamp()


def fit_range(names: tuple[str, str], begin: float, end: float, bucket: str) -> tuple[int, int]:
    """The quarters of an hour that it touches, as bounds in Unix seconds."""
    low = int(begin) // QUARTER_S * QUARTER_S
    high = int(-(-end // QUARTER_S)) * QUARTER_S
    if end <= begin:
        raise InvalidField(names[1], f"{names[1]} must be later than {names[0]}.")
    if high - low > (LONGEST_DAYS[bucket] + 1) * DAY_S:
        too_long = f"{names[0]} is more than {LONGEST_DAYS[bucket]} days before {names[1]}"
        raise InvalidField(names[0], f"{too_long}; ask for less, or for wider buckets.")
    return low, high


def read_words(values: Iterable[str]) -> list[str]:
    """Of a list that may be repeated, and have commas in it; each once, in their order."""
    return list(dict.fromkeys(word.strip() for value in values for word in value.split(",")))


def check_groups(name: str, words: Sequence[str], allowed: Iterable[str]) -> Sequence[str]:
    known = list(allowed)
    for word in words:
        if word not in known:
            raise InvalidField(name, f"{name} holds {word[:40]!r}; use any of {', '.join(known)}.")
    return words


def check_values(name: str, words: Sequence[str]) -> Sequence[str]:
    if len(words) > _VALUES_MOST:
        raise InvalidField(name, f"{name} holds {len(words)} values; {_VALUES_MOST} are the most.")
    for word in words:
        if len(word) > _VALUE_LENGTH or not word.isprintable():
            raise InvalidField(name, f"{name} holds {word[:40]!r}, which is no name.")
    return words


def write_cursor(key: Sequence[Any]) -> str:
    """Of the last row of a page."""
    return base64.urlsafe_b64encode(orjson.dumps(list(key))).decode().rstrip("=")


def read_cursor(name: str, text: str, groups: Sequence[str]) -> Sequence[Any]:
    """The key after which the next page begins, where it is one of these groups (columns of UsageSeries)."""
    try:
        key = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        key = None
    kinds = [int, *(int if group.endswith("_id") else str for group in groups)]
    if isinstance(key, list) and list(map(type, key)) == kinds and all(map(_is_sane, key)):
        return key
    message = f"{name} is none of this list: send what the last page told, with the same parameters."
    raise InvalidField(name, message)


def _is_sane(value: int | str) -> bool:
    return abs(value) < 2**62 if isinstance(value, int) else "\0" not in value
