"""What both stores promise of budgets; every story is played in memory and over Redis."""

import asyncio

import pytest

from gateway.core.store.interface import Ask, BudgetAsk, Charge, Limit, Store, WindowLimit
from tests.gateway.core.store.money import (
    DOLLAR,
    QUARTER,
    ask,
    balance,
    budget,
    charge,
    install,
    spent,
    window,
)
from tests.gateway.core.store.worlds import World

TEN = window(10)


# Asking


def test_call_holds_what_it_asks_for_and_nothing_is_spent_by_that(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await install(web, TEN)
        assert (await web.admit(ask("a", 4, TEN))).is_admitted
        assert ((await balance(web)).held, await spent(web, TEN)) == (4, 0)

    world.play(story)


def test_window_that_is_not_installed_is_unknown_and_nothing_is_taken(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        ever = window(10, "lifetime:0", 0)
        await install(web, TEN)
        slot = Limit("key:1", "concurrency", 1)
        verdict = await web.admit(Ask("a", [slot], budgets=[budget(4, TEN, ever)]))
        assert (verdict.is_admitted, verdict.reason, verdict.budget) == (False, "unknown", ("key:1", ever))
        assert (await balance(web)).held == 0
        assert (await web.admit(Ask("b", [slot]))).is_admitted

    world.play(story)


def test_what_is_spent_refuses_for_good_and_names_the_window(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        ever = window(100, "lifetime:0", 0)
        await install(web, ever, TEN, spent=10)
        verdict = await web.admit(ask("a", 1, ever, TEN))
        assert (verdict.is_admitted, verdict.reason, verdict.budget) == (False, "spent", ("key:1", TEN))
        assert verdict.retry_after_s == 0

    world.play(story)


def test_what_is_only_held_refuses_for_a_moment(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await install(web, TEN)
        await web.admit(ask("a", 10, TEN))
        verdict = await web.admit(ask("b", 1, TEN))
        assert (verdict.is_admitted, verdict.reason, verdict.budget) == (False, "held", ("key:1", TEN))
        assert verdict.retry_after_s == 1
        web.release_holds("a", ["key:1"])
        assert (await web.admit(ask("b", 1, TEN))).is_admitted

    world.play(story)


@pytest.mark.parametrize(
    ("running", "most", "held"),
    [
        # Of 1,000 a fortieth is 25: so alone it may cost 1,015 beyond what it holds, beside another 1,005 with that.
        (0, 1_025, 10),
        (0, 1_026, 1_000),
        (1, 512, 10),
        (1, 513, 513),
        (0, 10, 10),
        (0, 0, 10),
    ],
)
def test_near_the_end_of_a_window_the_most_that_a_call_may_cost_is_held(
    world: World, running: int, most: int, held: int
) -> None:
    thousand = window(1_000)

    async def story(web: Store, worker: Store) -> None:
        await install(web, thousand)
        for number in range(running):
            await web.admit(ask(f"running {number}", 10, thousand))
        asked = BudgetAsk("key:1", (thousand,), 10, most)
        assert (await web.admit(Ask("a", budgets=[asked]))).is_admitted
        assert (await balance(web)).held - 10 * running == held

    world.play(story)


def test_the_last_cents_can_be_used(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await install(web, TEN, spent=7)
        assert (await web.admit(ask("a", 5, TEN))).is_admitted
        assert (await balance(web)).held == 3

    world.play(story)


def test_the_tightest_window_decides_what_is_held(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        tight = window(3, "week:UTC:1761955200")
        await install(web, TEN, tight)
        await web.admit(ask("a", 5, TEN, tight))
        assert (await balance(web)).held == 3
        assert (await web.admit(ask("b", 5, TEN, tight))).budget == ("key:1", tight)

    world.play(story)


def test_budget_that_only_warns_is_not_asked(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        warns = WindowLimit("day:UTC:1761955200", QUARTER, 1, refuses=False)
        assert (await web.admit(ask("a", 5, warns))).is_admitted
        assert (await balance(web)).held == 0

    world.play(story)


def test_a_call_that_costs_nothing_is_not_in_the_way_of_holds(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await install(web, TEN)
        await web.admit(ask("a", 10, TEN))
        assert (await web.admit(ask("b", 0, TEN))).is_admitted
        assert (await balance(web)).held == 10

    world.play(story)


def test_a_call_that_costs_nothing_holds_nothing_where_a_raised_hold_is_larger_than_what_is_left(
    world: World,
) -> None:
    async def story(web: Store, worker: Store) -> None:
        await install(web, TEN)
        await web.admit(ask("a", 10, TEN))
        web.raise_hold("a", ["key:1"], 20)
        assert (await web.admit(ask("b", 0, TEN))).is_admitted
        web.release_holds("b", ["key:1"])
        assert (await balance(web)).held == 20

    world.play(story)


def test_all_subjects_hold_or_none(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await install(web, TEN)
        await install(web, TEN, subject="team:1", spent=10)
        limit, quota = Limit("key:1", "requests", 5, 86_400), Limit("provider:a", "requests", 5, 86_400)
        both = [budget(4, TEN), budget(4, TEN, subject="team:1")]
        verdict = await web.admit(Ask("a", [limit], candidates=[[quota]], budgets=both))
        assert (verdict.reason, verdict.budget) == ("spent", ("team:1", TEN))
        assert [standing.remaining for standing in verdict.standings] == [5]
        assert (await balance(web)).held == 0
        assert (await web.admit(Ask("b", [limit, quota]))).standings[1].remaining == 4

    world.play(story)


def test_limit_and_candidates_are_asked_before_money(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        full = Limit("key:1", "concurrency", 0)
        assert (await web.admit(Ask("a", [full], budgets=[budget(1, TEN)]))).reason == "limit"
        assert (
            await web.admit(Ask("a", candidates=[[full]], budgets=[budget(1, TEN)]))
        ).reason == "candidates"

    world.play(story)


def test_call_that_asks_again_holds_once(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await install(web, TEN)
        await web.admit(ask("a", 8, TEN))
        assert (await web.admit(ask("a", 9, TEN))).is_admitted
        assert (await balance(web)).held == 9

    world.play(story)


def test_two_hundred_at_once_exceed_a_budget_by_no_more_than_one_call(world: World) -> None:
    """Each holds what it will cost, and is settled and released while others come."""

    async def story(web: Store, worker: Store) -> None:
        ten_calls = window(100)
        await install(web, ten_calls)
        reasons = []

        async def call(store: Store, number: int) -> None:
            call_id = f"c{number}"
            verdict = await store.admit(ask(call_id, 9, ten_calls))
            reasons.append(verdict.reason)
            if verdict.is_admitted:
                await asyncio.sleep(0)
                store.settle(call_id, charge(9), f"p{number % 2}", number)
                store.release_holds(call_id, ["key:1"])

        for first in range(0, 200, 40):
            numbers = range(first, first + 40)
            await asyncio.gather(*(call((web, worker)[number % 2], number) for number in numbers))
        # The twelfth has one left to hold, and costs nine.
        assert (await spent(web, ten_calls), reasons.count("")) == (108, 12)
        assert set(reasons[-40:]) == {"spent"}
        assert (await balance(web)).held == 0

    world.play(story)


# Settling


def test_settling_moves_what_is_held_into_what_is_owed(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await install(web, TEN)
        await web.admit(ask("a", 6, TEN))
        web.settle("a", charge(4), "p", 1)
        assert ((await balance(web)).held, await spent(web, TEN)) == (2, 4)
        web.settle("a", charge(5), "p", 2)
        assert ((await balance(web)).held, await spent(web, TEN)) == (0, 9)

    world.play(story)


def test_settling_again_changes_nothing(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await install(web, TEN)
        await web.admit(ask("a", 6, TEN))
        for _ in range(3):
            web.settle("a", charge(2), "p", 1)
        assert ((await balance(web)).held, await spent(web, TEN)) == (4, 2)

    world.play(story)


def test_a_call_counts_in_the_window_in_which_it_began(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        today = window(10, "day:UTC:1762041600", QUARTER + 86_400)
        await install(web, TEN, today)
        web.settle("a", charge(3, QUARTER + 86_400 - 900), "p", 1)
        web.settle("b", charge(4, QUARTER + 86_400), "p", 2)
        assert (await spent(web, TEN), await spent(web, today)) == (7, 4)
        assert (await web.admit(ask("c", 9, today, TEN))).is_admitted
        assert (await balance(web)).held == 3

    world.play(story)


def test_each_subject_owes_its_own_amount(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        for subject in ("key:1", "provider:a"):
            await install(web, TEN, subject=subject)
        web.settle("a", [Charge("key:1", QUARTER, 2), Charge("provider:a", QUARTER, 3)], "p", 1)
        assert (await spent(web, TEN), await spent(web, TEN, "provider:a")) == (2, 3)

    world.play(story)


def test_a_hold_that_was_raised_grows_and_never_shrinks(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await install(web, window(1000))
        await web.admit(ask("a", 9, window(1000)))
        for amount, held in ((10, 10), (9, 10), (100, 100)):
            web.raise_hold("a", ["key:1"], amount)
            assert (await balance(web)).held == held

    world.play(story)


def test_a_call_that_holds_nothing_is_not_raised(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await install(web, TEN)
        await web.admit(ask("a", 9, TEN))
        web.release_holds("a", ["key:1"])
        web.raise_hold("a", ["key:1"], 5)
        web.release_holds("a", ["key:1"])
        assert (await balance(web)).held == 0

    world.play(story)


def test_what_one_process_lets_go_of_another_settles(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await install(web, TEN)
        await web.admit(ask("a", 6, TEN))
        web.release("a", leaves_holds=True)
        assert (await balance(web)).held == 6
        worker.settle("a", charge(4), "p", 1)
        worker.release_holds("a", ["key:1"])
        assert ((await balance(worker)).held, await spent(worker, TEN)) == (0, 4)

    world.play(story)


# Installing


def test_what_sql_has_by_now_is_no_longer_owed(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await install(web, TEN)
        for seq in (1, 2, 3):
            web.settle("", charge(seq), "p", seq)
        web.settle("", charge(1), "q", 1)
        await install(web, TEN, spent=3, version=2, p=2, q=0)
        assert await spent(web, TEN) == 7
        assert (await balance(web)).owed == {QUARTER: 4}

    world.play(story)


def test_what_is_settled_after_sql_told_of_it_is_not_counted_twice(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await install(web, TEN)
        await web.admit(ask("a", 6, TEN))
        await install(web, TEN, spent=5, version=2, p=1)
        web.settle("a", charge(5), "p", 1)
        assert ((await balance(web)).held, await spent(web, TEN)) == (1, 5)

    world.play(story)


def test_an_earlier_version_changes_nothing(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await install(web, TEN, spent=5, version=2, p=1)
        await install(web, TEN, spent=1, version=1, p=0)
        assert (await balance(web)).version == 2
        assert await spent(web, TEN) == 5

    world.play(story)


def test_the_same_version_adds_windows(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        ever = window(100, "lifetime:0", 0)
        await install(web, TEN, spent=5, p=0)
        web.settle("", charge(2), "p", 1)
        await install(web, ever, spent=50, p=0)
        assert (await spent(web, TEN), await spent(web, ever)) == (7, 52)

    world.play(story)


def test_a_later_version_forgets_windows_that_it_does_not_name(world: World) -> None:
    """What was owed would be missing in them."""

    async def story(web: Store, worker: Store) -> None:
        ever = window(100, "lifetime:0", 0)
        await install(web, TEN, ever)
        web.settle("", charge(2), "p", 1)
        await install(web, TEN, spent=2, version=2, p=1)
        assert (await spent(web, TEN), await spent(web, ever)) == (2, None)
        assert (await web.admit(ask("a", 1, ever))).reason == "unknown"

    world.play(story)


# Exactness


@pytest.mark.parametrize(
    "base", [900_000 * DOLLAR, 9_000_000 * DOLLAR + 1, 2**53 + 1, 900_000_000 * DOLLAR + 7]
)
def test_money_is_exact_to_the_last_digit_however_much_it_is(world: World, base: int) -> None:
    async def story(web: Store, worker: Store) -> None:
        large = window(base + 5)
        await install(web, large, spent=base)
        web.settle("", charge(1), "p", 1)
        assert await spent(web, large) == base + 1
        await web.admit(ask("a", 3, large))
        await web.admit(ask("b", 3, large))
        assert (await balance(web)).held == 4
        assert (await web.admit(ask("c", 1, large))).reason == "held"
        web.settle("a", charge(3), "p", 2)
        web.settle("b", charge(1), "p", 3)
        assert (await web.admit(ask("c", 1, large))).reason == "spent"
        assert await spent(web, large) == base + 5

    world.play(story)


def test_large_amounts_that_are_owed_are_added_up_exactly(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        large = window(2 * (2**53 + 1) + 1)
        await install(web, large)
        web.settle("", charge(2**53 + 1), "p", 1)
        web.settle("", charge(2**53 + 1), "p", 2)
        await install(web, large, version=2)
        assert await spent(web, large) == 2 * (2**53 + 1)
        await web.admit(ask("a", 5, large))
        assert (await balance(web)).held == 1

    world.play(story)
