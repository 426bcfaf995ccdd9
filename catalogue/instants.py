"""Instants in addresses and files. One rule: what names no zone is UTC, and a day alone is its first moment."""

from datetime import UTC, datetime, time

EARLIEST, LATEST = datetime(100, 1, 1, tzinfo=UTC), datetime(9900, 1, 1, tzinfo=UTC)
"""Instants in an address lie between: days are counted from them, in both directions."""
OF_DAY = "d"
"""Before the day, in the tag of an answer that is another one tomorrow."""
SHAPE = "YYYY-MM-DD, or an instant such as 2026-03-01T14:30:00Z; without a zone it is UTC"


def parse_instant(text: str) -> datetime:
    """In UTC. Raises ValueError. Source: RFC 3339, and ISO 8601 days."""
    if len(text) < len("2026-03-01"):
        raise ValueError(f"{text!r} is not an instant: {SHAPE}.")
    # A plus sign in an address that was not escaped arrives as a space.
    moment = datetime.fromisoformat(text.replace(" ", "+") if text.count(" ") == 1 and "T" in text else text)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC)


def day_text(at: datetime) -> str:
    """Its day in UTC, short: 20260301."""
    return f"{at.astimezone(UTC):%Y%m%d}"


def date_text(moment: datetime | None) -> str | None:
    """The day alone where the moment is its beginning (UTC)."""
    if moment is None:
        return None
    if moment.timetz().replace(tzinfo=None) == time.min:
        return moment.date().isoformat()
    return moment.isoformat().replace("+00:00", "Z")


def instant_text(at: datetime) -> str:
    """In UTC, with its time of day."""
    return at.isoformat().replace("+00:00", "Z")
