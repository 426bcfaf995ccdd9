"""The breaker opens on trouble, lets one probe through and closes on success; samples fade."""

import pytest

from providers.breaker import FAILURES_TO_OPEN, FIRST_PAUSE_S, LONGEST_PAUSE_S, PROBE_LEASE_S
from providers.health import HealthTable
from providers.wire.failure import FailureKind

DOWN = FailureKind.UNAVAILABLE
PAST = FIRST_PAUSE_S + 1


def opened(at: float = 0) -> HealthTable:
    table = HealthTable()
    for _ in range(FAILURES_TO_OPEN):
        table.failed(7, DOWN, at)
    return table


def test_unknown_offering_is_healthy():
    status = HealthTable().status(7, at=0)
    assert (status.is_open, status.success_rate, status.latency_ms) == (False, 1.0, None)


def test_breaker_opens_at_the_fifth_failure_in_a_row():
    table = HealthTable()
    for _ in range(FAILURES_TO_OPEN - 1):
        table.failed(7, DOWN, at=0)
    assert table.admits(7, at=0)
    table.failed(7, DOWN, at=0)
    assert table.status(7, at=0).is_open
    assert not table.admits(7, at=FIRST_PAUSE_S - 1)


def test_success_in_between_starts_the_count_again():
    table = HealthTable()
    for _ in range(3 * FAILURES_TO_OPEN):
        table.failed(7, DOWN, at=0)
        for _ in range(2):
            table.succeeded(7, 10, at=0)
    assert table.admits(7, at=0)


def test_mistakes_of_callers_do_not_count():
    table = HealthTable()
    for _ in range(2 * FAILURES_TO_OPEN):
        table.failed(7, FailureKind.CALLER, at=0)
    assert table.status(7, at=0).success_rate == 1.0
    assert table.admits(7, at=0)


@pytest.mark.parametrize("kind", [FailureKind.AUTH, FailureKind.MODEL_MISSING])
def test_what_only_staff_can_repair_opens_at_once(kind):
    table = HealthTable()
    table.failed(7, kind, at=0)
    assert not table.admits(7, at=FIRST_PAUSE_S - 1)


def test_rate_limit_opens_for_as_long_as_the_provider_asked():
    table = HealthTable()
    table.failed(7, FailureKind.RATE_LIMIT, 0, 12)
    assert not table.admits(7, at=11)
    assert table.admits(7, at=12)


def test_rate_limit_without_a_time_counts_like_other_failures():
    table = HealthTable()
    table.failed(7, FailureKind.RATE_LIMIT, at=0)
    assert table.admits(7, at=0)


def test_half_open_breaker_admits_one_probe_at_a_time():
    table = opened()
    assert not table.status(7, at=PAST).is_open
    assert table.admits(7, at=PAST)
    assert not table.admits(7, at=PAST)


def test_lost_probe_does_not_block_the_next_for_ever():
    table = opened()
    table.admits(7, at=PAST)
    assert table.admits(7, at=PAST + PROBE_LEASE_S)


def test_successful_probe_closes_the_breaker():
    table = opened()
    table.admits(7, at=PAST)
    table.succeeded(7, 10, at=PAST)
    assert table.admits(7, at=PAST)
    assert table.admits(7, at=PAST)


def test_failed_probe_doubles_the_pause_up_to_five_minutes():
    table, at, pauses = opened(), 0.0, []
    for _ in range(6):
        began = at
        while not table.admits(7, at):
            at += 1
        pauses.append(at - began)
        table.failed(7, DOWN, at)
    assert pauses == [30, 60, 120, 240, LONGEST_PAUSE_S, LONGEST_PAUSE_S]


def test_late_success_of_an_older_call_does_not_close_the_breaker():
    table = opened()
    table.succeeded(7, 10, at=1)
    assert not table.admits(7, at=2)


def test_late_failures_do_not_lengthen_the_pause():
    table = opened()
    for _ in range(20):
        table.failed(7, DOWN, at=5)
    assert table.admits(7, at=PAST)


def test_mistake_of_a_caller_frees_the_probe():
    table = opened()
    table.admits(7, at=PAST)
    table.failed(7, FailureKind.CALLER, at=PAST)
    assert table.admits(7, at=PAST)


def test_success_rate_falls_with_failures_and_recovers_with_time():
    table = HealthTable()
    table.failed(7, DOWN, at=0)
    assert table.status(7, at=0).success_rate == pytest.approx(0.9)
    assert table.status(7, at=600).success_rate > 0.99


def test_latency_follows_the_newest_calls():
    table = HealthTable()
    table.succeeded(7, 100, at=0)
    table.succeeded(7, 200, at=0)
    assert table.status(7, at=0).latency_ms == pytest.approx(110)


def test_only_the_offerings_used_last_are_kept():
    table = HealthTable(capacity=2)
    for offering_id in (1, 2, 1, 3):
        table.succeeded(offering_id, 100, at=0)
    assert [table.status(one, at=0).latency_ms for one in (1, 2, 3)] == [100, None, 100]


@pytest.mark.parametrize(
    ("later_s", "rate"), [(-0.5, 0.9), (0, 0.9), (60, 0.95), (120, 0.975), (600, 0.99990234375)]
)
def test_half_of_a_failure_is_forgotten_in_a_minute_and_nothing_before_it(later_s, rate):
    table = HealthTable()
    table.failed(7, DOWN, at=1000)
    assert table.status(7, at=1000 + later_s).success_rate == pytest.approx(rate, rel=1e-9)


@pytest.mark.parametrize(("successes", "rate"), [(0, 0.9), (1, 0.91), (2, 0.919)])
def test_each_call_has_a_tenth_of_the_rate(successes, rate):
    table = HealthTable()
    table.failed(7, DOWN, at=1000)
    for _ in range(successes):
        table.succeeded(7, 10, at=1000)
    assert table.status(7, at=1000).success_rate == pytest.approx(rate, rel=1e-9)


def test_a_breaker_that_closed_knows_nothing_of_before():
    table = opened()
    table.failed(7, DOWN, at=PAST)
    again = 3 * PAST
    table.succeeded(7, 10, at=again)
    for failures in range(1, FAILURES_TO_OPEN + 1):
        assert table.admits(7, again), failures
        table.failed(7, DOWN, again)
    assert not table.admits(7, again + FIRST_PAUSE_S - 1)
    assert table.admits(7, again + FIRST_PAUSE_S)


def test_a_success_starts_the_count_at_nothing():
    table = HealthTable()
    table.failed(7, DOWN, at=0)
    table.succeeded(7, 10, at=0)
    for failures in range(1, FAILURES_TO_OPEN + 1):
        assert table.admits(7, at=0), failures
        table.failed(7, DOWN, at=0)
    assert not table.admits(7, at=0)


@pytest.mark.parametrize(
    ("at", "calls"), [(FIRST_PAUSE_S - 1, 0), (FIRST_PAUSE_S, 2), (FIRST_PAUSE_S + 1, 2)]
)
def test_a_success_closes_the_breaker_once_its_pause_is_over(at, calls):
    table = opened()
    table.succeeded(7, 10, at)
    assert [table.admits(7, at) for _ in range(2)] == [True] * calls + [False] * (2 - calls)
