"""Prices and their conditions in words."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from catalogue.facts import PriceFacts
from catalogue.pricing.conditions import in_words
from gateway.public.prices import price_rows

NOW = datetime(2026, 6, 1, tzinfo=UTC)
BEFORE, AFTER = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)


def facts(**fields: Any) -> PriceFacts:
    defaults = {
        "meter": "input_text_tokens",
        "plan": "standard",
        "unit_size": 1_000_000,
        "amount": Decimal(1),
    }
    return PriceFacts(**{"currency": "USD", **defaults, **fields})


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"path": "input_tokens", "op": "gt", "value": 200_000}, "input tokens above 200,000"),
        ({"path": "input_tokens", "op": "lte", "value": 200_000}, "input tokens up to 200,000"),
        ({"path": "image_params.quality", "op": "eq", "value": "low"}, "quality is low"),
        ({"path": "video_params.audio", "op": "eq", "value": True}, "audio is on"),
        ({"path": "resolution", "op": "in", "value": ["1K", "2K"]}, "resolution is one of 1K, 2K"),
        ({"path": "cache_ttl", "op": "eq", "value": "5m"}, "cache lifetime is 5m"),
        ({"tier": "first", "limit": 5000}, "tier first, limit 5,000"),
        (
            {"path": "time", "op": "in", "value": [{"start_time": "01:00", "end_time": "04:00"}]},
            "time is one of start time 01:00 end time 04:00",
        ),
    ],
)
def test_condition_reads_as_a_sentence(condition: dict[str, Any], words: str) -> None:
    assert in_words([condition]) == words


def test_all_conditions_are_told() -> None:
    conditions = [
        {"path": "input_tokens", "op": "gt", "value": 1},
        {"path": "mode", "op": "eq", "value": "a"},
    ]
    assert in_words(conditions) == "input tokens above 1 and mode is a"


def test_price_beside_one_with_a_condition_is_for_everything_else() -> None:
    tier = facts(conditions=({"path": "input_tokens", "op": "gt", "value": 272_000},))
    assert [row.condition for row in price_rows([facts(), tier], NOW)] == [
        "otherwise",
        "input tokens above 272,000",
    ]


def test_price_alone_holds_always() -> None:
    (row,) = price_rows([facts()], NOW)
    assert (row.condition, row.valid, row.state) == ("always", "", "now")


def test_past_and_coming_prices_are_told_apart() -> None:
    rows = price_rows([facts(valid_to=BEFORE), facts(valid_from=AFTER), facts(valid_to=AFTER)], NOW)
    assert [(row.state, row.valid) for row in rows] == [
        ("now", "until 1 Jul 2026"),
        ("coming", "from 1 Jul 2026"),
        ("past", "until 1 May 2026"),
    ]


def test_standard_plan_comes_first() -> None:
    rows = price_rows([facts(plan="batch"), facts(), facts(plan="priority")], NOW)
    assert [row.plan for row in rows] == ["standard", "batch", "priority"]
