"""Counts that are put together tell the same as one count of everything."""

import random
from statistics import quantiles

import orjson
import pytest

from providers.tallies import Ring, Tally, bin_of, percentile, percentiles


def served(*latencies_ms: float) -> Tally:
    tally = Tally()
    for latency_ms in latencies_ms:
        tally.serve(latency_ms, latency_ms / 2, 1000 / latency_ms)
    return tally


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_a_percentile_is_told_within_a_twentieth(share: float) -> None:
    drawn = random.Random(7)
    values = [drawn.lognormvariate(6, 1) for _ in range(5_000)]
    exact = quantiles(values, n=100)[round(share * 100) - 1]
    assert percentile(served(*values).latency_ms, share) == pytest.approx(exact, rel=0.06)


def test_of_nothing_there_is_no_percentile() -> None:
    assert (percentile({}, 0.5), percentiles({})) == (None, None)


@pytest.mark.parametrize("value", [0.0, -1.0, 1e-9, 1e300])
def test_whatever_a_clock_says_has_a_bin(value: float) -> None:
    assert abs(bin_of(value)) < 300


def test_tallies_of_two_processes_are_as_one_of_both() -> None:
    whole, first, second = served(1, 10, 100, 10), served(1, 10), served(100, 10)
    first.add(second)
    assert first == whole


@pytest.mark.parametrize(
    ("earlier", "later", "trailing"),
    [("f", "f", 2), ("sf", "ff", 3), ("ff", "sf", 1), ("f", "s", 0), ("s", "", 0)],
)
def test_failures_at_the_end_are_counted_over_both(earlier: str, later: str, trailing: int) -> None:
    tallies = [Tally(), Tally()]
    for tally, calls in zip(tallies, (earlier, later), strict=True):
        for call in calls:
            if call == "s":
                tally.serve(1, None, None)
            else:
                tally.fail("timeout", is_unreached=True)
    tallies[0].add(tallies[1])
    failed = (earlier + later).count("f")
    assert tallies[0].trailing == trailing
    assert (tallies[0].failures, tallies[0].unreached) == (failed, failed)


def test_a_tally_survives_the_way_to_another_process() -> None:
    tally = served(1, 1, 30)
    tally.fail("timeout", is_unreached=False)
    assert Tally.heard(orjson.loads(orjson.dumps(tally.told()))) == tally


@pytest.mark.parametrize(
    ("later_s", "kept"), [(0, 1), (59, 1), (60, 1), (240, 1), (299, 1), (300, 0), (301, 0)]
)
def test_a_window_ends(later_s: float, kept: int) -> None:
    ring = Ring(60, 30)
    ring.add(served(1), 600)
    assert ring.sum(600 + later_s, 300).served == kept


def test_what_comes_late_is_put_in_its_place() -> None:
    ring = Ring(60, 30)
    for at in (1200, 600, 1200, 900):
        ring.add(served(1), at)
    assert [ring.sum(1200, within_s).served for within_s in (60, 301, 360, 600, 660)] == [2, 2, 3, 3, 4]


def test_a_ring_keeps_no_more_than_it_has_to() -> None:
    ring = Ring(60, 30)
    for at in range(0, 100_000, 20):
        ring.add(served(1), at)
    assert len(ring._slots) == 30


@pytest.mark.parametrize(
    ("bins", "expected"),
    [
        # A hundred values: fifty in the bin of 1, forty in that of 2.6, nine in that of 6.7, one in that of 17.
        ({0: 50, 10: 40, 20: 9, 30: 1}, (1.05, 2.72, 7.06)),
        # One fewer below each share: each is reached one bin later.
        ({0: 49, 10: 40, 20: 9, 30: 2}, (2.72, 7.06, 18.3)),
    ],
)
def test_percentiles_are_those_of_the_bins_in_which_they_are_reached(
    bins: dict[int, int], expected: tuple[float, float, float]
) -> None:
    found = percentiles(bins)
    assert found is not None
    assert (found.p50, found.p90, found.p99) == expected


def test_calls_are_those_that_went_well_and_those_that_did_not() -> None:
    assert Tally(served=3, failed={"timeout": 2, "unavailable": 1}).calls == 6


def test_failures_of_a_kind_are_added_to_those_of_before_and_begin_at_none() -> None:
    total = Tally()
    for _ in range(2):
        total.add(Tally(failed={"timeout": 2}))
    assert total.failed == {"timeout": 4}


def test_a_tally_is_told_to_a_tenth_of_a_millisecond_and_heard_beside_what_is_new() -> None:
    told = Tally(served=1, latency_sum_ms=1.26).told()
    assert told[4] == 1.3
    assert Tally.heard([*told, "what a later version says"]) == Tally(served=1, latency_sum_ms=1.3)


def test_each_value_counts_once_in_its_bin() -> None:
    assert served(5, 5, 5).latency_ms == {bin_of(5): 3}
