"""The breaker opens on trouble, lets one probe through and closes on success; samples fade."""

import pytest

from providers.breaker import (
    BY_FAILURES,
    BY_STAFF,
    CLOSED,
    FAILURES_TO_OPEN,
    FIRST_PAUSE_S,
    HALF_OPEN,
    LONGEST_PAUSE_S,
    OPEN,
    PROBE_LEASE_S,
)
from providers.health import HealthTable, Transition
from providers.tallies import Tally
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


@pytest.mark.parametrize(
    ("latency_ms", "closes"), [(1_000 * PAST - 1, True), (1_000 * PAST, True), (1_000 * PAST + 1, False)]
)
def test_a_success_closes_the_breaker_unless_its_call_began_before_that_opened(latency_ms, closes):
    table = opened()
    table.succeeded(7, latency_ms, at=PAST)
    assert (table.status(7, at=PAST).state == CLOSED) is closes


def served(*calls: tuple[float, float | None, float | None]) -> Tally:
    """Each by its latency and that of its first token in ms, and its tokens a second."""
    tally = Tally()
    for call in calls:
        tally.serve(*call)
    return tally


def test_several_calls_at_once_have_their_mean_as_latency_and_the_weight_of_each():
    table = HealthTable()
    table.served(7, served((100, None, None), (200, None, None)), at=0, longest_ms=200)
    assert table.status(7, at=0).latency_ms == pytest.approx(150)
    table.served(7, served((300, None, None), (500, None, None)), at=0, longest_ms=500)
    assert table.status(7, at=0).latency_ms == pytest.approx(150 + 250 * (1 - 0.9**2))


def test_medians_are_those_of_the_middle_call():
    table = HealthTable()
    table.served(7, served((1, 10, 5), (1, 200, 50), (1, 4_000, 500)), at=0, longest_ms=1)
    status = table.status(7, at=0)
    assert status.first_token_ms == pytest.approx(200, rel=0.05)
    assert status.tokens_per_s == pytest.approx(50, rel=0.05)


@pytest.mark.parametrize("call", [(1, 200, None), (1, None, 50), None], ids=["token", "speed", "connection"])
def test_whatever_was_measured_passes_away_after_five_minutes_though_nobody_calls(call):
    table = HealthTable()
    if call:
        table.served(7, served(call), at=0, longest_ms=1)
    else:
        table.failed(7, DOWN, at=0, is_unreached=True)

    def measured(at):
        table.refresh(at)
        status = table.status(7, at)
        return bool(status.first_token_ms or status.tokens_per_s or status.connect_failures)

    assert [measured(at) for at in (0, 299, 300)] == [True, True, False]


def test_a_way_keeps_no_more_of_its_calls_than_the_windows_need():
    table = HealthTable()
    for at in range(0, 2 * 3_600, 5):
        table.succeeded(7, 10, at)
    record = table._records[7]
    assert (len(record.minute._slots), len(record.half_hour._slots)) == (6, 30)


@pytest.mark.parametrize(
    ("at", "within_s", "calls"),
    [
        # The last minute by pieces of ten seconds, all that is longer by whole minutes.
        (65, 60, 1),
        (109, 60, 1),
        (110, 60, 0),
        (110, 300, 1),
        (299, 300, 1),
        (300, 300, 0),
        (300, 1_800, 1),
    ],
)
def test_calls_are_counted_within_each_window(at, within_s, calls):
    table = HealthTable()
    table.succeeded(7, 10, at=55)
    assert table.tally(7, at, within_s).calls == calls
    assert table.tally(8, at, within_s).calls == 0


@pytest.mark.parametrize(
    ("at", "left_s"), [(0, 30.0), (29.5, 0.5), (FIRST_PAUSE_S, 0.0), (FIRST_PAUSE_S + 0.5, 0.0)]
)
def test_what_is_left_of_a_pause_is_told_until_it_is_over(at, left_s):
    table = opened()
    assert table.pause_s(7, at) == left_s
    assert table.transition(7, at).pause_s == left_s


def test_what_is_not_open_has_no_pause_left():
    table = HealthTable()
    table.succeeded(7, 10, at=0)
    assert (table.pause_s(7, at=0), table.transition(7, at=0)) == (0.0, None)


def test_a_glance_sees_what_is_known_and_nothing_wrong_with_what_is_not():
    table = opened()
    assert [table.glance(way, at=0).is_open for way in (7, 8)] == [True, False]


def test_another_process_word_opens_for_the_pause_it_tells_and_closes():
    table = HealthTable()
    table.adopt(7, Transition(7, OPEN, BY_FAILURES, 20.0, 1, 1, 0.0), at=100)
    assert [table.status(7, at).is_open for at in (100, 119, 120)] == [True, True, False]
    assert [table.admits(7, at) for at in (100, 119, 120)] == [False, False, True]
    table.adopt(7, Transition(7, CLOSED, "", 0.0, 0, 2, 0.0), at=101)
    assert table.status(7, at=101).state == CLOSED
    assert table.admits(7, at=101)


@pytest.mark.parametrize(
    ("latency_ms", "is_open"), [(1_000 * PAST - 1, True), (1_000 * PAST, True), (1_000 * PAST + 1, False)]
)
def test_a_failure_opens_the_breaker_anew_unless_its_call_began_before_that_opened(latency_ms, is_open):
    table = opened()
    table.failed(7, DOWN, at=PAST, latency_ms=latency_ms)
    assert table.status(7, at=PAST).is_open is is_open


@pytest.mark.parametrize(
    ("failures", "is_admitted"), [(FAILURES_TO_OPEN - 1, True), (FAILURES_TO_OPEN, False)]
)
def test_failures_that_others_saw_open_the_breaker_here_and_that_is_told(failures, is_admitted):
    table = HealthTable()
    table.hear(7, Tally(failed={DOWN.value: failures}, trailing=failures), at=0)
    assert table.admits(7, at=0) is is_admitted
    assert [change.state for change in table.changes] == ([] if is_admitted else [OPEN])


def test_staff_hold_a_way_until_they_let_go():
    table = HealthTable()
    table.hold({7: OPEN}, at=0)
    assert [table.admits(way, at=0) for way in (7, 8)] == [False, True]
    assert (table.status(7, at=0).cause, table.pause_s(7, at=0)) == (BY_STAFF, float("inf"))
    assert table.transition(7, at=0) is None
    table.hold({8: OPEN}, at=0)
    assert [table.admits(way, at=0) for way in (7, 8)] == [True, False]


def test_the_call_that_finds_out_is_told_once_and_those_that_are_spared_are_not():
    table = opened()
    table.changes.clear()
    assert table.admits(7, at=1, is_only=True)
    assert table.changes == []
    assert table.admits(7, at=PAST)
    assert table.admits(7, at=PAST, is_only=True)
    assert [(change.state, change.cause) for change in table.changes] == [(HALF_OPEN, BY_FAILURES)]


def test_changes_are_numbered_by_the_clock_and_each_after_the_one_before():
    table = HealthTable(wall=lambda: 5.0015)
    for _ in range(FAILURES_TO_OPEN):
        table.failed(7, DOWN, at=0)
    table.succeeded(7, 10, at=PAST)
    assert [(change.state, change.number) for change in table.changes] == [(OPEN, 5001), (CLOSED, 5002)]


def test_a_way_with_nothing_against_it_is_shown_as_it_was_until_something_changes():
    table = HealthTable()
    table.succeeded(7, 10, at=0)
    shown = table.status(7, at=0)
    assert table.status(7, at=9) is shown
    table.failed(7, DOWN, at=9)
    assert table.status(7, at=9).success_rate < table.status(7, at=19).success_rate


def test_that_a_call_finds_out_is_told_once():
    table = opened()
    table.changes.clear()
    for at in (PAST, PAST + 1, PAST + 2):
        table.admits(7, at=at)
    assert [change.state for change in table.changes] == [HALF_OPEN]
    table.admits(7, at=PAST + PROBE_LEASE_S)
    assert len(table.changes) == 2


@pytest.mark.parametrize(
    ("is_shared", "way", "may_claim"),
    [(True, 7, True), (False, 7, False), (True, 8, False), (False, 8, False)],
)
def test_the_lease_is_asked_for_only_of_a_breaker_that_others_see_as_well(is_shared, way, may_claim):
    table = opened()
    table.is_shared = is_shared
    assert table.may_claim(way, PAST) is may_claim


def test_a_lease_of_ours_lets_a_call_through_and_one_of_others_says_that_they_find_out():
    table = opened()
    table.is_shared = True
    table.lease(7, PAST + 9, is_ours=False)
    assert (table.admits(7, PAST), table.is_found_out(7, PAST)) == (False, True)
    table.lease(7, PAST + 9)
    assert table.admits(7, PAST)
    assert not table.is_found_out(8, PAST)
