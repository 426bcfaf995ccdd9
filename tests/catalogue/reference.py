"""The list of models as its description says, over records in memory: what the filters in SQL are held against."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import QueryDict

from catalogue.facts import EPOCH, ModelFacts, OfferingFacts, PriceFacts
from catalogue.listing.filters import GatewayModelFilter
from catalogue.pricing.cost import is_valid
from catalogue.published.reading import Reading
from catalogue.published.record import record, serving_offerings

Query = dict[str, list[str]]


def ids_by_sql(query: Query, reading: Reading) -> list[str]:
    """As the list answers it."""
    asked = QueryDict(mutable=True)
    for name, values in query.items():
        asked.setlist(name, values)
    filterset = GatewayModelFilter(asked, queryset=reading.rows(), reading=reading)
    assert filterset.is_valid(), filterset.form.errors
    return list(filterset.qs.values_list("public_id", flat=True))


def read_rows(reading: Reading) -> "list[Row]":
    return [Row(model, reading) for model in reading.snapshot.models.values()]


def ids_in_memory(query: Query, rows: "Sequence[Row]") -> list[str]:
    """As somebody would who reads every record."""
    shown = [row for row in rows if row.is_shown(query) and row.meets(query)]
    ordered = in_order(shown, query.get("sort", ["-release_date"])[0], query.get("mix", ["3:1"])[0])
    if "q" in query and "sort" not in query:
        ordered.sort(key=lambda row: not row.is_called(query["q"][0]))
    return [row.model.id for row in ordered]


class Row:
    def __init__(self, model: ModelFacts, reading: Reading) -> None:
        self.model, self.at = model, reading.at
        self.record = record(model, reading.snapshot, reading.at)
        serving = serving_offerings(model, reading.snapshot, reading.at)
        self.is_served = bool(serving)
        self.is_listed = self.record["status"] in {"active", "deprecated"}
        self.offerings: Sequence[OfferingFacts] = serving or model.offerings
        offered = serving or [each for each in model.offerings if each.is_effective(reading.at)]
        self.asked = [Asked(each, reading.at) for each in offered]
        self.contexts = [each.context_length or model.context_length for each in offered] or [
            model.context_length
        ]

    def is_shown(self, query: Query) -> bool:
        if self.record["status"] in set(query.get("status", [])) & {"announced", "retired"}:
            return True
        return self.is_listed and (self.is_served or query.get("availability") == ["all"])

    def meets(self, query: Query) -> bool:
        if "max_price_blended" in query:
            blended = self.blended(query.get("mix", ["3:1"])[0])
            if blended is None or blended > Decimal(query["max_price_blended"][0]):
                return False
        return all(_TESTS[name](self, values) for name, values in query.items() if name in _TESTS)

    def lowest(self, meter: str) -> Decimal | None:
        return min(self.prices(meter), default=None)

    def prices(self, meter: str) -> list[Decimal]:
        """What its offerings ask for one token, zero only where that is all they ask."""
        found = [each.usd.get(meter) for each in self.asked]
        return [
            usd for each, usd in zip(self.asked, found, strict=True) if usd or (usd == 0 and each.is_free)
        ]

    def blended(self, mix: str) -> Decimal | None:
        """Cached tokens without a price cost what others do."""
        parts = [int(part) for part in mix.split(":")]
        prompt, cached, completion = parts if len(parts) == 3 else (parts[0], 0, parts[1])
        found = []
        for each in self.asked:
            usd = [each.usd.get(f"{kind}_text_tokens") for kind in ("input", "cached_read", "output")]
            usd[1] = usd[0] if usd[1] is None else usd[1]
            terms = [(part, one) for part, one in zip((prompt, cached, completion), usd, strict=True) if part]
            if all(one is not None for _, one in terms):
                total = sum(part * (one or 0) for part, one in terms) / Decimal(sum(parts))
                found += [total] if total or each.is_free else []
        return min(found, default=None)

    def is_free(self) -> bool | None:
        priced = [each for each in self.asked if each.amounts]
        return all(each.is_free for each in priced) if priced else None

    def context(self) -> int | None:
        return max((length for length in self.contexts if length), default=None)

    def names(self) -> list[str]:
        model = self.model
        return [letters(name) for name in (model.id, model.id.partition("/")[2], model.name, *model.aliases)]

    def is_called(self, text: str) -> bool:
        return letters(text) in self.names()

    def tells(self, word: str) -> bool:
        return word in self.text() or any(letters(word) in name for name in self.names() if letters(word))

    def can(self, offering: OfferingFacts) -> set[str]:
        meters = {price.meter for price in offering.prices if is_valid(price, self.at)}
        asked_for = {"reasoning", "reasoning_effort", "thinking", "thinking_budget", "enable_thinking"}
        return {
            word
            for word, is_so in (
                ("tools", "tools" in offering.params),
                ("reasoning", self.model.reasoning_tier or offering.params & asked_for),
                ("vision", "image" in map(str.lower, self.model.input_types)),
                ("caching", "cached_read_text_tokens" in meters),
            )
            if is_so
        }

    def text(self) -> str:
        it = self.record
        parts = [it["id"], it["name"], *it["aliases"], it["organisation_name"] or "", it["description"] or ""]
        return "\n".join(parts).casefold()


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


class Asked:
    """What one offering asks at an instant: each amount of the standard plan, and USD for one by meter."""

    def __init__(self, offering: OfferingFacts, at: datetime) -> None:
        latest: dict[tuple[str, str, str], PriceFacts] = {}
        for price in sorted(offering.prices, key=lambda each: each.valid_from or EPOCH):
            has_begun = price.valid_from is None or price.valid_from <= at
            if price.plan == "standard" and has_begun and (price.valid_to is None or at < price.valid_to):
                latest[price.meter, price.currency, str(price.conditions)] = price
        self.amounts = [price.amount for price in latest.values()]
        self.is_free = bool(self.amounts) and not any(self.amounts)
        self.usd = {
            price.meter: price.amount / price.unit_size
            for price in latest.values()
            if price.currency == "USD" and not price.conditions
        }


def _at_most(meter: str) -> Callable[[Row, list[str]], bool]:
    return lambda row, values: (price := row.lowest(meter)) is not None and price <= Decimal(values[0])


_TESTS: dict[str, Callable[[Row, list[str]], Any]] = {
    "endpoints": lambda row, words: set(row.record["endpoints"]) & set(words),
    "organisation": lambda row, words: row.record["organisation_id"] in words,
    "input_types": lambda row, words: set(row.record["input_types"]) & set(words),
    "output_types": lambda row, words: set(row.record["output_types"]) & set(words),
    "params": lambda row, words: set(row.record["supported_params"]) & set(words),
    "all_params": lambda row, words: any(offering.params >= set(words) for offering in row.offerings),
    "regions": lambda row, words: any(set(offering.regions) & set(words) for offering in row.offerings),
    "provider": lambda row, words: {offering.provider_slug for offering in row.offerings} & set(words),
    "q": lambda row, values: all(row.tells(word) for word in values[0].casefold().split()),
    "capabilities": lambda row, words: any(row.can(offering) >= set(words) for offering in row.offerings),
    "status": lambda row, words: row.record["status"] in words,
    "reasoning_tier": lambda row, words: row.record["reasoning_tier"] in words,
    "kind": lambda row, words: row.record["kind"] in words,
    "min_context": lambda row, values: (row.context() or 0) >= int(values[0]),
    "max_price_prompt": _at_most("input_text_tokens"),
    "max_price_completion": _at_most("output_text_tokens"),
    "released_after": lambda row, values: (row.record["release_date"] or "") >= values[0],
    "retires_before": lambda row, values: (row.record["retirement_date"] or "9") < values[0],
    "free": lambda row, values: row.is_free() is (values == ["true"]),
    "open_weights": lambda row, values: row.record["open_weights"] is (values == ["true"]),
}
_SORTS: dict[str, Callable[[Row], Any]] = {
    "release_date": lambda row: row.model.release_at,
    "retirement_date": lambda row: row.model.retirement_at,
    "name": lambda row: row.model.name.casefold(),
    "context_length": Row.context,
    "prompt_price": lambda row: row.lowest("input_text_tokens"),
    "completion_price": lambda row: row.lowest("output_text_tokens"),
    "cached_price": lambda row: row.lowest("cached_read_text_tokens"),
}


def in_order(rows: list[Row], sort: str, mix: str) -> list[Row]:
    """By the value, unknown last; then by name in whatever case, then by id."""
    value = (_SORTS | {"blended_price": lambda row: row.blended(mix)})[sort.removeprefix("-")]
    rows = sorted(rows, key=lambda row: (row.model.name.casefold(), row.model.id))
    known = [row for row in rows if value(row) is not None]
    known.sort(key=value, reverse=sort.startswith("-"))
    return known + [row for row in rows if value(row) is None]
