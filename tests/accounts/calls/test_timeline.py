"""A request drawn to scale: what it waited for stands before its first attempt."""

from datetime import UTC, datetime, timedelta

from accounts.calls.timeline import WIDTH, draw
from accounts.models import LedgerEntry

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def attempt(number: int, after_ms: int, latency_ms: float | None, **more: object) -> LedgerEntry:
    begun = AT + timedelta(milliseconds=after_ms)
    return LedgerEntry(
        number=number,
        started_at=begun,
        latency_ms=latency_ms,
        model="a/b",
        provider="p",
        outcome="finished",
        **more,
    )


def test_attempts_begin_after_the_wait_and_all_of_it_fits() -> None:
    drawn = draw([attempt(1, 0, 100), attempt(2, 200, 300)], 500)
    assert drawn is not None
    assert (drawn.total, drawn.waited, drawn.waited_width) == ("1.00 s", "500 ms", WIDTH / 2)
    assert [(bar.x, bar.width) for bar in drawn.bars] == [(500, 100), (700, 300)]
    assert drawn.bars[0].text.startswith("began after 500 ms")
    assert "100 ms after the one before ended" in drawn.bars[1].text


def test_request_that_did_not_wait_begins_at_once() -> None:
    drawn = draw([attempt(1, 0, 100)])
    assert drawn is not None
    assert (drawn.waited, drawn.waited_width, drawn.bars[0].x) == ("", 0, 0)
    assert drawn.bars[0].text.startswith("began at once")


def test_nothing_is_drawn_where_nobody_saw_an_attempt_end() -> None:
    assert draw([attempt(1, 0, None)], 500) is None
