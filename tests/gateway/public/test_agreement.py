"""What the page shows against what the filter asks, on catalogues made by chance."""

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.http import QueryDict

from catalogue.pricing.mix import Mix
from catalogue.published.loading import snapshots
from catalogue.published.reading import Reading
from gateway.public.amounts import Amount, money, token_range
from gateway.public.facet_index import facet_index_cache
from gateway.public.facets import facets_of
from gateway.public.query import ListQuery
from gateway.public.rows import row_of
from tests.catalogue.reference import Row
from tests.catalogue.test_filters import make_catalogue
from tests.kept import rows_for_all
from tests.make import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", params=range(4))
def reading(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any
) -> Iterator[Reading]:
    with rows_for_all(django_db_blocker):
        make_catalogue(Random(request.param))
        yield Reading(snapshots.refresh(), NOW)


def ask(text: str, reading: Reading) -> ListQuery:
    return ListQuery(QueryDict(text, mutable=True), [], reading)


def test_every_headline_figure_equals_the_plain_reference_over_all_offerings(reading: Reading) -> None:
    for model in reading.snapshot.models.values():
        row, plain = row_of(model, reading, mix=Mix(2, 7, 1)), Row(model, reading)
        told = [row.prompt, row.completion, row.cached, row.blended, row.context]
        meters = ("input_text_tokens", "output_text_tokens", "cached_read_text_tokens")
        low = [*(plain.lowest(meter) for meter in meters), plain.blended("2:7:1")]
        assert [_figure(amount) for amount in told[:4]] == [
            None if usd is None else "free" if plain.is_free() else money(usd * 1_000_000) for usd in low
        ], model.id
        for amount, meter in zip(told, meters, strict=False):
            assert (amount is not None and "from" in amount.text) == (len(set(plain.prices(meter))) > 1), (
                model.id
            )
        lengths = sorted(length for length in plain.contexts if length)
        assert row.context == (token_range(lengths[0], lengths[-1]) if lengths else None), model.id
        _headline_of_the_record_is(plain, meters)


def _figure(amount: Amount | None) -> str | None:
    return amount.text.removeprefix("from ") if amount else None


def _headline_of_the_record_is(plain: Row, meters: tuple[str, ...]) -> None:
    told = plain.record["headline"]
    for name, meter in zip(("prompt", "completion", "input_cache_read"), meters, strict=True):
        asked = plain.prices(meter)
        span = told[name] and [Decimal(told[name][end]) for end in ("from", "to")]
        assert span == ([min(asked), max(asked)] if asked else None)
    assert (told["is_free"], told["offerings"]) == (plain.is_free(), len(plain.asked))
    assert told["over"] == ("callable" if plain.is_served else "all")


def test_free_is_what_the_filter_calls_free(reading: Reading) -> None:
    free = set(ask("free=true&status=announced,active,deprecated,retired", reading).ids)
    for model in reading.snapshot.models.values():
        assert (model.id in free) == (Row(model, reading).is_free() is True), model.id


@pytest.mark.parametrize(
    "text", ["", "organisation=acme&input_types=image", "q=a&reasoning_tier=low&provider=p3"]
)
def test_every_count_is_what_its_choice_leaves(reading: Reading, text: str) -> None:
    query = ask(text, reading)
    facets = facets_of(query, facet_index_cache.read(reading))
    assert facets
    for facet in facets:
        for option in facet.options:
            narrowed = query.ids_without(facet.name, option.value)
            assert len(narrowed) == option.count, (facet.name, option.value)
