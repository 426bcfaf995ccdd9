"""One request by what people have of it: the id of the request, of a call or of an attempt."""

from collections.abc import Iterable

from accounts.models import LedgerEntry
from gateway.core.refusals import InvalidField

_LONGEST = 64


def find_request(text: str, teams: Iterable[int] | None) -> str | None:
    """By which id its page is found, where it is of one of those teams (None: of anybody's). Over all that is kept."""
    rows = LedgerEntry.objects.attempts().found_by_id(text.strip()[:_LONGEST])
    if teams is not None:
        rows = rows.filter(team__in=list(teams))
    entry = rows.order_by().first()
    return None if entry is None else entry.request_id or entry.call_id.hex


def sought(text: str, teams: Iterable[int] | None) -> str:
    """Raises InvalidField where there is none."""
    if found := find_request(text, teams):
        return found
    message = (
        f"No request here has the id {text.strip()[:40]!r}. Give the whole id of a request (req_…), a call or an "
        "attempt; one is here about a second after it ended, and only if a provider was asked."
    )
    raise InvalidField("q", message)
