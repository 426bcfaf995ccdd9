"""One table says of each count of usage which meters charge it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from catalogue.facts import PriceFacts
from catalogue.pricing.cost import cost_usd
from catalogue.pricing.meters import COUNTED, METERS, Counted
from providers.formats.anthropic import usage as anthropic
from providers.formats.gemini import usage as gemini
from providers.formats.registry import FORMATS
from providers.formats.responses import usage as responses
from providers.wire.usage import Usage, counted, read_openai_usage
from tests.used import used

ROWS: list[Counted] = [row for total in COUNTED for row in (*total.parts, total)]
NAMES = {row.name for row in ROWS}
READERS: dict[str, Callable[[Any], Usage | None]] = {
    "openai": read_openai_usage,
    "responses": lambda value: responses.read_usage({"usage": value}),
    "anthropic": anthropic.read_usage,
    "gemini": gemini.read_usage,
}


def a_price(meter: str, amount: str = "1") -> PriceFacts:
    return PriceFacts(meter, "standard", 1, Decimal(amount), "USD")


def test_every_count_has_one_row() -> None:
    assert len(NAMES) == len(ROWS)


def test_rows_name_meters_and_counts_that_there_are() -> None:
    assert {meter for row in ROWS for meter in row.meters} <= METERS.keys()
    assert {name for row in ROWS for name in row.less} <= NAMES


@pytest.mark.parametrize("name", FORMATS)
def test_all_that_a_format_tells_of_usage_is_in_the_table(name: str) -> None:
    kinds = {name: 10 for name in NAMES if name.endswith(("audio_tokens", "image_tokens", "1h_tokens"))}
    written = FORMATS[name].usage(used(1000, 500, 200, 100, 100, **kinds))
    told = READERS[name](written)
    assert told
    assert (
        {"input_tokens", "output_tokens", "cached_read_tokens", "reasoning_tokens"}
        <= told.counts.keys()
        <= NAMES
    )


@pytest.mark.parametrize(
    "meter", [meter for meter, (_, unit) in METERS.items() if unit not in {"token", "request"}]
)
def test_what_is_no_token_is_charged_by_the_meter_of_its_own_name(meter: str) -> None:
    assert cost_usd(Usage(counted(**{meter: 7})), [a_price(meter, "2"), a_price("input_text_tokens")]) == 14


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_first_of_its_meters_that_has_a_price_charges_a_count(row: Counted) -> None:
    total = next(total for total in COUNTED if row is total or row in total.parts)
    usage = Usage(counted(**{total.name: 5, row.name: 5}))
    for count, meter in enumerate(row.meters):
        prices = [a_price(other, str(1 + place)) for place, other in enumerate(row.meters[count:])]
        assert cost_usd(usage, prices) == 5, meter
