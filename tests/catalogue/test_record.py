"""The records of both lists, built from published content."""

from datetime import UTC, datetime
from typing import Any

import pytest

from catalogue.published import record as records
from catalogue.published.content import facts_from_content
from catalogue.published.snapshot import Snapshot
from providers.facts import ProviderFacts

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LIVE = frozenset({10, 20})
"""Ids of the providers that can be called."""


def snapshot_of(*contents: Any, live: frozenset[int] = LIVE) -> Snapshot:
    providers = {id_: ProviderFacts(id_, "", "", "openai", "", True, True) for id_ in live}
    return Snapshot.of(map(facts_from_content, contents), providers, revision=1)


def record(content: Any, at: datetime, live: frozenset[int] = LIVE, *others: Any) -> Any:
    snapshot = snapshot_of(content, *others, live=live)
    return records.record(snapshot.models[content["id"]], snapshot, at)


def listing(content: Any, at: datetime, live: frozenset[int]) -> Any:
    snapshot = snapshot_of(content, live=live)
    return records.listing(snapshot.models[content["id"]], snapshot, at)


def price(meter: str, amount: str, **fields: Any) -> dict[str, Any]:
    standard = {"plan": "standard", "unit_size": 1_000_000, "currency": "USD", "conditions": []}
    return {"meter": meter, "amount": amount, "valid_from": None, "valid_to": None} | standard | fields


def offering(number: int = 1, *prices: dict[str, Any], slug: str = "groq", **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "provider": {"id": number * 10, "slug": slug, "name": slug.title()},
        "upstream_name": "one",
        "endpoints": ["chat.completions"],
        "params": ["temperature"],
        "streams": True,
        "context_length": None,
        "max_output_tokens": None,
        "quantization": None,
        "position": 0,
        "effective_from": None,
        "effective_to": None,
        "prices": list(prices),
    } | fields


def content(*offerings: dict[str, Any], **fields: Any) -> Any:
    return {
        "id": "acme/one",
        "name": "One",
        "description": "",
        "organisation": {"id": "acme", "name": "Acme", "colour": ""},
        "created_at": "2026-01-02T00:00:00+00:00",
        "release_at": None,
        "deprecation_at": None,
        "retirement_at": None,
        "successor_id": None,
        "previous_id": None,
        "aliases": [],
        "alias_policies": {},
        "input_types": ["text"],
        "output_types": ["text"],
        "context_length": None,
        "max_output_tokens": None,
        "tokenizer": None,
        "reasoning_tier": None,
        "is_moderated": False,
        "open_weights": None,
        "licence": None,
        "knowledge_cutoff": None,
        "offerings": list(offerings),
    } | fields


def both(prompt: str, completion: str) -> tuple[dict[str, Any], ...]:
    return price("input_text_tokens", prompt), price("output_text_tokens", completion)


def pricing_of(*offerings: dict[str, Any], live: frozenset[int] = LIVE) -> Any:
    return record(content(*offerings), NOW, live)["pricing"]


def test_unknown_is_null_and_never_a_guess() -> None:
    it = record(content(offering()), NOW, LIVE)
    names = ("description", "created", "release_date", "organisation_colour", "per_request_limits")
    assert [it[name] for name in names] == [None] * 5
    assert set(it["pricing"].values()) == {None}
    assert it["top_provider"] == {
        "context_length": None,
        "max_completion_tokens": None,
        "is_moderated": False,
    }


def test_prices_are_exact_and_plain() -> None:
    pricing = pricing_of(offering(1, *both("0.3", "2.19")))
    assert (pricing["prompt"], pricing["completion"]) == ("0.0000003", "0.00000219")


@pytest.mark.parametrize(
    ("amount", "unit_size", "expected"),
    [
        ("0", 1_000_000, "0"),
        ("100", 1, "100"),
        ("0.0000000001", 1_000_000, "0.0000000000000001"),
        ("9999999999.9999999999", 1, "9999999999.9999999999"),
    ],
)
def test_price_of_any_size_has_no_exponent(amount: str, unit_size: int, expected: str) -> None:
    pricing = pricing_of(offering(1, price("input_text_tokens", amount, unit_size=unit_size)))
    assert pricing["prompt"] == expected


def test_prices_come_from_one_offering_that_has_both() -> None:
    half = offering(1, price("input_text_tokens", "1"))
    whole = offering(2, *both("5", "9"), slug="openai")
    it = record(content(half, whole), NOW, LIVE)
    assert (it["top_provider_id"], it["pricing"]["prompt"]) == ("openai", "0.000005")


def test_first_offering_with_any_price_stands_where_none_has_both() -> None:
    it = record(content(offering(1), offering(2, price("requests", "1"), slug="openai")), NOW, LIVE)
    assert it["top_provider_id"] == "openai"


@pytest.mark.parametrize(
    "fields",
    [
        {"plan": "batch"},
        {"currency": "EUR"},
        {"conditions": [{"above_tokens": 200_000}]},
        {"valid_to": "2026-05-01T00:00:00+00:00"},
        {"valid_from": "2026-07-01T00:00:00+00:00"},
    ],
)
def test_price_that_is_not_the_standard_one_now_is_not_shown(fields: dict[str, Any]) -> None:
    assert pricing_of(offering(1, price("input_text_tokens", "1", **fields)))["prompt"] is None


def test_offering_at_a_closed_provider_sets_no_price() -> None:
    it = record(content(offering(1, *both("1", "1")), offering(2, *both("2", "2"))), NOW, frozenset({20}))
    assert it["pricing"]["prompt"] == "0.000002"


def test_meters_name_their_unit_and_the_provider() -> None:
    it = record(content(offering(1, price("web_searches", "10", unit_size=1000))), NOW, LIVE)
    assert it["pricing_detail"]["meters"] == {
        "web_searches": {
            "provider_id": "groq",
            "unit": "search",
            "unit_size": 1000,
            "price_per_unit": "0.01",
            "currency": "USD",
        }
    }


def test_limits_of_the_offering_win_over_the_models() -> None:
    it = record(content(offering(1, context_length=8_000), context_length=128_000), NOW, LIVE)
    assert it["top_provider"]["context_length"] == 8_000


def test_modality_joins_sorted_types() -> None:
    it = record(content(offering(), input_types=["text", "image"]), NOW, LIVE)
    assert it["architecture"]["modality"] == "image+text->text"


def test_modality_is_null_where_types_are_unknown() -> None:
    it = record(content(offering(), input_types=[]), NOW, LIVE)
    assert it["architecture"]["modality"] is None


@pytest.mark.parametrize(
    ("endpoints", "expected"),
    [
        (["messages"], "chat"),
        (["embeddings"], "embedding"),
        (["images.generations"], "image"),
        (["rerank"], None),
    ],
)
def test_instruct_type_follows_the_endpoints(endpoints: list[str], expected: str | None) -> None:
    it = record(content(offering(1, endpoints=endpoints)), NOW, LIVE)
    assert it["architecture"]["instruct_type"] == expected


def test_providers_are_named_once_with_all_their_parameters() -> None:
    second = offering(2, params=["tools"]) | {"provider": offering(1)["provider"]}
    assert record(content(offering(1), second), NOW, LIVE)["providers"] == [
        {"api_provider_id": "groq", "is_active_gateway": True, "params": ["temperature", "tools"]}
    ]


def test_provider_that_cannot_serve_is_marked() -> None:
    it = record(content(offering(1)), NOW, frozenset())
    assert [provider["is_active_gateway"] for provider in it["providers"]] == [False]


def test_offering_outside_its_dates_does_not_serve() -> None:
    ended = offering(1, effective_to="2026-06-01T12:00:00+00:00")
    assert record(content(ended), NOW, LIVE)["top_provider_id"] is None


def test_deprecated_model_says_when_it_ends_and_what_to_use() -> None:
    dates = {"deprecation_at": "2026-05-01T00:00:00+00:00", "retirement_at": "2026-07-01T09:30:00+00:00"}
    it = record(content(successor_id="acme/two", **dates), NOW, LIVE, content(id="acme/two"))
    lifecycle = it["lifecycle"]
    assert lifecycle == {
        "status": "deprecated",
        "deprecation_date": "2026-05-01",
        "retirement_date": "2026-07-01T09:30:00Z",
        "replacement_model_id": "acme/two",
        "message": "Model 'acme/one' has been deprecated since 2026-05-01 and will be retired on "
        "2026-07-01T09:30:00Z; use 'acme/two'.",
    }


def test_retired_model_says_so() -> None:
    it = record(content(retirement_at="2026-03-01T00:00:00+00:00"), NOW, LIVE)
    assert (it["status"], it["lifecycle"]["message"]) == (
        "retired",
        "Model 'acme/one' was retired on 2026-03-01.",
    )


def test_active_model_has_no_message() -> None:
    it = record(content(release_at="2026-05-01T00:00:00+00:00"), NOW, LIVE)
    assert (it["created"], it["lifecycle"]["message"]) == (1777593600, None)


def test_listing_names_the_first_provider_that_serves() -> None:
    row = listing(content(offering(1), offering(2, slug="openai")), NOW, LIVE)
    assert (row["owned_by"], row["provider"]) == ("groq", "groq")


def test_listing_dates_from_registration() -> None:
    assert listing(content(offering()), NOW, LIVE)["created"] == 1767312000


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({}, True), ({"streams": False}, False), ({"endpoints": ["embeddings"]}, False)],
)
def test_only_generating_offerings_stream(fields: dict[str, Any], expected: bool) -> None:
    assert listing(content(offering(1, **fields)), NOW, LIVE)["supports_streaming"] is expected
