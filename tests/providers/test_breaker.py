"""What opens a breaker and what does not, just below, at and above each boundary; who finds out; what others say."""

import pytest

from providers.breaker import (
    BY_CREDENTIAL,
    BY_FAILURES,
    BY_MODEL_MISSING,
    BY_RATE,
    BY_RETRY_AFTER,
    BY_STAFF,
    CALLS_TO_RATE,
    FAILURES_TO_OPEN,
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    LONGEST_WAIT_S,
    PROBE_LEASE_S,
    RATE_WINDOW_S,
    Breaker,
)
from providers.wire.failure import FailureKind

DOWN = FailureKind.UNAVAILABLE


def failed(times: int, at: float = 0.0, kind: FailureKind = DOWN, **fields: float) -> Breaker:
    breaker = Breaker()
    for _ in range(times):
        breaker.fail(kind, at, at, **fields)
    return breaker


def may(breaker: Breaker, at: float, *, is_shared: bool = False, is_only: bool = False) -> bool:
    return breaker.admits(at, is_shared=is_shared, is_only=is_only)


@pytest.mark.parametrize(
    ("times", "state"),
    [
        (0, "closed"),
        (FAILURES_TO_OPEN - 1, "closed"),
        (FAILURES_TO_OPEN, "open"),
        (FAILURES_TO_OPEN + 1, "open"),
    ],
)
def test_failures_in_a_row(times: int, state: str) -> None:
    breaker = failed(times)
    assert (breaker.state(0), breaker.cause) == (state, BY_FAILURES if state == "open" else "")


@pytest.mark.parametrize(
    ("pairs", "opens"),
    [(CALLS_TO_RATE // 2 - 1, False), (CALLS_TO_RATE // 2, True), (CALLS_TO_RATE // 2 + 1, True)],
)
def test_half_of_the_calls_failing_takes_enough_calls(pairs: int, opens: bool) -> None:
    breaker = Breaker()
    for _ in range(pairs):
        breaker.succeed(1, 0, 0)
        breaker.fail(DOWN, 0, 0)
    assert (breaker.is_open(0), breaker.cause) == (opens, BY_RATE if opens else "")


@pytest.mark.parametrize(("served", "opens"), [(101, False), (100, True), (99, True)])
def test_a_share_of_failures_below_a_half_is_borne(served: int, opens: bool) -> None:
    breaker = Breaker()
    # In an order in which they are never many in a row, and at last half of them.
    breaker.succeed(served - 80, 0, 0)
    for number in range(100):
        breaker.fail(DOWN, 0, 0)
        if number % 5 != 4 and number < 100:
            breaker.succeed(1, 0, 0)
    assert breaker.is_open(0) is opens


@pytest.mark.parametrize(
    ("later_s", "opens"), [(RATE_WINDOW_S - 1, True), (RATE_WINDOW_S, False), (10 * RATE_WINDOW_S, False)]
)
def test_failures_of_more_than_a_minute_ago_are_no_share_of_anything(later_s: float, opens: bool) -> None:
    breaker = Breaker()
    for _ in range(CALLS_TO_RATE // 2 - 1):
        breaker.succeed(1, 0, 0)
        breaker.fail(DOWN, 0, 0)
    breaker.succeed(1, later_s, later_s)
    breaker.fail(DOWN, later_s, later_s)
    assert breaker.is_open(later_s) is opens


def test_a_minute_is_kept_in_six_pieces_however_many_calls_there_are() -> None:
    breaker = Breaker()
    for at in range(10 * RATE_WINDOW_S):
        breaker.succeed(1, at, at)
    assert len(breaker.recent._slots) == 6


def test_what_passes_away_takes_nothing_later_with_it() -> None:
    breaker = Breaker()
    breaker.succeed(1, 0, 0)
    for at in [50] * (CALLS_TO_RATE // 2 - 1) + [65]:
        breaker.succeed(1, at, at)
        breaker.fail(DOWN, at, at)
    assert breaker.cause == BY_RATE


@pytest.mark.parametrize(
    ("kind", "cause"),
    [(FailureKind.AUTH, BY_CREDENTIAL), (FailureKind.MODEL_MISSING, BY_MODEL_MISSING)],
)
def test_what_only_staff_can_repair_opens_at_once_and_says_why(kind: FailureKind, cause: str) -> None:
    breaker = failed(1, kind=kind)
    assert (breaker.cause, breaker.open_until) == (cause, FIRST_PAUSE_S)


@pytest.mark.parametrize(
    ("asked_s", "until"), [(1, 1), (LONGEST_WAIT_S, LONGEST_WAIT_S), (LONGEST_WAIT_S + 1, LONGEST_WAIT_S)]
)
def test_a_limit_opens_for_as_long_as_it_says_and_a_minute_at_most(asked_s: float, until: float) -> None:
    breaker = failed(1, kind=FailureKind.RATE_LIMIT, retry_after_s=asked_s)
    assert (breaker.cause, breaker.open_until) == (BY_RETRY_AFTER, until)


def test_pauses_grow_up_to_the_longest_and_begin_anew_once_it_is_well() -> None:
    breaker, at, pauses = failed(FAILURES_TO_OPEN), 0.0, []
    for _ in range(6):
        assert breaker.open_until is not None
        pauses.append(breaker.open_until - at)
        at = breaker.open_until
        assert may(breaker, at)
        breaker.fail(DOWN, at, at)
    assert pauses == [30, 60, 120, 240, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
    at = breaker.open_until or 0.0
    assert breaker.succeed(1, at, at)
    assert breaker.state(at) == "closed"
    breaker.fail(FailureKind.AUTH, at, at)
    assert breaker.open_until == at + FIRST_PAUSE_S


@pytest.mark.parametrize(
    ("at", "state"),
    [(FIRST_PAUSE_S - 0.1, "open"), (FIRST_PAUSE_S, "half_open"), (FIRST_PAUSE_S + 99, "half_open")],
)
def test_it_is_half_open_from_the_end_of_its_pause(at: float, state: str) -> None:
    assert failed(FAILURES_TO_OPEN).state(at) == state


@pytest.mark.parametrize(("later_s", "may_try"), [(PROBE_LEASE_S - 0.1, False), (PROBE_LEASE_S, True)])
def test_half_open_one_call_finds_out_and_the_next_only_where_that_says_nothing(
    later_s: float, may_try: bool
):
    breaker = failed(FAILURES_TO_OPEN)
    assert [may(breaker, FIRST_PAUSE_S) for _ in range(3)] == [True, False, False]
    assert may(breaker, FIRST_PAUSE_S + later_s) is may_try


@pytest.mark.parametrize(("began", "closes"), [(-0.1, False), (0, True), (FIRST_PAUSE_S, True)])
def test_a_call_that_began_before_it_opened_does_not_close_it(began: float, closes: bool) -> None:
    breaker = failed(FAILURES_TO_OPEN)
    assert breaker.succeed(1, FIRST_PAUSE_S, began) is closes


def test_a_call_that_began_before_it_opened_does_not_open_it_anew() -> None:
    breaker = failed(FAILURES_TO_OPEN)
    assert not breaker.fail(DOWN, FIRST_PAUSE_S, -1)
    assert breaker.fail(DOWN, FIRST_PAUSE_S, 0)


@pytest.mark.parametrize(
    ("kind", "spared"),
    [
        (DOWN, True),
        (FailureKind.AUTH, False),
        (FailureKind.MODEL_MISSING, False),
        (FailureKind.RATE_LIMIT, False),
    ],
)
def test_failures_keep_nobody_from_the_only_offering_that_is_left(kind: FailureKind, spared: bool) -> None:
    breaker = failed(FAILURES_TO_OPEN, kind=kind, retry_after_s=30.0)
    assert (may(breaker, 1), may(breaker, 1, is_only=True)) == (False, spared)


# Other processes


def test_of_several_processes_only_the_one_with_the_lease_finds_out() -> None:
    breaker = failed(FAILURES_TO_OPEN)
    assert not may(breaker, FIRST_PAUSE_S, is_shared=True)
    assert breaker.may_claim(FIRST_PAUSE_S)
    breaker.leased_until = FIRST_PAUSE_S + 2
    assert [may(breaker, FIRST_PAUSE_S + 1, is_shared=True) for _ in range(2)] == [True, False]


def test_a_lease_that_ended_is_none() -> None:
    breaker = failed(FAILURES_TO_OPEN)
    breaker.leased_until = FIRST_PAUSE_S + 2
    assert not may(breaker, FIRST_PAUSE_S + 2, is_shared=True)


def test_neither_closed_nor_open_its_lease_is_asked_for() -> None:
    assert not Breaker().may_claim(0)
    breaker = failed(FAILURES_TO_OPEN)
    assert not breaker.may_claim(FIRST_PAUSE_S - 1)
    assert breaker.may_claim(FIRST_PAUSE_S)


def test_the_lease_is_not_asked_for_again_while_another_process_has_it_or_this_one() -> None:
    breaker = failed(FAILURES_TO_OPEN)
    breaker.taken_until = FIRST_PAUSE_S + 1
    assert not breaker.may_claim(FIRST_PAUSE_S)
    assert breaker.may_claim(FIRST_PAUSE_S + 1)
    breaker.leased_until = FIRST_PAUSE_S + 3
    assert not breaker.may_claim(FIRST_PAUSE_S + 2)
    assert may(breaker, FIRST_PAUSE_S + 2, is_shared=True)
    assert not breaker.may_claim(FIRST_PAUSE_S + 3)


def test_a_lease_is_for_one_pause() -> None:
    breaker = failed(FAILURES_TO_OPEN)
    breaker.leased_until = 10 * FIRST_PAUSE_S
    assert breaker.succeed(1, FIRST_PAUSE_S, FIRST_PAUSE_S)
    breaker.fail(FailureKind.AUTH, FIRST_PAUSE_S, FIRST_PAUSE_S)
    assert not may(breaker, 2 * FIRST_PAUSE_S, is_shared=True)


def test_a_call_that_finds_out_keeps_its_lease() -> None:
    breaker = failed(FAILURES_TO_OPEN)
    breaker.leased_until = FIRST_PAUSE_S + 2
    assert may(breaker, FIRST_PAUSE_S, is_shared=True)
    assert breaker.keeps_lease(FIRST_PAUSE_S + PROBE_LEASE_S - 1)
    assert not breaker.keeps_lease(FIRST_PAUSE_S + PROBE_LEASE_S)


@pytest.mark.parametrize(
    ("served", "trailing", "opens"), [(0, 2, True), (1, 2, False), (1, 5, True), (0, 1, False)]
)
def test_failures_that_others_saw_count_with_ours(served: int, trailing: int, opens: bool) -> None:
    breaker = failed(3)
    assert breaker.hear(served, trailing, trailing, 0) is opens


def test_what_others_saw_closes_nothing() -> None:
    breaker = failed(FAILURES_TO_OPEN)
    assert not breaker.hear(9, 0, 0, FIRST_PAUSE_S)
    assert breaker.state(FIRST_PAUSE_S) == "half_open"


def test_a_later_word_is_taken_over_and_an_earlier_one_is_not() -> None:
    breaker = failed(FAILURES_TO_OPEN)
    breaker.number = 7
    assert not breaker.adopt(None, "", 0, 7, 1)
    assert breaker.adopt(None, BY_FAILURES, 0, 8, 1)
    assert breaker.state(1) == "closed"
    assert breaker.adopt(61, BY_CREDENTIAL, 3, 9, 1)
    assert (breaker.open_until, breaker.cause, breaker.opened_times) == (61, BY_CREDENTIAL, 3)


# Staff


def test_held_open_it_lets_nothing_through_until_staff_let_go() -> None:
    breaker = Breaker()
    assert breaker.hold_to("open")
    assert not breaker.hold_to("open")
    assert (breaker.state(1e9), breaker.cause) == ("open", BY_STAFF)
    assert not may(breaker, 1e9, is_only=True)
    breaker.succeed(1, 1, 1)
    assert not breaker.adopt(None, "", 0, 99, 1)
    assert breaker.hold_to("")
    assert may(breaker, 1)


def test_held_closed_it_lets_everything_through_whatever_fails() -> None:
    breaker = failed(FAILURES_TO_OPEN)
    breaker.hold_to("closed")
    for kind in FailureKind:
        for _ in range(3 * CALLS_TO_RATE):
            breaker.fail(kind, 1, 1, 30.0)
    assert not breaker.hear(0, 99, 99, 1)
    assert not breaker.adopt(61, BY_FAILURES, 1, 99, 1)
    assert may(breaker, 1)
    breaker.hold_to("")
    assert breaker.failures_in_row == 0


@pytest.mark.parametrize(("at", "may_claim"), [(6.9, False), (7.0, True), (7.1, True)])
@pytest.mark.parametrize("whose", ["leased_until", "taken_until"])
def test_the_lease_is_asked_for_once_the_last_one_has_ended(whose: str, at: float, may_claim: bool) -> None:
    breaker = failed(FAILURES_TO_OPEN)
    breaker.open_until = 1.0
    setattr(breaker, whose, 7.0)
    assert breaker.may_claim(at) is may_claim


@pytest.mark.parametrize(
    ("open_until", "probed_at", "taken_until", "is_found_out"),
    [
        (None, 5.0, 9.0, False),
        (7.1, 5.0, 9.0, False),
        (7.0, None, 0.0, False),
        (7.0, 5.0, 0.0, True),
        (7.0, None, 7.1, True),
        (7.0, None, 7.0, False),
        (7.0, 7.0 - PROBE_LEASE_S, 0.0, False),
    ],
)
def test_somebody_finds_out_who_has_the_lease_or_makes_the_call(
    open_until: float | None, probed_at: float | None, taken_until: float, is_found_out: bool
) -> None:
    breaker = Breaker(open_until=open_until, probed_at=probed_at, taken_until=taken_until)
    assert breaker.is_found_out(7.0) is is_found_out


@pytest.mark.parametrize(("open_until", "pause_s"), [(None, 0.0), (9.0, 2.0), (7.0, 0.0), (5.0, 0.0)])
def test_a_pause_lasts_until_its_end(open_until: float | None, pause_s: float) -> None:
    assert Breaker(open_until=open_until).pause_s(7.0) == pause_s
