"""What both stores promise of limits; every story is played in memory and over Redis."""

import asyncio
import math

import pytest

from gateway.core.store.interface import Ask, Charge, Limit, Store, Tokens
from gateway.core.store.limits import cost_of
from tests.gateway.core.store.worlds import HANG_S, World

ONE_SLOT = Limit("key:1", "concurrency", 1)


def requests(amount: int, window_s: int = 60, subject: str = "key:1") -> Limit:
    return Limit(subject, "requests", amount, window_s)


def tokens(amount: int, window_s: int = 60, subject: str = "key:1") -> Limit:
    return Limit(subject, "tokens", amount, window_s)


# Requests


def test_calls_within_the_limit_are_admitted_and_told_what_remains(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await web.admit(Ask("a", [requests(3)]))
        verdict = await worker.admit(Ask("b", [requests(3)]))
        (standing,) = verdict.standings
        assert verdict.is_admitted
        assert (standing.limit, standing.remaining) == (requests(3), 1)
        assert 40 - HANG_S < standing.reset_s <= 40

    world.play(story)


def test_what_is_left_can_be_asked_and_nothing_is_taken(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        limits = [requests(3), ONE_SLOT, tokens(100)]
        await web.admit(Ask("a", [requests(3)]))
        for _ in range(2):
            left = await worker.standings(limits)
            assert [(each.limit, each.remaining) for each in left] == [(requests(3), 2), (tokens(100), 100)]
            assert 20 - HANG_S < left[0].reset_s <= 20
        assert await worker.standings([ONE_SLOT]) == []

    world.play(story)


def test_call_beyond_the_limit_is_refused_by_it(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await web.admit(Ask("a", [requests(1)]))
        verdict = await worker.admit(Ask("b", [requests(1)]))
        assert (verdict.is_admitted, verdict.refused_by, verdict.reason) == (False, requests(1), "limit")
        assert 60 - HANG_S < verdict.retry_after_s <= 60
        assert [standing.remaining for standing in verdict.standings] == [0]

    world.play(story)


def test_refused_call_is_admitted_after_the_time_it_was_told(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        for call_id in "abc":
            await web.admit(Ask(call_id, [requests(3, 6)]))
        refused = await web.admit(Ask("d", [requests(3, 6)]))
        assert 0 < refused.retry_after_s <= 2
        await world.sleep(refused.retry_after_s + 0.001)
        assert (await web.admit(Ask("d", [requests(3, 6)]))).is_admitted

    world.play(story)


def test_room_comes_back_evenly(world: World) -> None:
    """A third of the window later there is room for a third of the amount, and not for one call more."""

    async def story(web: Store, worker: Store) -> None:
        limit = requests(600, 30)
        verdicts = [await web.admit(Ask(f"a{number}", [limit])) for number in range(600)]
        assert all(verdict.is_admitted for verdict in verdicts)
        await world.sleep(10)
        verdicts = [await web.admit(Ask(f"b{number}", [limit])) for number in range(220)]
        assert sum(verdict.is_admitted for verdict in verdicts) == 200

    if world.url is None:
        world.play(story)


def test_burst_of_many_calls_never_exceeds_the_amount(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        limit = requests(60, 86_400)
        asks = [Ask(f"a{number}", [limit]) for number in range(80)]
        verdicts = await asyncio.gather(
            *(store.admit(ask) for store, ask in zip([web, worker] * 40, asks, strict=True))
        )
        assert sum(verdict.is_admitted for verdict in verdicts) == 60

    world.play(story)


def test_lowered_limit_counts_what_was_let_in_before(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        for call_id in "abc":
            await web.admit(Ask(call_id, [requests(10)]))
        by_two = await web.admit(Ask("d", [requests(2)]))
        by_three = await web.admit(Ask("d", [requests(3)]))
        # Two of three have to leave at thirty seconds each, or one at twenty.
        assert 60 - HANG_S < by_two.retry_after_s <= 60
        assert by_three.retry_after_s <= 20
        assert (await web.admit(Ask("d", [requests(4)]))).is_admitted

    world.play(story)


def test_limit_of_nothing_never_admits_anybody(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        verdict = await web.admit(Ask("a", [requests(0)]))
        assert (verdict.is_admitted, verdict.retry_after_s) == (False, math.inf)

    world.play(story)


def test_call_without_limits_is_admitted(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        verdict = await web.admit(Ask("a"))
        assert (verdict.is_admitted, verdict.candidate, list(verdict.standings)) == (True, 0, [])

    world.play(story)


# Tokens


@pytest.mark.parametrize(
    ("unit", "is_capped", "cost"),
    [
        ("requests", False, 1),
        ("concurrency", False, 1),
        ("input_tokens", False, 30),
        ("output_tokens", False, 500),
        ("output_tokens", True, 100),
        ("tokens", False, 530),
        ("tokens", True, 100),
    ],
)
def test_a_call_takes_its_units_share_and_no_more_than_all_where_it_is_capped(
    unit: str, is_capped: bool, cost: int
) -> None:
    assert cost_of(Limit("key:1", unit, 100, 60), Tokens(30, 500, is_capped)) == cost


@pytest.mark.parametrize("is_capped", [False, True])
def test_no_cap_makes_a_prompt_fit_that_is_larger_than_the_limit(world: World, is_capped: bool) -> None:
    async def story(web: Store, worker: Store) -> None:
        ask = Ask("a", [tokens(100)], input_tokens=101, is_capped=is_capped)
        verdict = await web.admit(ask)
        assert (verdict.is_admitted, verdict.retry_after_s) == (False, math.inf)
        assert [standing.remaining for standing in verdict.standings] == [100]

    world.play(story)


def test_call_waits_until_its_tokens_have_room(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await web.admit(Ask("a", [tokens(600)], input_tokens=500, output_tokens=100))
        verdict = await worker.admit(Ask("b", [tokens(600)], input_tokens=100))
        assert verdict.refused_by == tokens(600)
        assert 0 < verdict.retry_after_s <= 10
        assert (await worker.admit(Ask("c", [tokens(600)]))).is_admitted

    world.play(story)


def test_what_was_not_used_is_given_back(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        limit = tokens(1000, 86_400)
        await web.admit(Ask("a", [limit], input_tokens=100, output_tokens=900))
        web.correct([limit], Tokens(100, 900), Tokens(90, 10), world.wall())
        verdict = await web.admit(Ask("b", [limit], input_tokens=1))
        assert verdict.standings[0].remaining == 899

    world.play(story)


@pytest.mark.parametrize("told_by", ["what it cost", "whoever asks", "itself"])
def test_what_waits_to_be_put_right_is_told_before_long(world: World, told_by: str) -> None:
    async def story(web: Store, worker: Store) -> None:
        limit = tokens(1000, 86_400)
        await web.admit(Ask("a", [limit], output_tokens=900))
        worker.correct([limit], Tokens(0, 900), Tokens(0, 10), world.wall(), waits=True)
        if told_by == "what it cost":
            worker.settle("a", [Charge("team:1", 0, 5)], "worker", 1)
        elif told_by == "whoever asks":
            assert (await worker.admit(Ask("b", [limit]))).standings[0].remaining == 990
        while [each.remaining for each in await web.standings([limit])] != [990]:
            await world.sleep(0.05)

    world.play(story)


def test_nothing_is_given_back_into_a_window_that_is_over(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        limit = tokens(1000, 86_400)
        await web.admit(Ask("a", [limit], output_tokens=900))
        web.correct([limit], Tokens(0, 900), Tokens(), world.wall() - limit.window_s)
        assert (await web.admit(Ask("b", [limit]))).standings[0].remaining == 100

    world.play(story)


@pytest.mark.parametrize("age_s", [0, 86_400])
def test_what_was_used_beyond_is_always_taken_and_is_a_debt_where_there_is_no_room(
    world: World, age_s: int
) -> None:
    async def story(web: Store, worker: Store) -> None:
        limit = tokens(1000, 86_400)
        await web.admit(Ask("a", [limit], output_tokens=900))
        web.correct([limit], Tokens(0, 900), Tokens(0, 2000), world.wall() - age_s)
        verdict = await web.admit(Ask("b", [limit]))
        assert not verdict.is_admitted
        assert 86_400 - HANG_S < verdict.retry_after_s <= 86_400
        assert [standing.remaining for standing in verdict.standings] == [0]

    world.play(story)


def test_a_capped_reservation_is_corrected_as_it_was_made(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        limit = tokens(1000, 86_400)
        await web.admit(Ask("a", [limit], input_tokens=100, output_tokens=5000, is_capped=True))
        web.correct([limit], Tokens(100, 5000, is_capped=True), Tokens(100, 50), world.wall())
        assert (await web.admit(Ask("b", [limit]))).standings[0].remaining == 850

    world.play(story)


# Several limits at once


def test_verdict_tells_each_limit_that_has_a_window(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        limits = [requests(100), ONE_SLOT, tokens(5, subject="team:1")]
        verdict = await web.admit(Ask("a", limits, input_tokens=2))
        assert [(standing.limit, standing.remaining) for standing in verdict.standings] == [
            (limits[0], 99),
            (limits[2], 3),
        ]

    world.play(story)


def test_refused_call_counts_against_no_limit(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        team = requests(1, subject="team:1")
        await web.admit(Ask("a", [team]))
        verdict = await web.admit(Ask("b", [requests(10), tokens(10), ONE_SLOT, team], input_tokens=5))
        assert verdict.refused_by == team
        verdict = await web.admit(Ask("c", [requests(10), tokens(10), ONE_SLOT]))
        assert verdict.is_admitted
        assert [standing.remaining for standing in verdict.standings] == [9, 10]

    world.play(story)


def test_call_is_refused_by_the_limit_that_has_to_be_waited_for_longest(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        short, long = requests(1, 60), requests(1, 86_400, "team:1")
        await web.admit(Ask("a", [short, long, ONE_SLOT]))
        assert (await web.admit(Ask("b", [short, long, ONE_SLOT]))).refused_by == long
        assert (await web.admit(Ask("b", [long, ONE_SLOT, short]))).refused_by == long

    world.play(story)


# Candidates


def test_first_candidate_with_room_is_taken_with_its_quotas(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        full, roomy = requests(1, subject="provider:a"), requests(3, subject="provider:b")
        candidates = [[full], [roomy, Limit("offering:7", "concurrency", 2)], []]
        verdicts = [await web.admit(Ask(call_id, [], candidates=candidates)) for call_id in "abcd"]
        assert [verdict.candidate for verdict in verdicts] == [0, 1, 1, 2]
        assert all(verdict.is_admitted and not verdict.standings for verdict in verdicts)
        assert (await web.admit(Ask("e", [roomy]))).standings[0].remaining == 0

    world.play(story)


def test_call_is_refused_where_all_candidates_are_full_and_hears_of_the_first_to_have_room(
    world: World,
) -> None:
    async def story(web: Store, worker: Store) -> None:
        slow, fast = requests(1, 86_400, "provider:a"), requests(1, 60, "provider:b")
        await web.admit(Ask("a", [slow, fast]))
        verdict = await web.admit(Ask("b", [requests(5)], candidates=[[slow], [fast, slow], [fast]]))
        assert (verdict.is_admitted, verdict.reason, verdict.refused_by) == (False, "candidates", None)
        assert 60 - HANG_S < verdict.retry_after_s <= 60
        assert (await web.admit(Ask("c", [requests(5)]))).standings[0].remaining == 4

    world.play(story)


def test_candidate_takes_nothing_where_the_callers_own_limit_is_full(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        quota = requests(5, subject="provider:a")
        await web.admit(Ask("a", [ONE_SLOT]))
        assert (await web.admit(Ask("b", [ONE_SLOT], candidates=[[quota]]))).reason == "limit"
        assert (await web.admit(Ask("c", [quota]))).standings[0].remaining == 4

    world.play(story)


def test_call_that_fails_over_keeps_its_slots_and_takes_more(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        first, second = Limit("provider:a", "concurrency", 1), Limit("provider:b", "concurrency", 1)
        await web.admit(Ask("a", [ONE_SLOT], candidates=[[first]]))
        # Again at the provider where it runs already: that is no second slot.
        assert (await web.admit(Ask("a", candidates=[[first]]))).is_admitted
        assert (await web.admit(Ask("a", candidates=[[second]]))).is_admitted
        for limit in (ONE_SLOT, first, second):
            assert not (await web.admit(Ask("b", [limit]))).is_admitted
        web.release("a")
        assert (await web.admit(Ask("b", [ONE_SLOT, first, second]))).is_admitted

    world.play(story)


# Concurrency


def test_call_without_a_free_slot_is_refused(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await web.admit(Ask("a", [ONE_SLOT]))
        verdict = await worker.admit(Ask("b", [ONE_SLOT]))
        assert (verdict.is_admitted, verdict.refused_by) == (False, ONE_SLOT)
        assert verdict.retry_after_s == 1

    world.play(story)


def test_slot_released_twice_frees_no_other(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await web.admit(Ask("a", [ONE_SLOT]))
        web.release("a")
        assert (await web.admit(Ask("b", [ONE_SLOT]))).is_admitted
        web.release("a")
        assert not (await web.admit(Ask("c", [ONE_SLOT]))).is_admitted

    world.play(story)


def test_many_at_once_never_exceed_the_slots(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        limits = [Limit("key:1", "concurrency", 7)]
        stores = [web, worker] * 20
        verdicts = await asyncio.gather(*(s.admit(Ask(f"c{n}", limits)) for n, s in enumerate(stores)))
        assert sum(verdict.is_admitted for verdict in verdicts) == 7

    world.play(story)
