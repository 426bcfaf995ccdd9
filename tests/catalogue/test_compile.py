"""The published record and what is refused from it."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from catalogue.facts import PriceFacts
from catalogue.models import Model, Price
from catalogue.published.content import Content, UnreadableContentError, facts_from_content
from catalogue.publishing.compile import compile_model, digest, plain, problems
from tests.make import NOW, make_model, make_offering, make_price

pytestmark = pytest.mark.django_db


def fetch(model: Model) -> Model:
    return Model.objects.complete().get(pk=model.pk)


def compiled(model: Model) -> Content:
    return compile_model(fetch(model))


def complaints(model: Model) -> str:
    return "\n".join(problems(fetch(model)))


def test_record_names_organisation_aliases_and_successor() -> None:
    successor = make_model("acme/two")
    content = compiled(make_model("acme/one", aliases=["b", "a"], successor=successor))
    assert content["organisation"] == {"id": "acme", "name": "Acme", "colour": ""}
    assert (content["aliases"], content["successor_id"]) == (["a", "b"], "acme/two")


def test_instants_are_written_in_utc() -> None:
    released = datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    assert compiled(make_model(release_at=released))["release_at"] == "2026-02-28T23:00:00+00:00"


def test_unknown_facts_are_none() -> None:
    content = compiled(make_model())
    assert (content["release_at"], content["context_length"], content["tokenizer"]) == (None, None, None)


def test_record_has_no_status_and_no_current_price() -> None:
    content = compiled(make_price(make_offering()).offering.model)
    assert not {"status", "pricing"} & content.keys()


def test_offerings_come_by_position_then_id() -> None:
    model = make_model()
    last = make_offering(model, position=2)
    first, second = make_offering(model, position=1), make_offering(model, position=1)
    assert [item["id"] for item in compiled(model)["offerings"]] == [first.pk, second.pk, last.pk]


def test_prices_are_plain_decimal_strings() -> None:
    offering = make_offering()
    make_price(offering, amount="0.0000001")
    assert compiled(offering.model)["offerings"][0]["prices"][0]["amount"] == "0.0000001"


@pytest.mark.parametrize(("amount", "text"), [("10", "10"), ("1E+3", "1000"), ("0.0", "0"), ("2.50", "2.5")])
def test_amounts_have_neither_exponent_nor_trailing_zeros(amount: str, text: str) -> None:
    assert plain(Decimal(amount)) == text


def test_compiling_asks_nothing_beyond_what_was_fetched(django_assert_num_queries: Any) -> None:
    model = make_model(aliases=["x"], successor=make_model("acme/two"))
    for _ in range(3):
        make_price(make_offering(model))
    fetched = fetch(model)
    with django_assert_num_queries(0):
        compile_model(fetched)
        problems(fetched)


def test_equal_records_have_equal_digests() -> None:
    model = make_model()
    assert digest(compiled(model)) == digest(compiled(model))


def test_facts_hold_decimals_and_instants() -> None:
    model = make_model(release_at=NOW)
    make_price(make_offering(model), amount="0.25", valid_from=NOW)
    facts = facts_from_content(compiled(model))
    assert facts.release_at == NOW
    assert facts.offerings[0].prices == (
        PriceFacts("input_text_tokens", "standard", 1_000_000, Decimal("0.25"), "USD", valid_from=NOW),
    )


def test_facts_have_offerings_in_static_order_switched_on() -> None:
    offering = make_offering(is_enabled=False)
    facts = facts_from_content(compiled(offering.model))
    assert [(item.id, item.is_enabled) for item in facts.offerings] == [(offering.pk, True)]


@pytest.mark.parametrize("broken", [{}, [], None, {"id": "x"}])
def test_record_of_another_shape_is_unreadable(broken: Any) -> None:
    with pytest.raises(UnreadableContentError):
        facts_from_content(broken)


def test_record_with_an_impossible_price_is_unreadable() -> None:
    offering = make_offering()
    make_price(offering)
    content = compiled(offering.model)
    content["offerings"][0]["prices"][0]["amount"] = "much"
    with pytest.raises(UnreadableContentError):
        facts_from_content(content)


def test_good_model_has_no_problems() -> None:
    model = make_model(aliases=["@cf/meta/llama"], release_at=datetime(2026, 1, 1, tzinfo=UTC))
    make_price(make_offering(model))
    assert complaints(model) == ""


def test_list_that_is_not_of_words_is_a_problem() -> None:
    assert "model: input_types" in complaints(make_model(input_types={"text": 1}))


def test_offering_without_endpoints_is_a_problem() -> None:
    offering = make_offering(upstream_name="one-large", endpoints=[])
    assert "offering one-large" in complaints(offering.model)


def test_price_conditions_of_another_shape_are_a_problem() -> None:
    price = make_price(make_offering())
    Price.objects.filter(pk=price.pk).update(conditions="always")
    assert "conditions" in complaints(price.offering.model)


def test_alias_with_a_space_is_a_problem() -> None:
    assert "alias my model" in complaints(make_model(aliases=["my model"]))


def test_model_that_succeeds_itself_is_a_problem() -> None:
    model = make_model()
    Model.objects.filter(pk=model.pk).update(successor=model)
    assert "cannot succeed itself" in complaints(model)


def test_nul_character_is_a_problem() -> None:
    model = fetch(make_offering().model)
    model.offerings.all()[0].params = ["to\x00ols"]
    assert "params" in "".join(problems(model))
