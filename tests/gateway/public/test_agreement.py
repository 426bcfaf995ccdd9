"""What the page shows against what the filter asks, on catalogues made by chance."""

from decimal import Decimal
from random import Random

import pytest
from django.http import QueryDict

from catalogue.facts import PriceFacts
from catalogue.pricing.cost import usd_per_unit
from catalogue.pricing.meters import INPUT_TEXT, OUTPUT_TEXT
from catalogue.published.loading import snapshots
from catalogue.published.reading import Reading
from gateway.public.facet_index import facet_index_cache
from gateway.public.facets import facets_of
from gateway.public.offered import expected_top, is_free
from gateway.public.query import ListQuery
from tests.catalogue.test_filters import make_catalogue
from tests.make import NOW

pytestmark = pytest.mark.django_db

COLUMNS = ("shown_context", "prompt_usd", "completion_usd")


@pytest.fixture(params=range(4))
def reading(request: pytest.FixtureRequest) -> Reading:
    make_catalogue(Random(request.param))
    return Reading(snapshots.refresh(), NOW)


def ask(text: str, reading: Reading) -> ListQuery:
    return ListQuery(QueryDict(text, mutable=True), [], reading)


def test_prices_asked_in_sql_are_those_that_rows_show(reading: Reading) -> None:
    rows = reading.rows().with_top(reading.at, reading.callable_ids, COLUMNS, or_closed=True)
    for public_id, *asked in rows.values_list("public_id", *COLUMNS):
        model = reading.snapshot.models[public_id]
        top, prices = expected_top(model, reading.snapshot, reading.at)
        context = (top and top.context_length) or model.context_length
        assert asked == [context, unit(prices.get(INPUT_TEXT)), unit(prices.get(OUTPUT_TEXT))], public_id


def test_free_is_what_the_filter_calls_free(reading: Reading) -> None:
    free = set(ask("free=true&status=announced,active,deprecated,retired", reading).ids)
    for model in reading.snapshot.models.values():
        prices = expected_top(model, reading.snapshot, reading.at)[1]
        assert (model.id in free) == (is_free(prices) is True), model.id


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


def unit(price: PriceFacts | None) -> Decimal | None:
    return None if price is None else usd_per_unit(price)
