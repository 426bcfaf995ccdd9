"""A price a thousand or a million times off is caught where it is saved, and takes a second act."""

from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from catalogue.facts import PriceFacts
from catalogue.models import Offering, Price
from catalogue.pricing.plausibility import Reference, doubt_of
from catalogue.services import set_price
from catalogue.sheets.columns import PriceSheet
from gateway.core.refusals import InvalidField
from tests.catalogue.importing.folders import card, rule, write_folder
from tests.catalogue.importing.sheets import bring_in, faults
from tests.catalogue.test_admin import edit, errors
from tests.make import NOW, YESTERDAY, make_model, make_offering, make_price, make_provider, make_staff

INPUT = "input_text_tokens"


def price(amount: str, unit_size: int = 1_000_000, **fields: Any) -> PriceFacts:
    given = {"meter": INPUT, "plan": "standard", "currency": "USD"} | fields
    return PriceFacts(unit_size=unit_size, amount=Decimal(amount), **given)


def doubt(amount: str, *others: PriceFacts, **fields: Any) -> str:
    return doubt_of(price(amount, **fields), [Reference("Acme", each) for each in others])


@pytest.mark.parametrize(
    ("amount", "is_odd"),
    [("0.01", True), ("0.0101", False), ("1", False), ("99.99", False), ("100", True), ("1000000", True)],
)
def test_hundred_times_off_is_odd_and_a_little_less_is_not(amount: str, is_odd: bool) -> None:
    assert bool(doubt(amount, price("1"))) is is_odd


def test_price_is_held_against_all_of_them_by_the_unit() -> None:
    assert not doubt("0.5", price("0.1"), price("45"))
    assert not doubt("0.001", price("1"), unit_size=1_000)
    told = doubt("0.15", price("0.15"), price("0.6"), unit_size=1_000)
    assert "0.15 for 1,000 is 250 times more than 0.15 for 1,000,000 (Acme)" in told
    assert "times less" in doubt("0.00000015", price("0.15"))


@pytest.mark.parametrize(
    "other",
    [
        {"plan": "batch"},
        {"meter": "output_text_tokens"},
        {"currency": "EUR"},
        {"conditions": ({"path": "input_tokens", "op": "gt", "value": 5},)},
        {"amount": "0"},
    ],
)
def test_what_is_not_alike_is_not_compared(other: dict[str, Any]) -> None:
    assert not doubt("1000", price(**{"amount": "1"} | other))
    assert not doubt("0", price("1000"))


pytest_db = pytest.mark.django_db


@pytest.fixture
def offering() -> Offering:
    """Without a price; another one of its model costs 0.15 a million."""
    model = make_model("acme/one")
    make_price(make_offering(model, make_provider("first", name="First")), INPUT, "0.15")
    return make_offering(model, make_provider("second"))


def prices(offering: Offering) -> list[Decimal]:
    return list(offering.prices.values_list("amount", flat=True))


@pytest_db
def test_service_refuses_it_until_it_is_meant(offering: Offering) -> None:
    with pytest.raises(InvalidField, match=r"than 0\.15 for 1,000,000 \(First\)"):
        set_price(offering, meter=INPUT, usd_per_million=Decimal(150))
    assert prices(offering) == []
    set_price(offering, meter=INPUT, usd_per_million=Decimal(150), is_meant=True)
    assert prices(offering) == [150]


@pytest_db
def test_own_history_is_compared_also_where_it_is_over_and_that_of_others_only_while_it_runs(
    offering: Offering,
) -> None:
    Price.objects.update(valid_from=YESTERDAY, valid_to=NOW)
    set_price(offering, meter=INPUT, usd_per_million=Decimal(150))
    with pytest.raises(InvalidField, match="here before"):
        set_price(Offering.objects.get(provider__slug="first"), meter=INPUT, usd_per_million=Decimal(150000))


@pytest.fixture
def curator(client: Client) -> Client:
    client.force_login(make_staff())
    return client


@pytest_db
def test_box_appears_on_the_models_page_only_then_and_lets_it_pass(
    curator: Client, offering: Offering
) -> None:
    model, field = offering.model, "offerings-1-input_usd"
    assert "-meant" not in curator.get(f"/admin/catalogue/model/{model.pk}/change/").text
    answer = edit(curator, model, **{field: "150"})
    assert "1,000 times more" in errors(answer)
    assert f'name="{field}-meant"' in answer.text
    assert prices(offering) == []
    edit(curator, model, **{field: "150", f"{field}-meant": "on"})
    assert prices(offering) == [150]
    assert edit(curator, model, name="Uno").status_code == 302


@pytest_db
def test_box_appears_on_the_offerings_page_and_is_no_free_pass_for_later(
    curator: Client, offering: Offering
) -> None:
    new = {"prices-TOTAL_FORMS": "1", "prices-0-meter": INPUT, "prices-0-amount": "0.00000015"}
    new |= {"prices-0-plan": "standard", "prices-0-unit_size": "1000000", "prices-0-currency": "USD"}
    new |= {"prices-0-conditions": "[]"}
    answer = edit(curator, offering, **new)
    assert "1,000,000 times less" in errors(answer)
    assert 'name="prices-0-amount-meant"' in answer.text
    edit(curator, offering, **new, **{"prices-0-amount-meant": "on"})
    assert prices(offering) == [Decimal("0.00000015")]


@pytest_db
def test_sheet_takes_it_with_the_mark_alone(offering: Offering) -> None:
    row = {"model": "acme/one", "provider": "second", "upstream_name": "one", "meter": INPUT}
    made = bring_in(PriceSheet, row | {"amount": "150"})
    assert "row 2: amount: 150 for 1,000,000 is 1,000 times more" in faults(made)
    assert prices(offering) == []
    assert not faults(bring_in(PriceSheet, row | {"amount": "!150"}))
    assert prices(offering) == [150]
    assert "is not a number" in faults(bring_in(PriceSheet, row | {"amount": "!x"}))


def bring_in_folder(path: Path, *options: str, amount: str) -> str:
    said = StringIO()
    folder = write_folder(path, pricing=[card(rule(price=amount))])
    call_command("import_catalogue", folder, *options, stdout=said, stderr=StringIO())
    return said.getvalue()


@pytest_db
def test_folder_with_it_is_refused_until_it_is_confirmed(tmp_path: Path) -> None:
    bring_in_folder(tmp_path, amount="1")
    with pytest.raises(CommandError, match=r"1,000 times more.*--confirm-prices"):
        bring_in_folder(tmp_path, amount="1000")
    assert list(Price.objects.values_list("amount", flat=True)) == [1]
    assert "1 price far from others" in bring_in_folder(tmp_path, "--confirm-prices", amount="1000")
    assert Price.objects.filter(amount=1000).exists()


def test_prices_under_conditions_are_compared_too() -> None:
    """Their conditions are mappings, as they come from files."""
    tier = ({"path": "input_tokens", "op": "gt", "value": 200_000},)
    assert doubt("1000", price("1", conditions=tier), conditions=tier)
    assert not doubt("2", price("1", conditions=tier), conditions=tier)
