"""FOCUS rows are the ledger in the FinOps Foundation's words: parted by meter, equal to the last digit."""

import csv
import io
import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.attempts import AttemptRecord
from accounts.booking import correct, refund
from accounts.models import Key, LedgerEntry, Team
from accounts.recording import record_attempts
from accounts.usage.parameters import read_instant
from catalogue.pricing.cost import cost_usd
from catalogue.pricing.rate_card import prices_of
from gateway.focus.export import rows_of, spans_of
from gateway.focus.rows import COLUMNS
from providers.wire.usage import Counts, Usage
from tests.accounts.test_statements import JUNE, JUNE_4, MAY, closed
from tests.gateway.spooling import attempt
from tests.make import make_key, make_staff, make_team, make_user

pytestmark = pytest.mark.django_db
PRICES = [
    {"meter": meter, "plan": "standard", "unit_size": 1_000_000, "amount": amount, "currency": "USD"}
    for meter, amount in (
        ("input_text_tokens", "1.25"),
        ("output_text_tokens", "10"),
        ("cached_read_text_tokens", "0.125"),
    )
]


@pytest.fixture
def key() -> Key:
    return make_key(make_team("atlas", cost_centre="4711"), "reports")[0]


def of(key: Key, at: datetime = MAY, prices: Any = PRICES, factor: str = "1", **usage: int) -> AttemptRecord:
    """A call that cost what its prices ask."""
    cost = cost_usd(Usage(Counts(usage)), prices_of(prices))
    return attempt(
        end={"cost_usd": f"{cost:f}", "usage": usage},
        team_id=key.team_id,
        key_id=key.pk,
        lineage_id=key.pk,
        started_at=at.timestamp(),
        prices=prices,
        charge_factor=factor,
    )


def rows(
    team: Team | None = None, since: str = "2026-05-01", until: str = "2026-07-01"
) -> list[dict[str, Any]]:
    spans = spans_of(team, read_instant("from", since, "UTC"), read_instant("to", until, "UTC"))
    return [row for span in spans for day in span.days for row in rows_of(span, day)]


def charged() -> Decimal:
    return sum((entry.charged_usd for entry in LedgerEntry.objects.exclude(team_id=0)), Decimal(0))


def billed(found: list[dict[str, Any]]) -> Decimal:
    return sum((row["BilledCost"] for row in found), Decimal(0))


def get(address: str, key: str) -> Any:
    return Client(headers={"authorization": f"Bearer {key}"}).get(address)


def text_of(answer: Any) -> str:
    async def read() -> str:
        return "".join([part.decode() async for part in answer.streaming_content])

    return async_to_sync(read)()


def test_call_is_parted_by_the_meters_that_charged_it(key: Key) -> None:
    record_attempts(
        [of(key, input_tokens=1_000, cached_read_tokens=400, output_tokens=100) for _ in range(2)]
    )
    told = {row["SkuMeter"]: row for row in rows()}
    assert {name: (row["PricingQuantity"], row["BilledCost"]) for name, row in told.items()} == {
        "Cached input tokens read": (800, Decimal("0.0001")),
        "Input text tokens": (1_200, Decimal("0.0015")),
        "Output text tokens": (200, Decimal("0.002")),
    }
    row = told["Input text tokens"]
    assert row["ListUnitPrice"] * row["PricingQuantity"] == row["ListCost"] == Decimal("0.0015")
    assert {
        name: row[name] for name in ("BillingAccountId", "SubAccountId", "SubAccountName", "ResourceId")
    } == {
        "BillingAccountId": "atlas",
        "SubAccountId": key.public_id,
        "SubAccountName": "reports",
        "ResourceId": "acme/one",
    }
    assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == (
        "2026-05-10T00:00:00Z",
        "2026-05-11T00:00:00Z",
    )
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == (
        "2026-05-01T00:00:00Z",
        "2026-06-01T00:00:00Z",
    )
    assert (row["ConsumedUnit"], row["PricingUnit"], row["ChargeCategory"]) == ("tokens", "tokens", "Usage")
    assert (row["x_Entries"], row["x_CostCentre"], row["InvoiceId"]) == (2, "4711", None)
    assert list(row) == list(COLUMNS)


def test_contracted_price_is_the_lists_times_the_factor(key: Key) -> None:
    record_attempts([of(key, factor="0.9", output_tokens=100)])
    (row,) = rows()
    assert (row["ListCost"], row["ContractedCost"], row["BilledCost"]) == (
        Decimal("0.001"),
        Decimal("0.0009"),
        Decimal("0.0009"),
    )
    assert row["ContractedUnitPrice"] * row["PricingQuantity"] == row["ContractedCost"]


def test_billed_cost_is_the_charge_to_the_last_digit_after_any_history(key: Key) -> None:
    dice = random.Random(7)
    other = make_key(make_team("zephyr", time_zone="Asia/Kolkata", usage_zone="Asia/Kolkata"))[0]
    odd = [price | {"amount": "0.3333333", "unit_size": 7_000} for price in PRICES]
    record_attempts(
        [
            of(
                dice.choice([key, other]),
                MAY + timedelta(minutes=dice.randrange(40_000)),
                dice.choice([PRICES, odd, []]),
                dice.choice(["1", "0.9", "1.2345", "0"]),
                input_tokens=dice.randrange(5_000),
                output_tokens=dice.randrange(900),
                cached_read_tokens=dice.randrange(3_000),
            )
            for _ in range(200)
        ]
    )
    for entry in LedgerEntry.objects.filter(charge_usd__gt=0)[:20]:
        correct(entry=entry, amount_usd=Decimal("0.0000000007"), note="more")
        refund(entry=entry, amount_usd=Decimal("0.0000000003"), note="less")
    found = rows()
    assert billed(found) == charged() > 0
    assert sum(row["x_LedgerCost"] for row in found) == sum(
        LedgerEntry.objects.values_list("cost_usd", flat=True)
    )
    for team in Team.objects.all():
        its = sum((entry.charged_usd for entry in LedgerEntry.objects.filter(team=team)), Decimal(0))
        assert billed(rows(team)) == its


def test_what_no_price_explains_has_no_price_and_no_quantity(key: Key) -> None:
    record_attempts([of(key, output_tokens=100)])
    LedgerEntry.objects.update(prices=[])
    (row,) = rows()
    assert row["BilledCost"] == Decimal("0.001")
    assert {row[name] for name in ("SkuPriceId", "ConsumedQuantity", "PricingQuantity", "ListUnitPrice")} == {
        None
    }


def test_what_the_operator_bears_and_what_is_free_of_all_count_is_not_told(key: Key) -> None:
    record = of(key, output_tokens=100)
    assert record.closed is not None
    record.closed.loss_usd, record.closed.cost_usd = record.closed.cost_usd, "0"
    record_attempts([record])
    assert rows() == []


def test_call_on_an_own_credential_tells_what_it_would_have_cost(key: Key) -> None:
    record = of(key, output_tokens=100)
    assert record.closed is not None
    record.closed.own_cost_usd, record.closed.cost_usd = record.closed.cost_usd, "0"
    record_attempts([record])
    LedgerEntry.objects.update(own_credential_id=3)
    (row,) = rows()
    assert (row["BilledCost"], row["ListCost"], row["x_OwnCost"]) == (0, 0, Decimal("0.001"))


def test_days_and_months_are_the_teams(key: Key) -> None:
    Team.objects.update(time_zone="Asia/Kolkata", usage_zone="Asia/Kolkata")
    record_attempts([of(key, datetime(2026, 5, 31, 19, tzinfo=UTC), output_tokens=1)])
    (row,) = rows()
    assert (row["ChargePeriodStart"], row["BillingPeriodStart"]) == (
        "2026-05-31T18:30:00Z",
        "2026-05-31T18:30:00Z",
    )


def test_row_names_its_statement_and_a_late_correction_the_next_one(key: Key) -> None:
    record_attempts([of(key, output_tokens=100), of(key, JUNE, output_tokens=100)])
    closed(key, at=JUNE_4)
    entry = LedgerEntry.objects.order_by("started_at")[0]
    made = refund(entry=entry, amount_usd=Decimal("0.0004"), note="cut")
    LedgerEntry.objects.filter(pk=made.pk).update(ended_at=JUNE)
    closed(key, "2026-06")
    told = [
        (row["BillingPeriodStart"][:7], row["InvoiceId"], row["ChargeCategory"], row["ChargeClass"])
        for row in rows()
    ]
    assert sorted(told, key=str) == [
        ("2026-05", "1", "Usage", None),
        ("2026-06", "2", "Adjustment", "Correction"),
        ("2026-06", "2", "Usage", None),
    ]
    by_invoice: Counter[str] = Counter()
    for row in rows():
        by_invoice[row["InvoiceId"]] += row["BilledCost"]
    assert by_invoice == {"1": Decimal("0.001"), "2": Decimal("0.0006")}


def test_call_that_is_recorded_late_is_billed_by_the_statement_that_is_made_then(key: Key) -> None:
    """Its day is that on which it was made; its month that of the invoice which it is on."""
    record_attempts([of(key, output_tokens=100), of(key, JUNE, output_tokens=100)], at=MAY.timestamp())
    first = closed(key, at=JUNE_4)
    record_attempts([of(key, output_tokens=50)], at=JUNE.timestamp())
    late = next(row for row in rows() if row["ChargeClass"])
    assert (late["ChargeCategory"], late["ChargeClass"], late["InvoiceId"]) == ("Usage", "Correction", None)
    assert late["ChargePeriodStart"] == "2026-05-10T00:00:00Z"
    assert late["BillingPeriodStart"] == "2026-06-01T00:00:00Z"
    second = closed(key, "2026-06")
    by_invoice: Counter[str] = Counter()
    for row in rows():
        by_invoice[row["InvoiceId"]] += row["BilledCost"]
    assert by_invoice == {"1": first.charge_usd, "2": second.charge_usd}
    assert second.charge_usd == Decimal("0.0015")


def test_correction_before_the_next_close_is_on_that_statement_whenever_it_is_booked(key: Key) -> None:
    record_attempts([of(key, output_tokens=100), of(key, JUNE, output_tokens=100)])
    closed(key, at=JUNE_4)
    entry = LedgerEntry.objects.order_by("started_at")[0]
    made = refund(entry=entry, amount_usd=Decimal("0.0004"), note="cut")
    july_2 = datetime(2026, 7, 2, tzinfo=UTC)
    LedgerEntry.objects.filter(pk=made.pk).update(ended_at=july_2)
    late = next(row for row in rows() if row["ChargeClass"])
    assert (late["InvoiceId"], late["BillingPeriodStart"]) == (None, "2026-06-01T00:00:00Z")
    second = closed(key, "2026-06")
    told = [row["BilledCost"] for row in rows() if row["InvoiceId"] == "2"]
    assert sum(told) == second.charge_usd == Decimal("0.0006")


def test_key_exports_its_team_as_a_sheet_and_as_lines(key: Key) -> None:
    other = make_key(make_team("other"))[0]
    record_attempts([of(key, output_tokens=100), of(other, output_tokens=100)])
    text = make_key(key.team, "reader", scopes=["usage"])[1]
    address = "/v1/focus?from=2026-05-01&to=2026-06-01"
    answer = get(address, text)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(text_of(answer)))
    assert (row["BilledCost"], row["RegionId"], row["BillingAccountId"]) == ("0.001", "", "atlas")
    (line,) = text_of(get(f"{address}&format=jsonl", text)).splitlines()
    told = json.loads(line)
    assert (told["BilledCost"], told["RegionId"], told["PricingQuantity"]) == ("0.001", None, 100)
    assert told["SkuPriceDetails"] == {"x_plan": "standard"}
    staff = Client()
    staff.force_login(make_staff())
    assert len(text_of(staff.get(f"{address}&format=jsonl")).splitlines()) == 2
    assert len(text_of(staff.get(f"{address}&format=jsonl&team=other")).splitlines()) == 1
    stranger = Client()
    stranger.force_login(make_user("mary", teams=[other.team]))
    assert stranger.get(f"{address}&team=atlas").status_code == 404


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("from=2026-05-02&to=2026-05-02", "to"),
        ("from=2024-05-01&to=2026-05-02", "from"),
        ("from=soon", "from"),
        ("format=xml", "format"),
        ("colour=red", "colour"),
    ],
)
def test_wrong_query_is_refused_by_its_name(key: Key, query: str, param: str) -> None:
    text = make_key(key.team, "reader", scopes=["usage"])[1]
    answer = get(f"/v1/focus?{query}", text)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_no_cell_is_a_formula(key: Key) -> None:
    Team.objects.update(name="=HYPERLINK(1)", cost_centre="@SUM(1)")
    record_attempts([of(key, output_tokens=100)])
    out = StringIO()
    call_command("export_focus", "--from", "2026-05-01", "--to", "2026-06-01", stdout=out)
    (row,) = csv.DictReader(io.StringIO(out.getvalue()))
    assert (row["BillingAccountName"], row["x_CostCentre"]) == ("'=HYPERLINK(1)", "'@SUM(1)")


def test_command_writes_one_team_or_all(key: Key) -> None:
    record_attempts([of(key, output_tokens=100)])
    out = StringIO()
    asked = ["--from", "2026-05-01", "--to", "2026-06-01", "--format", "jsonl"]
    call_command("export_focus", *asked, "--team", "atlas", stdout=out)
    assert json.loads(out.getvalue())["BilledCost"] == "0.001"
    for wrong in (["--team", "nobody"], ["--from", "soon"]):
        with pytest.raises(CommandError):
            call_command("export_focus", *wrong)


def test_long_day_is_read_by_pages(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.focus.export._PAGE_ROWS", 3)
    record_attempts([of(key, MAY + timedelta(seconds=at // 2), output_tokens=100) for at in range(8)])
    (row,) = rows()
    assert (row["PricingQuantity"], row["x_Entries"]) == (800, 8)
