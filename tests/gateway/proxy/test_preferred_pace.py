"""Who is slower than a client prefers, at each bound."""

import pytest

from gateway.proxy.routing.preferences import ProviderPreferences
from providers.tallies import Tally, percentile

FIRST_TOKENS_MS = (*[100.0] * 5, *[200.0] * 3, 400.0, 800.0)
SPEEDS = (10.0, 20.0, *[40.0] * 3, *[80.0] * 5)
"""Of ten calls: nine in ten were at least as fast as 20 tokens a second, five as 80."""


@pytest.fixture(scope="module")
def tally() -> Tally:
    tally = Tally()
    for first_token_ms, tokens_per_s in zip(FIRST_TOKENS_MS, SPEEDS, strict=True):
        tally.serve(1_000.0, first_token_ms, tokens_per_s)
    return tally


def first_token_s(tally: Tally, share: float) -> float:
    found = percentile(tally.first_token_ms, share)
    assert found is not None
    return found / 1_000


def speed(tally: Tally, share: float) -> float:
    found = percentile(tally.tokens_per_s, share)
    assert found is not None
    return found


@pytest.mark.parametrize("part", [50, 75, 90, 99])
def test_as_slow_as_is_preferred_at_most_is_not_slower(tally: Tally, part: int) -> None:
    most = first_token_s(tally, part / 100)
    assert not ProviderPreferences(max_latency=((part, most + 1e-6),)).is_slower(tally)
    assert ProviderPreferences(max_latency=((part, most - 1e-6),)).is_slower(tally)


def test_the_very_latency_that_is_preferred_at_most_is_kept() -> None:
    tally = Tally()
    tally.serve(1_000.0, 250.0, None)
    found = percentile(tally.first_token_ms, 0.5)
    assert found is not None
    most = found / 1_000
    assert most * 1_000 >= found
    assert not ProviderPreferences(max_latency=((50, most),)).is_slower(tally)


@pytest.mark.parametrize("part", [50, 75, 90, 99])
def test_as_fast_as_is_preferred_at_least_is_not_slower(tally: Tally, part: int) -> None:
    """Of so many of a hundred calls: the slowest are the others."""
    least = speed(tally, 1 - part / 100)
    assert not ProviderPreferences(min_throughput=((part, least),)).is_slower(tally)
    assert ProviderPreferences(min_throughput=((part, least + 1e-6),)).is_slower(tally)


def test_a_higher_part_asks_more() -> None:
    """What half of the calls keep to, nine in ten may not."""
    tally = Tally()
    for first_token_ms, tokens_per_s in zip(FIRST_TOKENS_MS, SPEEDS, strict=True):
        tally.serve(1_000.0, first_token_ms, tokens_per_s)
    assert not ProviderPreferences(max_latency=((50, 0.15),)).is_slower(tally)
    assert ProviderPreferences(max_latency=((90, 0.15),)).is_slower(tally)
    assert not ProviderPreferences(min_throughput=((50, 35),)).is_slower(tally)
    assert ProviderPreferences(min_throughput=((90, 35),)).is_slower(tally)


def test_each_bound_alone_is_enough(tally: Tally) -> None:
    slow, quick = (50, 0.001), (50, 10.0)
    little, much = (50, 1.0), (50, 1_000.0)
    assert ProviderPreferences(max_latency=(quick, slow)).is_slower(tally)
    assert ProviderPreferences(max_latency=(slow, quick), min_throughput=(little,)).is_slower(tally)
    assert ProviderPreferences(max_latency=(quick,), min_throughput=(much,)).is_slower(tally)
    assert ProviderPreferences(min_throughput=(little, much)).is_slower(tally)
    assert not ProviderPreferences(max_latency=(quick,), min_throughput=(little,)).is_slower(tally)


@pytest.mark.parametrize("bounds", [{"max_latency": ((50, 10.0),)}, {"min_throughput": ((50, 1.0),)}])
def test_of_whom_nobody_knows_it_is_as_good_as_slower(
    bounds: dict[str, tuple[tuple[int, float], ...]],
) -> None:
    assert ProviderPreferences(**bounds).is_slower(Tally())
    assert not ProviderPreferences().is_slower(Tally())


@pytest.mark.parametrize("low", [199, 200, 201])
def test_half_is_half_of_all_calls(low: int) -> None:
    """So many of 400 calls are at 100 ms and 10 tokens a second, the others at 400 and 40."""
    tally = Tally()
    for number in range(400):
        is_low = number < low
        tally.serve(1_000.0, 100.0 if is_low else 400.0, 10.0 if is_low else 40.0)
    is_half = low >= 200
    assert ProviderPreferences(max_latency=((50, 0.2),)).is_slower(tally) is not is_half
    assert ProviderPreferences(min_throughput=((50, 20.0),)).is_slower(tally) is is_half
