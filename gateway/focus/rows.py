"""Cost and usage in the FinOps Foundation's form: rows of FOCUS 1.2 from entries of the ledger. Pure.

A row is what one meter counted in a day of a team's zone, with one key, of one model at one provider at one price. Each
entry's charge is parted among the meters that its pinned prices charge, so the rows' billed cost is the ledger's charge
to the last digit. Source: FOCUS Specification 1.2, https://focus.finops.org/focus-specification/v1-2/.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any

import orjson

from accounts.measures import write_exactly
from accounts.money import units_of, usd_of
from catalogue.pricing.cost import STANDARD
from catalogue.pricing.meters import METERS
from catalogue.pricing.rate_card import prices_of
from catalogue.pricing.rates import Rates, metered, rates_for
from providers.wire.usage import Counts, Usage

ISSUER = "Gatehouse"
COLUMNS = (
    *("BilledCost", "BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency"),
    *("BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription"),
    *("ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart", "ConsumedQuantity", "ConsumedUnit"),
    *("ContractedCost", "ContractedUnitPrice", "EffectiveCost", "InvoiceId", "InvoiceIssuerName"),
    *("ListCost", "ListUnitPrice", "PricingCategory", "PricingCurrency", "PricingQuantity", "PricingUnit"),
    *(
        "ProviderName",
        "PublisherName",
        "RegionId",
        "RegionName",
        "ResourceId",
        "ResourceName",
        "ResourceType",
    ),
    *("ServiceCategory", "ServiceName", "ServiceSubcategory", "SkuId", "SkuMeter", "SkuPriceDetails"),
    *("SkuPriceId", "SubAccountId", "SubAccountName", "SubAccountType", "Tags"),
    *("x_ChargeFactor", "x_CostCentre", "x_Entries", "x_Kind", "x_LedgerCost", "x_OwnCost"),
)
"""Those of the specification by name, then our own."""
_DIGITS = 60
"""Of products of prices and counts, none of which is rounded."""
_ATTEMPT = "attempt"
Entry = Mapping[str, Any]
"""Columns of the ledger by name, with `charged_usd`."""


@dataclass(frozen=True, slots=True)
class Period:
    """From `low` on and before `high`; Unix seconds."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Invoice:
    """Where an entry is billed. `is_late`: in a later month than its own, which was closed. `number`: None: not yet."""

    period: Period
    number: int | None = None
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """Whose rows they are: names by value, as they are today."""

    slug: str
    name: str
    cost_centre: str


@dataclass(slots=True)
class _Sums:
    count: int = 0
    charge: int = 0
    cost: int = 0
    own_cost: int = 0
    entries: int = 0


@dataclass(frozen=True, slots=True)
class _Group:
    """What all that is in a row shares. `meter` is empty, and `rate` None, where no price charges it."""

    key_id: int
    project: str
    model: str
    provider: str
    meter: str
    rate: Decimal | None
    plan: str
    factor: Decimal
    kind: str
    invoice: Invoice


@dataclass(slots=True)
class Day:
    """One day of a team, entry by entry."""

    period: Period
    _sums: dict[_Group, _Sums] = field(default_factory=dict)

    def add(self, entry: Entry, invoice: Invoice) -> None:
        charge, cost = units_of(entry["charged_usd"]), units_of(entry["cost_usd"])
        own_cost = units_of(entry["own_cost_usd"])
        parts = _parts_of(entry)
        amounts = [part.amount for part in parts]
        split = zip(
            parts, _split(charge, amounts), _split(cost, amounts), _split(own_cost, amounts), strict=True
        )
        for part, its_charge, its_cost, its_own in split:
            if not (part.count or its_charge or its_cost or its_own):
                continue
            sums = self._sums.setdefault(_group(entry, part, invoice), _Sums())
            sums.count += part.count
            sums.charge += its_charge
            sums.cost += its_cost
            sums.own_cost += its_own
            sums.entries += 1

    def rows(self, account: Account, keys: Mapping[int, tuple[str, str]]) -> list[dict[str, Any]]:
        """By COLUMNS. `keys`: by number the public id and the name of each."""
        return [_row(group, sums, self.period, account, keys) for group, sums in self._sums.items()]

    @property
    def key_ids(self) -> set[int]:
        return {group.key_id for group in self._sums}


@dataclass(frozen=True, slots=True)
class _Part:
    meter: str = ""
    count: int = 0
    rate: Decimal | None = None
    plan: str = ""

    @property
    def amount(self) -> Decimal:
        return self.rate * self.count if self.rate is not None else Decimal(0)


@dataclass(frozen=True, slots=True)
class Metered:
    """What one meter counted in an entry, and what of its charge that is. `rate` is in USD; None: by no price."""

    meter: str
    count: int
    rate: Decimal | None
    charged_usd: Decimal


def by_meter(entry: Entry) -> Sequence[Metered]:
    """One entry, parted as in rows: the charges of all are the entry's to the last digit."""
    parts = _parts_of(entry)
    charges = _split(units_of(entry["charged_usd"]), [part.amount for part in parts])
    return [
        Metered(part.meter, part.count, part.rate, usd_of(charge))
        for part, charge in zip(parts, charges, strict=True)
        if part.count or charge
    ]


def _parts_of(entry: Entry) -> list[_Part]:
    """By the meters that charged it. One without a meter for what puts others right, and for what no price explains."""
    if (
        entry["kind"] != _ATTEMPT
        or entry["own_credential_id"]
        or (entry["loss_usd"] and not entry["cost_usd"])
    ):
        return [_Part()]
    usage = Usage(Counts(_counts(entry["usage"] or {})))
    rates, plans = _rates(entry["prices"] or [], usage)
    parts = [_Part(meter, count, rates[meter], plans[meter]) for meter, count in metered(rates, usage)]
    is_explained = any(part.amount for part in parts) or not entry["charged_usd"]
    return parts if parts and is_explained else [*parts, _Part()]


def _counts(usage: Mapping[str, Any]) -> dict[str, int]:
    return {name: count for name, count in usage.items() if type(count) is int and count > 0}


def _rates(fields: Iterable[Mapping[str, Any]], usage: Usage) -> tuple[Rates, Mapping[str, str]]:
    """By meter the rate, and the plan that it is of: what a plan does not price, the standard one does."""
    prices = prices_of(fields)
    plan = next((price.plan for price in reversed(prices) if price.plan != STANDARD), "")
    standard = rates_for(usage, [price for price in prices if price.plan == STANDARD])
    own = rates_for(usage, [price for price in prices if price.plan == plan]) if plan else {}
    return {**standard, **own}, {**dict.fromkeys(standard, STANDARD), **dict.fromkeys(own, plan)}


def _split(units: int, amounts: Sequence[Decimal]) -> list[int]:
    """In proportion, to whole units: what is left of rounding goes to the largest."""
    total = sum(amounts)
    if not total:
        return [0] * (len(amounts) - 1) + [units]
    with localcontext(prec=_DIGITS):
        found = [int(units * amount / total) for amount in amounts]
    found[max(range(len(amounts)), key=amounts.__getitem__)] += units - sum(found)
    return found


def _group(entry: Entry, part: _Part, invoice: Invoice) -> _Group:
    shared = (entry["key_id"], entry["project"], entry["model"], entry["provider"])
    factor = Decimal(entry["charge_factor"]).normalize()
    return _Group(*shared, part.meter, part.rate, part.plan, factor, entry["kind"], invoice)


def _row(
    group: _Group, sums: _Sums, day: Period, account: Account, keys: Mapping[int, tuple[str, str]]
) -> dict[str, Any]:
    key, key_name = keys.get(group.key_id, ("", ""))
    charge, is_usage = usd_of(sums.charge), group.kind == _ATTEMPT
    row = dict.fromkeys(COLUMNS) | {
        "BilledCost": charge,
        "EffectiveCost": charge,
        "ListCost": usd_of(sums.cost),
        "ContractedCost": charge,
        "BillingAccountId": account.slug,
        "BillingAccountName": account.name,
        "BillingAccountType": "Team",
        "BillingCurrency": "USD",
        "BillingPeriodStart": _instant(group.invoice.period.low),
        "BillingPeriodEnd": _instant(group.invoice.period.high),
        "ChargePeriodStart": _instant(day.low),
        "ChargePeriodEnd": _instant(day.high),
        "ChargeCategory": "Usage" if is_usage else "Adjustment",
        "ChargeClass": "Correction" if group.invoice.is_late else None,
        "ChargeDescription": _description(group),
        "ChargeFrequency": "Usage-Based" if is_usage else "One-Time",
        "InvoiceId": None if group.invoice.number is None else str(group.invoice.number),
        "InvoiceIssuerName": ISSUER,
        "ProviderName": group.provider,
        "PublisherName": group.model.partition("/")[0],
        "ResourceId": group.model,
        "ResourceName": group.model,
        "ResourceType": "Model",
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": "Language models",
        "ServiceSubcategory": "Generative AI",
        "SubAccountId": key or str(group.key_id),
        "SubAccountName": key_name or None,
        "SubAccountType": "Key",
        "Tags": {"project": group.project} if group.project else None,
        "x_ChargeFactor": group.factor,
        "x_CostCentre": account.cost_centre or None,
        "x_Entries": sums.entries,
        "x_Kind": group.kind,
        "x_LedgerCost": usd_of(sums.cost),
        "x_OwnCost": usd_of(sums.own_cost),
    }
    return row | _priced(group, sums) if group.rate is not None else row


def _priced(group: _Group, sums: _Sums) -> dict[str, Any]:
    """Costs by unit prices are products and not rounded; those of the ledger are, call by call."""
    assert group.rate is not None, "it has a price"  # noqa: S101
    label, unit = METERS.get(group.meter, (group.meter, "unit"))
    units, sku = _several(unit), f"{group.provider}/{group.model}/{group.meter}"
    with localcontext(prec=_DIGITS):
        contracted = group.rate * group.factor
        list_cost, contracted_cost = group.rate * sums.count, contracted * sums.count
    return {
        "ConsumedQuantity": sums.count,
        "ConsumedUnit": units,
        "PricingQuantity": sums.count,
        "PricingUnit": units,
        "PricingCategory": "Standard",
        "PricingCurrency": "USD",
        "ListUnitPrice": group.rate,
        "ListCost": list_cost,
        "ContractedUnitPrice": contracted,
        "ContractedCost": contracted_cost,
        "SkuId": sku,
        "SkuMeter": label,
        "SkuPriceId": f"{sku}/{group.plan}/{write_exactly(group.rate)}",
        "SkuPriceDetails": {"x_plan": group.plan},
    }


def _description(group: _Group) -> str:
    where = f"{group.model} at {group.provider}"
    if group.kind != _ATTEMPT:
        return f"Put right: {where} ({group.kind})"
    label = METERS.get(group.meter, (group.meter, ""))[0]
    return f"{label} of {where}" if label else f"Calls of {where}"


def _several(unit: str) -> str:
    return f"{unit}es" if unit.endswith("ch") else f"{unit}s"


def _instant(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def as_cells(row: Mapping[str, Any]) -> list[Any]:
    """In the order of COLUMNS, for a sheet: an empty cell is null."""
    return [
        orjson.dumps(value).decode() if isinstance(value, dict) else value
        for value in (row[name] for name in COLUMNS)
    ]


def as_json(row: Mapping[str, Any]) -> str:
    """One line, with numbers as exact text."""
    return orjson.dumps({name: row[name] for name in COLUMNS}, default=_text).decode() + "\n"


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        return write_exactly(value)
    raise TypeError
