"""What working rows refuse, each at its field."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from catalogue.models import Alias, Model, Offering, Organisation, Price
from tests.make import (
    NOW,
    TOMORROW,
    YESTERDAY,
    make_model,
    make_offering,
    make_organisation,
    make_price,
    make_provider,
    make_published,
)

pytestmark = pytest.mark.django_db


def refused(row: Model | Alias | Offering | Price | Organisation) -> dict[str, list[str]]:
    """The complaints by field; empty if there are none."""
    try:
        row.full_clean()
    except ValidationError as error:
        return error.message_dict
    return {}


def changed(row: Any, **fields: Any) -> Any:
    for name, value in fields.items():
        setattr(row, name, value)
    return row


@pytest.mark.parametrize(
    ("wire_format", "endpoint"),
    [("voyage", "chat.completions"), ("cohere", "responses"), ("anthropic", "embeddings")],
)
def test_endpoint_that_the_providers_format_lacks_is_refused(wire_format: str, endpoint: str) -> None:
    offering = make_offering(provider=make_provider(wire_format=wire_format), endpoints=[endpoint])
    assert f"which has no {endpoint}." in refused(offering)["endpoints"][0]


@pytest.mark.parametrize(
    ("wire_format", "endpoints"),
    [("responses", ["responses", "embeddings"]), ("voyage", ["embeddings"]), ("anthropic", ["rerank"])],
)
def test_endpoint_that_the_format_has_or_that_is_only_listed_is_taken(
    wire_format: str, endpoints: list[str]
) -> None:
    offering = make_offering(provider=make_provider(wire_format=wire_format), endpoints=endpoints)
    assert refused(offering) == {}


def test_good_rows_are_accepted() -> None:
    model = make_model(aliases=["uno"], release_at=NOW)
    price = make_price(make_offering(model))
    rows: list[Any] = [model.organisation, model, model.aliases.get(), price.offering, price]
    assert [refused(row) for row in rows] == [{}, {}, {}, {}, {}]


def test_id_is_organisation_and_slug() -> None:
    assert make_model("acme/one-2.5").public_id == "acme/one-2.5"


@pytest.mark.parametrize("slug", ["One", "a/b", "a b", "-a", "a\n", "a\x00", ""])
def test_slug_of_another_shape_is_refused(slug: str) -> None:
    assert "slug" in refused(changed(make_model(), slug=slug))


def test_id_that_is_an_alias_is_refused() -> None:
    make_model("acme/two", aliases=["acme/one"])
    model = Model(organisation=make_organisation(), slug="one", name="One", public_id="acme/one")
    assert "is an alias of" in refused(model)["slug"][0]


def test_id_of_a_published_model_stays() -> None:
    assert "so it stays" in refused(changed(make_published(), slug="other"))["slug"][0]


def test_id_may_change_before_the_first_publication() -> None:
    assert refused(changed(make_model(), slug="other", public_id="acme/other")) == {}


@pytest.mark.parametrize(
    ("fields", "refused_at"),
    [
        ({"release_at": NOW, "deprecation_at": YESTERDAY}, "deprecation_at"),
        ({"release_at": NOW, "retirement_at": YESTERDAY}, "retirement_at"),
        ({"deprecation_at": NOW, "retirement_at": YESTERDAY}, "retirement_at"),
    ],
)
def test_dates_out_of_order_are_refused_at_the_later(fields: dict[str, Any], refused_at: str) -> None:
    assert list(refused(changed(make_model(), **fields))) == [refused_at]


def test_model_cannot_succeed_itself() -> None:
    model = make_model()
    assert "successor" in refused(changed(model, successor=model))


def test_successors_in_a_circle_are_refused() -> None:
    first = make_model("acme/one")
    third = make_model("acme/three", successor=make_model("acme/two", successor=first))
    assert "successor" in refused(changed(first, successor=third))


@pytest.mark.parametrize("value", ["text", {"text": 1}, [1], ["a b"], [""], ["text", "text"], ["a\x00"]])
def test_types_other_than_a_list_of_words_are_refused(value: Any) -> None:
    assert "input_types" in refused(changed(make_model(), input_types=value))


@pytest.mark.parametrize("field", ["name", "description", "tokenizer", "source"])
def test_nul_is_refused_in_every_text(field: str) -> None:
    assert field in refused(changed(make_model(), **{field: "a\x00b"}))


def test_context_of_no_tokens_is_refused() -> None:
    assert "context_length" in refused(changed(make_model(), context_length=0))


@pytest.mark.parametrize("name", ["gpt-4o", "@cf/meta/llama-3", "models/gemini-2.5-pro", "a:free", "é"])
def test_alias_may_be_any_word(name: str) -> None:
    assert refused(Alias(model=make_model(), name=name)) == {}


@pytest.mark.parametrize("name", ["", "a b", "a\n", "a\x00", "a\u200b", "/a", "a/", "a" * 201])
def test_alias_of_another_shape_is_refused(name: str) -> None:
    assert "name" in refused(Alias(model=make_model(), name=name))


def test_alias_equal_to_the_id_of_a_model_is_refused() -> None:
    make_model("acme/one")
    assert "is the id of a model" in refused(Alias(model=make_model("acme/two"), name="acme/one"))["name"][0]


def test_alias_equal_to_the_id_of_its_own_new_model_is_refused() -> None:
    model = Model(organisation=make_organisation(), slug="one")
    alias = Alias(model=model, name="acme/one")
    with pytest.raises(ValidationError):
        alias.clean()


def test_alias_of_another_model_is_refused() -> None:
    make_model("acme/one", aliases=["uno"])
    assert "name" in refused(Alias(model=make_model("acme/two"), name="uno"))


@pytest.mark.parametrize(
    ("fields", "refused_at"),
    [
        ({"endpoints": []}, "endpoints"),
        ({"endpoints": ["chat completions"]}, "endpoints"),
        ({"params": "tools"}, "params"),
        ({"upstream_name": ""}, "upstream_name"),
        ({"effective_from": NOW, "effective_to": NOW}, "effective_to"),
    ],
)
def test_offering_is_refused_at_the_field(fields: dict[str, Any], refused_at: str) -> None:
    assert list(refused(changed(make_offering(), **fields))) == [refused_at]


@pytest.mark.parametrize(
    ("fields", "refused_at"),
    [
        ({"amount": Decimal(-1)}, "amount"),
        ({"unit_size": 0}, "unit_size"),
        ({"currency": "usd"}, "currency"),
        ({"plan": "Flex Plan"}, "plan"),
        ({"conditions": {"min": 1}}, "conditions"),
        ({"conditions": [{"region": "a\x00"}]}, "conditions"),
        ({"meter": "words"}, "meter"),
        ({"valid_from": TOMORROW, "valid_to": NOW}, "valid_to"),
    ],
)
def test_price_is_refused_at_the_field(fields: dict[str, Any], refused_at: str) -> None:
    assert list(refused(changed(make_price(make_offering()), **fields))) == [refused_at]


@pytest.mark.parametrize(
    ("make", "refused_at"),
    [
        (lambda: Organisation(id="Acme Inc", name="Acme"), "id"),
        (lambda: Organisation(id="acme", name="Acme", colour="red"), "colour"),
        (lambda: Organisation(id="acme", name="Acme", country_code="gb"), "country_code"),
    ],
)
def test_organisation_is_refused_at_the_field(make: Callable[[], Organisation], refused_at: str) -> None:
    assert refused_at in refused(make())
