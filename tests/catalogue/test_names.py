"""Names are found as people type them; the rules alone, without a catalogue in SQL."""

import pytest

from catalogue.facts import ModelFacts
from catalogue.listing.search import NEAR, NameIndex, NameIndexCache, fold
from tests.gateway.proxy.values import a_model


def an_index(*models: ModelFacts) -> NameIndex:
    return NameIndexCache().read({model.id: model for model in models})


ONE = a_model("acme/one-4.5", name="Acme One 4.5", aliases=("first", "One_Four"))
TWO = a_model("acme/two", name="Acme Two", aliases=())


@pytest.mark.parametrize(
    ("typed", "folded"),
    [("GPT-4o mini", "gpt4omini"), ("Straße_9", "strasse9"), ("-._ ", ""), ("acme/one", "acmeone")],
)
def test_letters_and_digits_alone_count(typed: str, folded: str) -> None:
    assert fold(typed) == folded


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ACME/ONE 4.5", [ONE.id]),
        ("one45", [ONE.id]),
        ("acme one 45", [ONE.id]),
        ("one four", [ONE.id]),
        ("First", [ONE.id]),
        ("one4", []),
        ("", []),
        ("--", []),
    ],
)
def test_whole_name_is_found_whatever_stands_between_its_letters(text: str, found: list[str]) -> None:
    assert an_index(ONE, TWO).exact(text) == found


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("one45", [ONE.id]),
        ("onefour", [ONE.id]),
        ("acmetwo", [TWO.id]),
        ("one-4", []),
        ("acme", []),
        ("three", []),
        ("--", []),
        ("", []),
    ],
)
def test_word_is_found_folded_where_it_is_not_there_as_typed(word: str, found: list[str]) -> None:
    """What is there as it was typed is found without folding."""
    assert an_index(ONE, TWO).only_folded(word) == found


def test_names_without_a_letter_are_no_names() -> None:
    assert an_index(a_model("acme/x", name="?!", aliases=("--",))).exact("") == []


def test_nearest_name_comes_first_and_each_model_once() -> None:
    index = an_index(*(a_model(f"acme/model-{number}", name=f"Model {number}") for number in range(9)))
    found = index.near("acme/modell-3")
    assert found[0] == "acme/model-3"
    assert len(found) == len(set(found)) == NEAR
    assert an_index(ONE, TWO).near("acme tow")[0] == TWO.id
    assert an_index(ONE, TWO).near("zzzzzz") == []


def test_names_of_which_one_model_has_many_leave_room_for_others() -> None:
    """Ten names at most are looked at, the nearest."""
    models = [
        a_model(f"x/{number}", name=f"Model {number} a", aliases=(f"model-{number}-b", f"model-{number}-c"))
        for number in range(6)
    ]
    assert an_index(*models).near("modelzz") == ["x/5", "x/4", "x/3", "x/2"]


def test_no_more_of_a_long_text_is_looked_at_than_names_have() -> None:
    assert an_index(ONE, TWO).near("two" + " " * 197 + "x" * 10_000) == [TWO.id]


def test_index_is_kept_for_the_snapshot_that_was_asked_last() -> None:
    cache, models = NameIndexCache(), {ONE.id: ONE}
    first = cache.read(models)
    assert cache.read(models) is first
    other = cache.read(dict(models))
    assert other is not first
    assert other.exact("first") == [ONE.id]
