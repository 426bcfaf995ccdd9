"""An alert in the words of one who is mailed: its times in their zone, its days and its money as they write them.

The alert itself is in the house's form, which channels and programs get: whoever knows no reader says nothing else.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from accounts.alerts.kinds import KINDS, Kind
from accounts.alerts.raising import as_title, plain
from accounts.models import Alert, AlertDelivery, User
from gateway.core.locales import write_day, write_number, write_usd
from gateway.core.reader import NOBODY, Reader, reader_of, zone_named

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)? UTC")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_AMOUNT = re.compile(r"\d[\d,]*(\.\d+)?")
_MONEY = re.compile(r"\$(\{\w+_usd\})")
_DOLLARS = re.compile(r"\$(\d+(?:\.\d+)?) (?=a |in )")
_IN_NEWS = re.compile(
    rf"(?P<instant>{_INSTANT.pattern})|\b(?P<day>{_DAY.pattern})\b|\b(?P<usd>\d+\.\d+)(?= USD)"
)
_TIMES = frozenset({"at", "day", "since", "until", "former_until", "last_used"})
_IN_LINE = re.compile(rf"^{_INSTANT.pattern}(?=: )|(?<= calls since ){_INSTANT.pattern}(?=\.\n)")
"""A digest's line begins with one; one of an alarm says since when there are such calls."""


def reader_for(row: AlertDelivery) -> Reader:
    """The person whose address it is; of a channel nobody, and so the team's zone."""
    zone = row.alert.team.time_zone if row.alert.team else ""
    people = list(User.objects.filter(email__iexact=row.address, is_active=True)[:2]) if row.address else []
    # An address names somebody only while nobody else has it.
    return reader_of(people[0], zone) if len(people) == 1 else Reader(zone_named(zone))


def reword(alert: Alert, reader: Reader) -> tuple[str, str]:
    """Its title and its text. What is not of the kind's own words stays as it is."""
    kind = KINDS.get(alert.kind)
    if reader == NOBODY or kind is None or _own_words(kind, alert.data) != (alert.title, alert.text):
        return alert.title, alert.text
    data = {name: _said(name, value, reader) for name, value in alert.data.items()}
    if ends := _found_instant(alert.data.get("expires_at")):
        # Its day is that of the same zone.
        data["day"] = write_day(ends.astimezone(reader.zone).date(), reader.locale)
    # Amounts bring their sign along, wherever it stands.
    title, text = (_MONEY.sub(r"\1", words) for words in (kind.title, kind.text))
    return _own_words(replace(kind, title=title, text=text), data)


def _own_words(kind: Kind, data: Mapping[str, Any]) -> tuple[str, str]:
    return as_title(kind.title_of(plain(data))), kind.text_of(plain(data))


def _said(name: str, value: Any, reader: Reader) -> Any:
    """A member of an alert's data. What people typed is never looked into."""
    if name == "lines" and isinstance(value, list):
        return [_IN_LINE.sub(lambda found: _instant(found[0], reader), str(each), count=1) for each in value]
    if not isinstance(value, str):
        return value
    if name == "news":
        return _IN_NEWS.sub(lambda found: _in_news(found, reader), value)
    if name == "budget":
        return _DOLLARS.sub(lambda found: f"{write_usd(Decimal(found[1]), reader.locale)} ", value)
    if name == "times" and _AMOUNT.fullmatch(value):
        return write_number(Decimal(value), reader.locale)
    if name.endswith("_usd") and _AMOUNT.fullmatch(value):
        return write_usd(Decimal(value.replace(",", "")), reader.locale)
    if name in _TIMES or name.endswith("_at"):
        return _day(value, reader) if _DAY.fullmatch(value) else _instant(value, reader)
    return value


def _in_news(found: re.Match[str], reader: Reader) -> str:
    if found["usd"]:
        return write_number(Decimal(found["usd"]), reader.locale)
    return _day(found["day"], reader) if found["day"] else _instant(found["instant"], reader)


def _instant(text: str, reader: Reader) -> str:
    """The text itself where it is none, such as “never”."""
    at = _found_instant(text)
    return text if at is None else reader.write_instant(at, seconds=text.count(":") > 1)


def _found_instant(text: Any) -> datetime | None:
    if not isinstance(text, str) or not _INSTANT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.removesuffix(" UTC")).replace(tzinfo=UTC)
    except ValueError:
        return None


def _day(text: str, reader: Reader) -> str:
    try:
        return write_day(date.fromisoformat(text), reader.locale)
    except ValueError:
        return text
