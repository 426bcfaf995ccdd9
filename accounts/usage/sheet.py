"""Usage as CSV: read a page at a time while it is sent, so that it may be long and holds nothing."""

from collections.abc import AsyncIterator, Sequence

from asgiref.sync import sync_to_async
from django.db import close_old_connections, connection
from django.http import StreamingHttpResponse
from django.utils import timezone

from accounts.csv_text import write_lines
from accounts.usage.answers import write_rows
from accounts.usage.question import Question
from accounts.usage.reader import Row, read_usage

MOST_ROWS = 1_000_000
_PAGE_ROWS = 2_000
_CUT = f"The list ends here, at {MOST_ROWS:,} rows: narrow it to get the others."


def send_sheet(question: Question, groups: Sequence[str], names: Sequence[str]) -> StreamingHttpResponse:
    headers = {
        "Content-Disposition": f'attachment; filename="usage-{timezone.now():%Y-%m-%d-%H%M%S}.csv"',
        "Cache-Control": "no-store",
    }
    return StreamingHttpResponse(
        csv_parts(question, groups, names), content_type="text/csv; charset=utf-8", headers=headers
    )


async def csv_parts(question: Question, groups: Sequence[str], names: Sequence[str]) -> AsyncIterator[str]:
    """The head, then page after page, each read once the one before has left. `groups` as the API names them."""
    columns = ["starts_at", "ends_at", *groups, *names]
    yield write_lines([columns])
    written = 0
    text, page = await _read(question, groups, columns, None)
    while page:
        yield text
        written += len(page)
        if written >= MOST_ROWS:
            yield write_lines([[_CUT]])
            return
        text, page = await _read(question, groups, columns, page[-1])


@sync_to_async
def _read(
    question: Question, groups: Sequence[str], columns: Sequence[str], last: Row | None
) -> tuple[str, Sequence[Row]]:
    try:
        page = read_usage(question, after=last.key if last else None, limit=_PAGE_ROWS)
        rows = write_rows(page, groups, question.bounds, columns[2 + len(groups) :])
        return write_lines([row[name] for name in columns] for row in rows), page
    finally:
        # Whoever reads slowly holds no connection.
        if not connection.in_atomic_block:
            close_old_connections()
