"""What both stores promise of guesses, jobs and channels; every story is played in memory and over Redis."""

import asyncio
import time

from gateway.core.store.interface import Store, TakeBack
from gateway.core.store.tries import Patience
from tests.gateway.core.store.worlds import HANG_S, World, hand_over, send, until

# Guessing


def test_tries_are_counted_over_all_processes(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        patience = Patience(free=2, longest_s=30)
        heard = [await store.take_try("keys:10.0.0.1", patience) for store in (web, worker, web)]
        assert heard == [0, 0, 0]
        assert 0 < await worker.take_try("keys:10.0.0.1", patience) <= 2
        assert await worker.take_try("keys:10.0.0.2", patience) == 0

    world.play(story)


def test_nobody_waits_for_longer_than_the_longest(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        patience = Patience(free=0, longest_s=1)
        await web.take_try("a", patience)
        assert 0 < await worker.take_try("a", patience) <= 1

    world.play(story)


def test_the_right_try_takes_all_others_back(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        patience = Patience(free=0, longest_s=30)
        await web.take_try("a", patience)
        await web.forgive("a")
        # In order with what went before.
        assert await web.take_try("a", patience) == 0

    world.play(story)


# Jobs


def test_job_arrives_as_it_was_sent(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        body = bytes(range(256)) * 4096
        web.send_job("a", "in:web", 1.5, body)
        (entry,) = await worker.read_jobs("w1")
        assert (entry.call_id, entry.inbox, entry.body) == ("a", "in:web", body)

    world.play(story)


def test_reader_wakes_as_soon_as_a_job_is_sent(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await hand_over(web, worker, "first")
        # Longer than a hang: nothing but the job can wake it.
        reading = asyncio.create_task(worker.read_jobs("w1", block_s=10 * HANG_S))
        await world.sleep(0.1)
        send(web, "a")
        assert [entry.call_id for entry in await reading] == ["a"]

    world.play(story)


def test_reader_without_jobs_returns_in_time(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        started_at = time.monotonic()
        assert await worker.read_jobs("w1", block_s=0.1) == []
        assert time.monotonic() - started_at > 0.09

    world.play(story)


def test_job_sent_before_the_first_reader_came_is_read(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        send(web, "early")
        await world.sleep(0.05)
        assert [entry.call_id for entry in await worker.read_jobs("w1", block_s=0.5)] == ["early"]

    world.play(story)


def test_each_job_is_read_by_one_worker_only(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        call_ids = [f"c{number}" for number in range(50)]
        for call_id in call_ids:
            send(web, call_id)
        read = []
        while entries := await worker.read_jobs("w1", count=8, block_s=0.1):
            read += entries
            read += await web.read_jobs("w2", count=8, block_s=0.1)
        assert sorted(entry.call_id for entry in read) == sorted(call_ids)

    world.play(story)


def test_cancelled_reader_can_read_again(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        reading = asyncio.create_task(worker.read_jobs("w1", block_s=5))
        await world.sleep(0.1)
        reading.cancel()
        await asyncio.wait([reading])
        # Until Redis hears that the first reader has left, it gives jobs to him; their senders take those back.
        for call_id in "abcdefghij":
            send(web, call_id)
            if jobs := await worker.read_jobs("w1"):
                break
        assert [entry.call_id for entry in jobs] == [call_id]

    world.play(story)


# Who owns a call


def test_started_call_is_announced_to_its_inbox(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        heard: list[tuple[str, bytes]] = []
        subscription = await web.subscribe(["in:web"], lambda *message: heard.append(message))
        entry = await hand_over(web, worker, "a")
        assert await worker.start_job(entry, "w1", b"started")
        await until(lambda: heard)
        assert heard == [("in:web", b"started")]
        await subscription.close()

    world.play(story)


def test_call_that_two_workers_start_at_once_has_one_owner(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        entry = await hand_over(web, worker, "a")
        starts = [worker.start_job(entry, "w1", b"1"), web.start_job(entry, "w2", b"2")]
        assert sorted(await asyncio.gather(*starts)) == [False, True]

    world.play(story)


def test_call_that_is_started_and_taken_back_at_once_has_one_owner(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        for number in range(30):
            entry = await hand_over(web, worker, f"c{number}")
            start, take_back = worker.start_job(entry, "w1", b""), web.take_back(f"c{number}", web.epoch)
            first, second = (start, take_back) if number % 2 else (take_back, start)
            answers = set(await asyncio.gather(first, second))
            assert answers in ({True, TakeBack.STARTED}, {False, TakeBack.OURS})

    world.play(story)


def test_started_job_cannot_be_taken_back(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        entry = await hand_over(web, worker, "a")
        await worker.start_job(entry, "w1", b"")
        assert await web.take_back("a", web.epoch) is TakeBack.STARTED

    world.play(story)


def test_job_taken_back_cannot_be_started(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        entry = await hand_over(web, worker, "a")
        assert await web.take_back("a", web.epoch) is TakeBack.OURS
        assert not await worker.start_job(entry, "w1", b"")

    world.play(story)


def test_job_begun_too_late_stays_with_its_sender(world: World) -> None:
    """How late it is only the store says: no process' clock is asked."""

    async def story(web: Store, worker: Store) -> None:
        web.send_job("a", "in:web", 0.05, b"{}")
        (entry,) = await worker.read_jobs("w1")
        await world.sleep(0.1)
        assert not await worker.start_job(entry, "w1", b"")
        assert await web.take_back("a", web.epoch) is TakeBack.OURS

    world.play(story)


def test_job_taken_back_unread_is_not_read_later(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        send(web, "a")
        await world.sleep(0.05)
        assert await web.take_back("a", web.epoch) is TakeBack.OURS
        assert await worker.read_jobs("w1", block_s=0.05) == []

    world.play(story)


def test_dropped_job_can_still_be_taken_back(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        worker.drop_job(await hand_over(web, worker, "a"))
        assert await web.take_back("a", web.epoch) is TakeBack.OURS

    world.play(story)


def test_job_of_another_epoch_is_lost(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await hand_over(web, worker, "a")
        assert await web.take_back("a", "before the flood") is TakeBack.LOST

    world.play(story)


# Channels


def test_messages_arrive_in_order(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        heard: list[bytes] = []
        subscription = await web.subscribe(["in:web"], lambda _, message: heard.append(message))
        sent = [b"%d" % number for number in range(200)]
        for message in sent:
            worker.publish("in:web", message)
        await until(lambda: len(heard) == 200)
        assert heard == sent
        await subscription.close()

    world.play(story)


def test_message_reaches_the_subscribers_of_its_channel_only(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        ours: list[tuple[str, bytes]] = []
        others: list[tuple[str, bytes]] = []
        first = await web.subscribe(["in:web", "hb"], lambda *message: ours.append(message))
        second = await worker.subscribe(["hb"], lambda *message: others.append(message))
        web.publish("in:web", b"1")
        web.publish("hb", b"2")
        await until(lambda: len(ours) == 2 and others)
        assert (ours, others) == ([("in:web", b"1"), ("hb", b"2")], [("hb", b"2")])
        await first.close()
        await second.close()

    world.play(story)


def test_closed_subscription_hears_nothing_more(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        heard: list[bytes] = []
        subscription = await web.subscribe(["in:web"], lambda _, message: heard.append(message))
        assert subscription.is_up_since is not None
        await subscription.close()
        assert subscription.is_up_since is None
        worker.publish("in:web", b"late")
        await world.sleep(0.05)
        assert heard == []

    world.play(story)


# Leases and shelves


def test_whoever_claims_again_keeps_the_lease(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        assert [await web.claim("it", 30) for _ in range(3)] == [True] * 3

    world.play(story)


def test_a_shelf_has_the_last_word_of_each_entry(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        web.keep("a", "web", b"\x00first", 30)
        web.keep("a", "web", b"\x00second", 30)
        web.keep("b", "web", b"elsewhere", 30)
        # In order with what went before, on either side.
        assert await web.read_shelf("a") == {"web": b"\x00second"}
        worker.keep("a", "w\u00f6rker", b"", 30)
        assert await worker.read_shelf("a") == {"web": b"\x00second", "w\u00f6rker": b""}
        assert await web.read_shelf("unknown") == {}

    world.play(story)


def test_a_shelf_is_kept_for_as_long_as_its_last_entry_asked(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        web.keep("a", "old", b"1", 0.2)
        web.keep("b", "new", b"2", 30)
        web.keep("c", "old", b"3", 0.2)
        web.keep("c", "new", b"4", 30)
        await world.sleep(0.3)
        assert await web.read_shelf("a") == {}
        assert await web.read_shelf("b") == {"new": b"2"}
        assert await web.read_shelf("c") == {"old": b"3", "new": b"4"}

    world.play(story)
