"""The one door through which alerts are raised: once for each cause and window, whoever asks how often."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from accounts.alerts.kinds import KINDS, TITLE_LENGTH
from accounts.models import Alert, Team
from gateway.core.lines import as_one_line

DATA_BYTES = 15_000
"""Of an alert's `data`, as JSON; webhooks may be as long as 20 kB with all that is around it."""
_LONGEST_TEXT = 1_000


def raise_alert(
    kind: str,
    *,
    cause: str,
    window: str = "",
    team: Team | None = None,
    data: Mapping[str, Any] | None = None,
    people: Iterable[int] = (),
) -> bool:
    """Note something that somebody has to hear of. Whether it is new: in the same cause and window, only the first is.

    `kind` is a name of accounts.alerts.kinds; its words name members of `data`, which is JSON without secrets.
    `team`: None where it concerns the operator. `people`: ids of those whom it concerns in person. It is delivered
    once the caller's transaction is committed, by the duty that looks for such rows.
    Raises KeyError for a kind that there is not, TypeError for data that is no JSON.
    """
    alert = _alert(kind, cause, team, data or {})
    alert.window, alert.people = window[:60], sorted(set(people))
    alert.fingerprint = _fingerprint(kind, str(team.pk if team else ""), cause, window)
    # No error where another process was first, so that a transaction around it lives on.
    Alert.objects.bulk_create([alert], ignore_conflicts=True)
    return Alert.objects.filter(public_id=alert.public_id).exists()


def make_alert(
    kind: str,
    *,
    cause: str,
    team: Team | None,
    data: Mapping[str, Any],
    text: str = "",
    people: Iterable[int] = (),
) -> Alert:
    """One that is new in any case, for whom it is made: its deliveries are the caller's to make.

    `text` stands in place of the kind's own.
    """
    alert = _alert(kind, cause, team, data)
    alert.text, alert.people = text or alert.text, sorted(set(people))
    alert.fingerprint, alert.spread_at = _fingerprint(alert.public_id), alert.raised_at
    alert.save(force_insert=True)
    return alert


def bounded(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same, or what is left of it where it is too long: then it says `truncated`.

    Long texts are cut first; then the members at its end go.
    """
    if len(written := orjson.dumps(data)) <= DATA_BYTES:
        # PostgreSQL keeps no NUL.
        return orjson.loads(written.replace(b"\\u0000", b"")) if b"\\u0000" in written else dict(data)
    kept: dict[str, Any] = {"truncated": True}
    for name, value in data.items():
        short = value[:_LONGEST_TEXT].replace("\0", "") if isinstance(value, str) else value
        if len(orjson.dumps(kept | {name: short})) <= DATA_BYTES:
            kept[name] = short
    return kept


def _alert(kind: str, cause: str, team: Team | None, data: Mapping[str, Any]) -> Alert:
    told, given = KINDS[kind], bounded(data)
    return Alert(
        kind=kind,
        cause=cause[:200],
        team=team,
        data=given,
        title=as_title(told.title_of(plain(given))),
        text=told.text_of(plain(given)),
    )


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def as_title(text: str) -> str:
    return as_one_line(text)[:TITLE_LENGTH]


def plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a sentence can name: a list of texts is a line for each."""
    return {
        name: "\n".join(map(str, value)) if isinstance(value, list) else value for name, value in data.items()
    }
