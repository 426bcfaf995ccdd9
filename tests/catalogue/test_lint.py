"""The rules of the worklist, each on facts alone."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalogue.facts import ModelFacts, OfferingFacts, PriceFacts
from catalogue.published.snapshot import Snapshot
from catalogue.quality.completeness import judge
from catalogue.quality.lint import EXPLANATIONS, Kind, Subject, World, examine, unconnected
from providers.facts import ProviderFacts

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
OLD = NOW - 181 * DAY


def price(meter: str) -> PriceFacts:
    return PriceFacts(meter, "standard", 1_000_000, Decimal(1), "USD")


PRICES = (price("input_text_tokens"), price("output_text_tokens"))


def offering(**facts: Any) -> OfferingFacts:
    given = {"id": 1, "provider_id": 7, "upstream_name": "one", "provider_name": "Fast", "prices": PRICES}
    return OfferingFacts(
        **(given | {"endpoints": frozenset({"chat.completions"}), "params": frozenset()} | facts)
    )


def model(id: str = "acme/one", **facts: Any) -> ModelFacts:  # noqa: A002 - the field's name
    """One that nothing is to be said of."""
    given = {
        "name": "One",
        "input_types": frozenset({"text"}),
        "context_length": 1000,
        "offerings": (offering(),),
    }
    return ModelFacts(id=id, **(given | facts))


def found(
    subject: ModelFacts, *others: ModelFacts, names: dict[int, frozenset[str]] | None = None, **about: Any
) -> list[Kind]:
    world = World(Snapshot.of([subject, *others], {}, revision=0), NOW, names or {})
    return [finding.kind for finding in examine(Subject(1, subject, **about), world)]


def test_complete_model_is_not_on_the_list() -> None:
    assert found(model(), names={7: frozenset({"one"})}, priced_at={1: NOW}) == []


@pytest.mark.parametrize(
    ("offerings", "said"),
    [
        ((), "no offering"),
        ((offering(endpoints=frozenset({"chat.completion"})),), "chat.completion, which nobody knows"),
        ((offering(endpoints=frozenset({"images.generations"})),), "does not call"),
        ((offering(endpoints=frozenset()),), "no endpoint"),
        ((offering(endpoints=frozenset({"embeddings"}), provider_id=8),), "has no embeddings"),
    ],
)
def test_model_that_nobody_could_call_is_told_with_the_reason(
    offerings: tuple[OfferingFacts, ...], said: str
) -> None:
    facts = ProviderFacts(8, "an", "An", "anthropic", "", is_enabled=True, is_usable=False)
    subject = model(offerings=offerings)
    world = World(Snapshot.of([subject], {8: facts}, revision=0), NOW, {})
    findings = [each for each in examine(Subject(1, subject), world) if each.kind is Kind.UNCALLABLE]
    assert [said in each.what for each in findings] == [True]
    assert judge(Subject(1, subject), {Kind.UNCALLABLE}, NOW).score < 80


def test_models_that_wait_for_a_provider_are_one_line_of_the_provider() -> None:
    facts = ProviderFacts(7, "fast", "Fast", "openai", "", is_enabled=True, is_usable=False)
    models = [model("acme/one"), model("acme/two")]
    world = World(Snapshot.of(models, {7: facts}, revision=0), NOW, {})
    assert not [
        each for one in models for each in examine(Subject(1, one), world) if each.kind is Kind.UNCALLABLE
    ]
    told = [(each.kind, each.what, each.provider_id) for each in unconnected(models, world)]
    assert told == [(Kind.UNCONNECTED, "Fast waits for a credential; 2 models could be called there.", 7)]


def test_every_kind_says_why_it_matters() -> None:
    assert EXPLANATIONS.keys() == set(Kind)


def test_offering_without_a_price_is_told() -> None:
    assert found(model(offerings=(offering(prices=()),))) == [Kind.NO_PRICE]


def test_price_that_ended_is_no_price() -> None:
    ended = PriceFacts("input_text_tokens", "standard", 1, Decimal(1), "USD", valid_to=NOW)
    assert found(model(offerings=(offering(prices=(ended,)),))) == [Kind.NO_PRICE]


def test_chat_with_one_price_is_told_and_embeddings_are_not() -> None:
    one = PRICES[:1]
    assert found(model(offerings=(offering(prices=one),))) == [Kind.HALF_PRICE]
    embeds = offering(prices=one, endpoints=frozenset({"embeddings"}))
    assert found(model(offerings=(embeds,))) == []


def test_offering_that_is_over_needs_no_price() -> None:
    over = offering(id=2, prices=(), effective_to=NOW)
    assert found(model(offerings=(offering(), over))) == []


@pytest.mark.parametrize(("looked_at", "kinds"), [(OLD, [Kind.STALE_PRICE]), (NOW - 179 * DAY, [])])
def test_price_that_nobody_looked_at_for_long_is_stale(looked_at: datetime, kinds: list[Kind]) -> None:
    assert found(model(), priced_at={1: looked_at}) == kinds


def test_context_length_of_all_offerings_is_enough() -> None:
    assert found(model(context_length=None)) == [Kind.NO_CONTEXT]
    assert found(model(context_length=None, offerings=(offering(context_length=8),))) == []


@pytest.mark.parametrize(
    ("are_open", "licence", "kinds"),
    [
        (False, "MIT", [Kind.WEIGHTS]),
        (False, "Modified MIT", [Kind.WEIGHTS]),
        (False, "apache-2.0", [Kind.WEIGHTS]),
        (False, "CC-BY-NC-4.0", [Kind.WEIGHTS]),
        (False, "Llama 4 Community License", [Kind.WEIGHTS]),
        (False, "NVIDIA Open Model License", [Kind.WEIGHTS]),
        (True, "Proprietary", [Kind.WEIGHTS]),
        (True, "MIT", []),
        (True, "Some Company's Licence", []),
        (True, None, []),
        (False, "Proprietary", []),
        (False, "Summit Licence", []),
        (False, None, []),
        (None, "MIT", []),
    ],
)
def test_weights_that_contradict_their_licence_are_told(
    are_open: bool | None, licence: str | None, kinds: list[Kind]
) -> None:
    subject = model(open_weights=are_open, licence=licence)
    assert found(subject) == kinds
    missing = judge(Subject(1, subject), set(kinds), NOW).missing
    assert ("weights and licence" in missing) is bool(kinds or are_open is None or (are_open and not licence))


def test_model_that_takes_no_text_needs_no_context_length() -> None:
    assert found(model(context_length=None, input_types=frozenset({"image"}))) == []


def test_deprecated_model_needs_a_successor_and_an_end() -> None:
    assert found(model(deprecation_at=NOW)) == [Kind.NO_SUCCESSOR, Kind.NO_RETIREMENT]


def test_deprecated_model_with_a_listed_successor_and_an_end_is_in_order() -> None:
    leaving = model(deprecation_at=NOW, retirement_at=NOW + DAY, successor_id="acme/two")
    assert found(leaving, model("acme/two")) == []


def test_follower_stands_in_for_a_successor() -> None:
    leaving = model(deprecation_at=NOW, retirement_at=NOW + DAY)
    assert found(leaving, model("acme/two", previous_id="acme/one")) == []


@pytest.mark.parametrize("others", [(), (model("acme/two", retirement_at=NOW),)])
def test_successor_that_is_gone_or_retired_leads_nowhere(others: tuple[ModelFacts, ...]) -> None:
    leaving = model(deprecation_at=NOW, retirement_at=NOW + DAY, successor_id="acme/two")
    assert found(leaving, *others) == [Kind.LOST_SUCCESSOR]


def test_model_whose_offerings_have_all_ended_should_have_a_retirement() -> None:
    over = offering(effective_to=NOW)
    assert found(model(offerings=(over,))) == [Kind.ENDED]
    assert found(model(offerings=(over,), retirement_at=NOW + DAY)) == []


def test_alias_of_a_retired_model_is_dead() -> None:
    retired = model(retirement_at=NOW, aliases=("uno",), successor_id="acme/two")
    assert Kind.DEAD_ALIAS in found(retired)


def test_alias_of_a_retired_model_with_a_successor_says_what_to_use_instead() -> None:
    retired = model(retirement_at=NOW, aliases=("uno",), successor_id="acme/two")
    assert found(retired, model("acme/two")) == []


def test_alias_of_a_model_without_offerings_is_dead() -> None:
    assert found(model(offerings=(), aliases=("uno",))) == [Kind.DEAD_ALIAS, Kind.UNCALLABLE]


@pytest.mark.parametrize(
    ("names", "kinds"),
    [({"other"}, [Kind.UNSEEN_UPSTREAM]), ({"one"}, []), ({"models/one"}, []), (set(), [])],
)
def test_name_that_the_provider_does_not_list_is_told(names: set[str], kinds: list[Kind]) -> None:
    assert found(model(), names={7: frozenset(names)}) == kinds


def test_retired_model_is_not_asked_for_prices() -> None:
    assert found(model(retirement_at=NOW, offerings=(), context_length=None)) == [Kind.NO_SUCCESSOR]


def test_quarantined_and_edited_models_are_told() -> None:
    assert found(model(), quarantine_reason="bad") == [Kind.QUARANTINED]
    assert found(model(), is_live_as_edited=False) == [Kind.EDITED]


def full() -> ModelFacts:
    return model(
        max_output_tokens=8,
        output_types=frozenset({"text"}),
        description="A model.",
        release_at=NOW,
        open_weights=False,
    )


def test_complete_record_has_all_points() -> None:
    quality = judge(Subject(1, full()), set(), NOW)
    assert (quality.score, dict(quality.missing)) == (100, {})


def test_record_without_prices_loses_their_points() -> None:
    quality = judge(Subject(1, full()), {Kind.NO_PRICE}, NOW)
    assert quality.score == round(100 * (155 - 25) / 155)
    assert quality.missing == {"every offering has its prices": 25}


def test_what_makes_no_sense_for_a_model_does_not_count() -> None:
    """Of a retired one neither prices nor what providers list."""
    retired = ModelFacts("acme/old", "Old", release_at=OLD, retirement_at=NOW)
    missing = judge(Subject(1, retired), {Kind.NO_SUCCESSOR}, NOW).missing
    assert "every offering has its prices" not in missing
    assert next(iter(missing)) == "successor"
