"""Words that nobody knows: refused wherever they come from, kept where they are meant."""

import pytest
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.test import Client

from catalogue.admin.fields import ChosenWords, WordsField
from catalogue.published.reading import read_now
from catalogue.words import VOCABULARY, settle, written
from tests.make import make_model, make_offering, make_price, make_provider, publish_all


@pytest.mark.parametrize(
    ("column", "typed", "near"),
    [
        ("endpoints", "chat.completion", "chat.completions"),
        ("endpoints", "Embeddings", "embeddings"),
        ("input_types", "images", "image"),
        ("output_types", "embedding", "embeddings"),
        ("params", "tool_choise", "tool_choice"),
    ],
)
def test_unknown_word_is_refused_with_the_near_one_and_the_way_out(
    column: str, typed: str, near: str
) -> None:
    kept, faults = settle(column, [typed])
    assert len(faults) == 1
    assert near in faults[0]
    assert f"write !{typed}" in faults[0]
    assert settle(column, [f"!{typed}"]) == ([typed], [])
    assert settle(column, [typed], kept) == ([typed], [])
    assert list(written(column, [typed, near])) == [f"!{typed}", near]


def test_nothing_is_known_twice() -> None:
    for _, known in VOCABULARY.values():
        assert len(set(known)) == len(known)


@pytest.mark.django_db
def test_row_keeps_the_unknown_words_that_it_has_and_takes_no_further_one() -> None:
    offering = make_offering(endpoints=["odd.word", "chat.completions"])
    offering.clean()
    offering.endpoints = ["odd.word", "chat.completion"]
    with pytest.raises(ValidationError, match="Did you mean") as caught:
        offering.clean()
    assert "odd.word" not in caught.value.message_dict["endpoints"][0]
    offering.endpoints = ["!new.word"]
    offering.clean()
    assert offering.endpoints == ["new.word"]


@pytest.mark.django_db
def test_offering_of_an_unknown_endpoint_is_listed_nowhere_as_callable(client: Client) -> None:
    provider = make_provider()
    for slug, endpoint in (
        ("good", "chat.completions"),
        ("odd", "chat.completion"),
        ("seen", "images.generations"),
    ):
        offering = make_offering(make_model(f"acme/{slug}"), provider, endpoints=[endpoint])
        make_price(offering)
    publish_all()
    reading = read_now()
    callable_ids = [
        id_ for id_, each in reading.snapshot.models.items() if reading.snapshot.is_routable(each, reading.at)
    ]
    assert callable_ids == ["acme/good"]
    assert list(reading.routable().values_list("public_id", flat=True)) == ["acme/good"]
    page = client.get("/models/acme/odd").content.decode()
    assert "cannot be called here, whatever is connected" in page
    assert "cannot be called" in client.get("/models").content.decode()


@pytest.mark.parametrize(
    ("words", "is_folded", "is_open"), [("", False, True), ("ocr", False, False), ("", True, False)]
)
def test_known_words_are_folded_once_some_are_chosen_and_in_tables(
    words: str, is_folded: bool, is_open: bool
) -> None:
    page = ChosenWords("endpoints", is_folded=is_folded).render("endpoints", words)
    assert (" open>" in page) == is_open


def test_known_words_are_ticked_and_others_typed() -> None:
    widget = ChosenWords("endpoints")
    field = WordsField(widget=widget)
    page = widget.render("endpoints", "embeddings, odd.word", {"id": "id_endpoints"})
    assert 'value="embeddings" id="id_endpoints_2" checked' in page
    assert 'value="odd.word"' in page
    sent = QueryDict("endpoints=embeddings&endpoints=ocr&endpoints=!odd.word")
    assert field.clean(widget.value_from_datadict(sent, {}, "endpoints")) == [
        "embeddings",
        "ocr",
        "!odd.word",
    ]
