"""What failing over may put on a target, and how long it waits: at its boundaries."""

import asyncio
import time

import pytest

from gateway.proxy.patience import ENDLESS
from gateway.proxy.retries import FREE, WINDOW_S, RetryBudget, pause_before
from gateway.proxy.targets import Target, Targets
from providers.health import HealthTable
from providers.wire.failure import FailureKind, UpstreamFailure
from tests.gateway.proxy.values import a_model, a_provider, an_offering

AT = 1_000_000.25


def a_budget(*, served=0, at=AT, failed_over=0):
    """`served` of all attempts at the target, `failed_over` to it."""
    budget = RetryBudget()
    for _ in range(served):
        budget.began(1, at)
    for _ in range(failed_over):
        budget.take(1, at)
    return budget


@pytest.mark.parametrize(
    ("served", "failed_over", "is_allowed"),
    [
        (0, 0, True),
        (0, FREE - 1, True),
        (0, FREE, False),
        (100, FREE - 1, True),
        (100, FREE, False),
        (109, FREE, False),
        (110, FREE, True),
        (110, FREE + 1, False),
        (1000, 99, True),
        (1000, 100, False),
    ],
)
def test_ten_are_free_and_more_are_a_tenth_of_what_a_target_serves(served, failed_over, is_allowed):
    assert a_budget(served=served, failed_over=failed_over).allows(1, AT) is is_allowed


@pytest.mark.parametrize(
    ("later_s", "is_allowed"), [(0, False), (WINDOW_S - 1, False), (WINDOW_S, True), (10 * WINDOW_S, True)]
)
def test_what_was_failed_over_counts_for_ten_seconds(later_s, is_allowed):
    assert a_budget(failed_over=FREE).allows(1, AT + later_s) is is_allowed


@pytest.mark.parametrize(("later_s", "is_allowed"), [(0, True), (WINDOW_S - 1, True), (WINDOW_S, False)])
def test_what_was_served_counts_for_ten_seconds(later_s, is_allowed):
    budget = a_budget(served=1000)
    for _ in range(FREE):
        budget.take(1, AT + later_s)
    assert budget.allows(1, AT + later_s) is is_allowed


def test_each_target_has_a_budget_of_its_own():
    budget = a_budget(failed_over=FREE)
    assert (budget.allows(1, AT), budget.allows("1:7", AT), budget.allows(2, AT)) == (False, True, True)


def test_no_more_is_kept_than_the_window():
    budget = RetryBudget()
    for second in range(1000):
        budget.began(second, AT + second)
    assert len(budget._seconds) == WINDOW_S


def test_what_begins_with_a_second_counts_for_that_one():
    budget = RetryBudget()
    budget.began(1, AT)
    for _ in range(1000):
        budget.began(1, int(AT) + 1.0)
    for _ in range(FREE):
        budget.take(1, AT + WINDOW_S)
    assert budget.allows(1, AT + WINDOW_S)


def test_a_failover_counts_for_the_second_in_which_it_was():
    budget = a_budget(failed_over=1)
    for _ in range(FREE):
        budget.take(1, AT + 5)
    assert not budget.allows(1, AT + WINDOW_S)
    # However many there are in a second, it is one.
    assert len(budget._seconds) == 2


def test_a_clock_that_has_just_begun_is_one_like_any_other():
    budget = RetryBudget()
    for _ in range(1000):
        budget.began(1, 0.5)
    assert (len(budget._seconds), budget._turns_at) == (1, 1.0)
    for _ in range(FREE):
        budget.take(1, WINDOW_S + 0.5)
    assert not budget.allows(1, WINDOW_S + 0.5)


def test_staff_hear_of_a_target_once_in_a_window():
    budget = RetryBudget()
    heard = [budget.is_news(1, AT + second) for second in range(2 * WINDOW_S + 1)]
    assert [second for second, is_news in enumerate(heard) if is_news] == [0, WINDOW_S, 2 * WINDOW_S]
    assert budget.is_news(2, AT)


def a_failure(kind, status=None):
    return UpstreamFailure(kind, "It failed.", code="provider_error", status=status)


@pytest.mark.parametrize(
    ("failure", "is_same_provider", "left_s", "waits"),
    [
        (a_failure(FailureKind.UNAVAILABLE, 503), True, float("inf"), True),
        (a_failure(FailureKind.UNAVAILABLE, 529), True, 0.51, True),
        (a_failure(FailureKind.UNAVAILABLE, 503), True, 0.5, False),
        (a_failure(FailureKind.UNAVAILABLE, 503), False, float("inf"), False),
        # Nobody was reached: there is no herd.
        (a_failure(FailureKind.UNAVAILABLE), True, float("inf"), False),
        # Another credential has a limit, a quota and an account of its own.
        (a_failure(FailureKind.RATE_LIMIT, 429), True, float("inf"), False),
        (a_failure(FailureKind.AUTH, 401), True, float("inf"), False),
        (a_failure(FailureKind.TIMEOUT), True, float("inf"), False),
        (a_failure(FailureKind.BAD_RESPONSE, 200), True, float("inf"), False),
    ],
)
def test_only_a_provider_in_trouble_is_not_asked_again_at_once(failure, is_same_provider, left_s, waits):
    pauses = [
        pause_before(failure, is_same_provider=is_same_provider, left_s=left_s, draw=draw)
        for draw in (0.0, 0.5, 1.0)
    ]
    assert pauses == (pytest.approx([0.05, 0.15, 0.25]) if waits else [0.0, 0.0, 0.0])


def targets_of(*ways, broken=(), kind=FailureKind.UNAVAILABLE):
    health, now = HealthTable(), time.monotonic()
    for way in broken:
        for _ in range(5):
            health.failed(way, kind, now)
    planned = [Target(a_model(), an_offering(way), a_provider(way), way) for way in ways]
    return Targets(planned, health, RetryBudget(), ENDLESS)


@pytest.mark.parametrize(
    ("broken", "kind", "tried"),
    [
        ((), FailureKind.UNAVAILABLE, 1),
        ((1,), FailureKind.UNAVAILABLE, 2),
        # Whoever failed too often is better than nobody; whose credential is refused is not.
        ((1, 2), FailureKind.UNAVAILABLE, 1),
        ((1, 2), FailureKind.AUTH, None),
    ],
)
def test_the_last_one_is_tried_though_it_failed_often(broken, kind, tried):
    target = targets_of(1, 2, broken=broken, kind=kind).advance()
    assert (target and target.way) == tried


@pytest.mark.parametrize(
    ("half_open", "granted", "tried", "asked"),
    [
        ((1,), (1,), 1, [1]),
        ((1,), (), 2, [1]),
        ((1, 2), (2,), 2, [1, 2]),
        ((1, 2), (), None, [1, 2]),
        ((2,), (2,), 1, []),
    ],
)
def test_a_call_asks_for_the_lease_of_a_half_open_one_itself(half_open, granted, tried, asked):
    """However seldom calls come, and wherever: the first one finds out."""
    targets = targets_of(1, 2, broken=half_open, kind=FailureKind.AUTH)
    health, claimed = targets._health, []
    health.is_shared = True
    for breaker in health.broken.values():
        breaker.open_until = time.monotonic()

    async def claim(way):
        claimed.append(way)
        health.lease(way, time.monotonic() + 9, is_ours=way in granted)

    target = targets.advance() or asyncio.run(targets.find_out(claim))
    assert (target and target.way, claimed) == (tried, asked)


@pytest.mark.parametrize(("half_open", "followed"), [((2, 3), [2, 3]), ((2,), [3, 2]), ((3,), [2, 3])])
def test_where_all_others_failed_a_call_goes_to_those_that_may_be_well_again(half_open, followed):
    targets = targets_of(1, 2, 3, broken=half_open, kind=FailureKind.AUTH)
    targets._health.is_shared = True
    for breaker in targets._health.broken.values():
        breaker.open_until = time.monotonic()
    assert targets.advance().way == 1
    tried = []
    while targets.may_follow(a_failure(FailureKind.UNAVAILABLE, 503)):
        tried.append(targets.advance().way)
    assert tried == followed


def test_where_all_others_failed_a_call_goes_to_none_that_is_left_alone():
    targets = targets_of(1, 2, broken=(2,), kind=FailureKind.AUTH)
    assert targets.advance().way == 1
    assert not targets.may_follow(a_failure(FailureKind.UNAVAILABLE, 503))


def test_a_target_that_has_its_part_of_failures_is_passed_over_for_the_next():
    targets = targets_of(1, 2, 3)
    for _ in range(FREE):
        targets._retries.take(2, time.monotonic())
    targets.advance()
    assert targets.may_follow(a_failure(FailureKind.UNAVAILABLE, 503))
    assert (targets.advance().way, targets.withheld) == (3, [2])
    assert not targets.may_follow(a_failure(FailureKind.UNAVAILABLE, 503))
