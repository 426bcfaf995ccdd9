"""The audit as lines of JSON: a page at a time, so that it may be long and holds nothing."""

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.db import close_old_connections, connection
from django.http import StreamingHttpResponse
from django.utils import timezone

from accounts.auditing.querysets import AuditQuerySet
from accounts.auditing.telling import as_lines

LINES = "application/jsonl"
_PAGE_ROWS = 1_000


def send_lines(entries: AuditQuerySet) -> StreamingHttpResponse:
    """As a file, the newest first."""
    name = f"audit-{timezone.now():%Y-%m-%d-%H%M%S}.jsonl"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(_parts(entries.newest_first()), content_type=LINES, headers=headers)


async def _parts(entries: AuditQuerySet) -> AsyncIterator[str]:
    last: int | None = None
    while True:
        text, last = await _read(entries, last)
        if last is None:
            return
        yield text


@sync_to_async
def _read(entries: AuditQuerySet, last: int | None) -> tuple[str, int | None]:
    """The page that follows, and the number of its last entry; None where there is nothing more."""
    try:
        page = list((entries if last is None else entries.before(last))[:_PAGE_ROWS])
        return as_lines(page), page[-1].pk if page else None
    finally:
        # Whoever reads slowly holds no connection.
        if not connection.in_atomic_block:
            close_old_connections()
