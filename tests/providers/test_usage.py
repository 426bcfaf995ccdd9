"""Counts that a provider reports are taken where they make sense, and estimated elsewhere."""

import pytest

from providers.formats.anthropic import usage as anthropic
from providers.formats.gemini import usage as gemini
from providers.formats.responses import usage as responses
from providers.wire.usage import read_openai_usage
from tests.used import used


def counts(prompt, completion):
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": 1}


def test_totals_and_their_parts_are_read():
    reported = counts(10, 6) | {
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
    assert read_openai_usage(reported) == used(10, 6, 4, 3, 5)


@pytest.mark.parametrize("name", ["cached_tokens", "prompt_cache_hit_tokens"])
def test_cached_tokens_may_stand_beside_the_totals(name):
    assert read_openai_usage(counts(10, 6) | {name: 4}) == used(10, 6, 4)
    details = {"prompt_tokens_details": {"cached_tokens": 3}}
    assert read_openai_usage(counts(10, 6) | details | {name: 4}) == used(10, 6, 3)


@pytest.mark.parametrize(("told", "read"), [(6, 6), (7, 7), (8, 7)])
def test_cached_tokens_beside_the_totals_have_what_was_written_left_to_them(told, read):
    beside = {"prompt_tokens_details": {"cache_write_tokens": 3}, "cached_tokens": told}
    assert read_openai_usage(counts(10, 6) | beside) == used(10, 6, read, 3)


def test_explicit_zero_is_zero():
    assert read_openai_usage(counts(0, 0)) == used(0, 0)


@pytest.mark.parametrize("count", [0, 1, 100_000_000])
def test_a_count_that_a_model_can_have_is_taken(count):
    assert read_openai_usage(counts(count, 1)) == used(count, 1)
    assert read_openai_usage(counts(1, count)) == used(1, count)


@pytest.mark.parametrize(
    "absurd", [-1, 100_000_001, 10**12, "5", None, [5], 1.5, True, {}, float("nan"), float("inf")]
)
def test_absurd_total_is_estimated(absurd):
    assert read_openai_usage(counts(absurd, 1)) is None
    assert read_openai_usage(counts(1, absurd)) is None


@pytest.mark.parametrize("reported", [None, [], [1, 2], "7", 7, {}, {"prompt_tokens": 3}])
def test_usage_of_another_shape_is_estimated(reported):
    assert read_openai_usage(reported) is None


@pytest.mark.parametrize("details", [None, [], "x", {"cached_tokens": -1}, {"cached_tokens": "4"}])
def test_absurd_parts_count_as_none(details):
    assert read_openai_usage(counts(10, 6) | {"prompt_tokens_details": details}) == used(10, 6)


def test_parts_never_exceed_their_total():
    reported = counts(10, 6) | {
        "prompt_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 9},
        "completion_tokens_details": {"reasoning_tokens": 99},
    }
    assert read_openai_usage(reported) == used(10, 6, 8, 2, 6)


def test_embeddings_report_input_only():
    assert read_openai_usage({"prompt_tokens": 3, "total_tokens": 3}) == used(3, 0)


def test_embeddings_with_a_total_only_report_input():
    assert read_openai_usage({"total_tokens": 3}) == used(3, 0)


@pytest.mark.parametrize(("total", "output"), [(2, 0), (3, 0), (4, 1), (10, 7)])
def test_missing_completion_count_follows_from_the_total(total, output):
    assert read_openai_usage({"prompt_tokens": 3, "total_tokens": total}) == used(3, output)


ANTHROPIC = {"input_tokens": 3, "output_tokens": 4}
GEMINI = {"promptTokenCount": 3, "candidatesTokenCount": 4}


@pytest.mark.parametrize(
    ("usage", "tier"),
    [
        (read_openai_usage({"prompt_tokens": 3, "completion_tokens": 4}, "flex"), "flex"),
        (read_openai_usage({"prompt_tokens": 3, "completion_tokens": 4}, ["flex"]), ""),
        (
            responses.read_usage(
                {"usage": {"input_tokens": 3, "output_tokens": 4}, "service_tier": "priority"}
            ),
            "priority",
        ),
        (gemini.read_usage(GEMINI | {"serviceTier": "FLEX"}), "flex"),
        (gemini.read_usage(GEMINI), ""),
        (anthropic.read_usage(ANTHROPIC | {"speed": "fast", "service_tier": "standard"}), "fast"),
        (anthropic.read_usage(ANTHROPIC | {"speed": "standard", "service_tier": "priority"}), ""),
    ],
)
def test_service_tier_that_changes_the_price_is_read_in_every_format(usage, tier):
    assert usage == used(3, 4, service_tier=tier)


def test_of_two_counts_beside_the_totals_the_vendors_own_name_comes_second():
    beside = {"cached_tokens": 2, "prompt_cache_hit_tokens": 5}
    assert read_openai_usage(counts(10, 6) | beside) == used(10, 6, 2)
    assert read_openai_usage(counts(10, 6) | beside | {"cached_tokens": 0}) == used(10, 6, 5)


def test_what_was_not_counted_is_zero_and_takes_no_room():
    usage = read_openai_usage(counts(0, 6) | {"completion_tokens_details": {"audio_tokens": 0}})
    assert (usage.counts, usage.counts["input_tokens"]) == ({"output_tokens": 6}, 0)
