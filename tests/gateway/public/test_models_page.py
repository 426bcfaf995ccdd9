"""The list of models: what it shows, how it is narrowed, and what it says of addresses that ask wrongly."""

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from providers.models import Provider
from tests.gateway.public.conftest import make_offered
from tests.make import make_price, make_staff, publish_all

pytestmark = pytest.mark.django_db


def look(client: Client, query: str = "", *, status: int = 200) -> str:
    answer = client.get(f"/models{query}")
    assert answer.status_code == status
    return answer.content.decode()


def ids(page: str) -> list[str]:
    return re.findall(r'<code id="id-([^"]+)"', page)


def counts(page: str, parameter: str) -> dict[str, int]:
    """By value: how many models a choice says that it would leave."""
    choice = rf'name="{parameter}" value="([^"]+)".*?<span class="count">(\d+)'
    return {value: int(count) for value, count in re.findall(choice, page, re.DOTALL)}


@pytest.mark.usefixtures("catalogue")
def test_list_has_what_is_listed_also_where_nothing_serves_it(client: Client) -> None:
    page = look(client)
    assert ids(page) == ["acme/big", "zeta/small"]
    assert "2 models; 1 can be called here now" in page


@pytest.mark.usefixtures("catalogue")
def test_row_has_numbers_as_people_read_them_with_the_exact_ones(client: Client) -> None:
    page = look(client, "?q=big")
    assert '<span title="128,000 tokens">128K</span>' in page
    assert '<span title="0.000001 USD for one token">$1.00</span>' in page


@pytest.mark.usefixtures("catalogue")
def test_parameters_are_those_of_the_api(client: Client) -> None:
    assert ids(look(client, "?organisation=zeta")) == ["zeta/small"]
    assert ids(look(client, "?organisation=zeta,acme&provider=open")) == ["acme/big"]
    assert ids(look(client, "?status=retired")) == ["acme/old"]
    assert ids(look(client, "?min_context=100000")) == ["acme/big"]
    assert ids(look(client, "?availability=active")) == ["acme/big"]
    assert ids(look(client, "?sort=-name")) == ["zeta/small", "acme/big"]


@pytest.mark.usefixtures("catalogue")
def test_prices_of_what_nothing_serves_are_compared_too(client: Client) -> None:
    assert ids(look(client, "?sort=prompt_price")) == ["zeta/small", "acme/big"]
    assert ids(look(client, "?max_price_prompt=0.0000006")) == ["zeta/small"]


def test_price_of_an_offering_that_serves_wins_over_one_that_does_not(
    client: Client, open_provider: Provider, closed_provider: Provider
) -> None:
    model = make_offered("acme/both", closed_provider, prompt="9")
    offering = model.offerings.create(
        provider=open_provider, upstream_name="both", endpoints=["chat.completions"], position=5
    )
    make_price(offering, "input_text_tokens", "3")
    make_price(offering, "output_text_tokens", "4")
    publish_all()
    page = look(client, "?max_price_prompt=0.000003")
    assert ids(page) == ["acme/both"]
    assert ">$3.00<" in page


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    "parameter",
    ["organisation", "provider", "input_types", "status", "open_weights", "availability"],
)
def test_count_beside_a_choice_is_what_the_choice_leaves(client: Client, parameter: str) -> None:
    found = counts(look(client), parameter)
    assert found
    for value, count in found.items():
        assert len(ids(look(client, f"?{parameter}={value}"))) == count, value


@pytest.mark.usefixtures("catalogue")
def test_choices_of_a_narrowed_facet_still_count_what_they_would_add(client: Client) -> None:
    assert counts(look(client, "?organisation=acme"), "organisation") == {"acme": 1, "zeta": 1}


@pytest.mark.usefixtures("catalogue")
def test_what_narrows_the_list_can_be_taken_away_one_by_one(client: Client) -> None:
    page = look(client, "?organisation=acme&organisation=zeta&q=a")
    assert 'href="?organisation=zeta&amp;q=a"' in page
    assert 'href="?organisation=acme&amp;organisation=zeta"' in page


@pytest.mark.usefixtures("catalogue")
def test_parameters_without_a_field_are_sent_along(client: Client) -> None:
    page = look(client, "?all_params=tools&limit=10")
    assert '<input type="hidden" name="all_params" value="tools">' in page
    assert '<input type="hidden" name="limit" value="10">' in page


@pytest.mark.usefixtures("catalogue")
def test_fields_left_empty_leave_no_trace_in_the_address(client: Client) -> None:
    answer = client.get("/models?q=&min_context=&organisation=acme")
    assert (answer.status_code, answer["Location"]) == (302, "/models?organisation=acme")


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("min_context=lots", "min_context must be a whole number"),
        ("nothing=1", "This list has no such parameter."),
        ("organisation=nobody", "there is no organisation &#x27;nobody&#x27;"),
        ("limit=999", "limit must be a whole number from 1 to 250"),
        ("sort=price", "sort must be one of"),
        ("as_of=today", "as_of must be"),
    ],
)
def test_wrong_parameter_is_named_and_nothing_else_is_lost(client: Client, query: str, said: str) -> None:
    page = look(client, f"?q=small&{query}", status=400)
    assert said in page
    assert f"<code>{query.partition('=')[0]}</code> was left out" in page
    assert ids(page) == ["zeta/small"]


@pytest.mark.usefixtures("catalogue")
def test_word_that_no_model_has_is_told(client: Client) -> None:
    page = look(client, "?provider=nobody")
    assert "so it matches nothing" in page
    assert "No model matches all of this" in page


@pytest.mark.usefixtures("catalogue")
def test_list_of_the_past_says_so(client: Client) -> None:
    page = look(client, "?as_of=2020-01-01")
    assert "The list as of 2020-01-01." in page
    assert ids(page) == []


@pytest.mark.usefixtures("catalogue")
def test_pages_follow_one_another(client: Client) -> None:
    first = look(client, "?limit=1")
    assert ids(first) == ["acme/big"]
    assert 'rel="next" href="?limit=1&amp;offset=1"' in first
    second = look(client, "?limit=1&offset=1")
    assert ids(second) == ["zeta/small"]
    assert 'rel="prev" href="?limit=1"' in second


@pytest.mark.usefixtures("catalogue")
def test_page_behind_the_last_leads_back(client: Client) -> None:
    assert "There is no such page" in look(client, "?offset=50")


@pytest.mark.usefixtures("catalogue")
def test_models_chosen_for_a_comparison_stay_chosen(client: Client) -> None:
    page = look(client, "?id=acme/big&id=zeta/small&q=small")
    assert 'id="tick-zeta/small" value="zeta/small" aria-label="Compare Small" checked' in page
    assert '<input type="hidden" name="id" value="acme/big">' in page


def test_empty_catalogue_says_what_fills_it(client: Client) -> None:
    assert "Nothing is published yet" in look(client)
    client.force_login(make_staff())
    assert "/admin/catalogue/model/add/" in look(client)


@pytest.mark.usefixtures("catalogue")
def test_text_of_a_parameter_is_never_markup(client: Client) -> None:
    assert "<script>alert" not in look(client, "?q=<script>alert(1)</script>&<script>alert(2)=1", status=400)


@pytest.mark.usefixtures("catalogue")
def test_list_takes_three_queries_and_one_more_for_each_narrowed_facet(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    look(client)
    with django_assert_num_queries(3):
        look(client)
    with django_assert_num_queries(5):
        look(client, "?input_types=text&provider=open")
