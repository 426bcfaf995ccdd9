"""What each provider's embeddings can say, and what is refused by its name."""

import pytest

from providers.formats.base import BadRequest, CannotTranslate, TranslationError, Upstream
from providers.formats.embeddings.client import read_request
from providers.formats.registry import EMBEDDING_FORMATS
from providers.wire.embedding import EmbeddingKind, Encoding

TEXT_ONLY = ["voyage", "cohere", "gemini"]
WORKERS_AI = frozenset({"embeds_texts_only", "embeds_at_most_100"})


def write(name, *, params=(), quirks=(), **fields):
    upstream = Upstream("m", is_streamed=False, params=frozenset(params), quirks=frozenset(quirks))
    request = read_request({"model": "alias", "input": "x"} | fields)
    return EMBEDDING_FORMATS[name].write_request(request, upstream)


def refused(name, **fields):
    with pytest.raises(TranslationError) as caught:
        write(name, **fields)
    return caught.value


@pytest.mark.parametrize(
    ("given", "inputs"),
    [("a", ("a",)), (["a", "b"], ("a", "b")), ([1, 2], ([1, 2],)), ([[1], [2, 3]], ([1], [2, 3]))],
)
def test_list_of_numbers_is_one_input(given, inputs):
    assert read_request({"input": given}).inputs == inputs


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": {}}, "input"),
        ({"input": ["a", 1]}, "input[1]"),
        ({"input": [[]]}, "input[0]"),
        ({"input": [[True]]}, "input[0]"),
        ({"encoding_format": "int8"}, "encoding_format"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": 1.5}, "dimensions"),
        ({"truncation": "END"}, "truncation"),
    ],
)
def test_wrong_field_is_named(fields, param):
    with pytest.raises(BadRequest) as caught:
        read_request({"input": "x"} | fields)
    assert caught.value.param == param


def test_null_is_an_absent_value():
    nothing = dict.fromkeys(["dimensions", "encoding_format", "input_type", "truncation", "user", "other"])
    request = read_request({"input": "x"} | nothing)
    assert (request.dimensions, request.encoding, request.kind) == (None, Encoding.FLOAT, None)
    assert request.extra == {}


@pytest.mark.parametrize("word", ["query", "search_query", "RETRIEVAL_QUERY"])
def test_kind_is_understood_in_the_words_of_any_provider(word):
    assert read_request({"input": "x", "input_type": word}).kind is EmbeddingKind.QUERY


@pytest.mark.parametrize("name", TEXT_ONLY)
@pytest.mark.parametrize("tokens", [[1, 2], [[1], [2]], ["a", [1]]])
def test_token_numbers_are_refused_where_only_texts_are_taken(name, tokens):
    assert refused(name, input=tokens).param == "input"


def test_token_numbers_go_on_where_openai_is_spoken():
    assert write("openai", input=[[1], [2]]).body["input"] == [[1], [2]]


def test_workers_ai_takes_texts_only_and_not_too_many():
    assert refused("openai", quirks=WORKERS_AI, input=[1]).param == "input"
    assert "at most 100" in refused("openai", quirks=WORKERS_AI, input=["x"] * 101).message
    assert write("openai", quirks=WORKERS_AI, input=["x"] * 100).path == "/embeddings"


@pytest.mark.parametrize(("name", "most"), [("voyage", 1000), ("cohere", 96), ("gemini", 100)])
def test_too_many_inputs_are_refused_with_the_limit(name, most):
    write(name, input=["x"] * most)
    failure = refused(name, input=["x"] * (most + 1))
    assert (failure.param, failure.code) == ("input", "too_many_inputs")
    assert str(most) in failure.message


@pytest.mark.parametrize("name", ["openai", *TEXT_ONLY])
def test_dimensions_are_refused_where_the_offering_does_not_declare_them(name):
    failure = refused(name, params=["encoding_format"], dimensions=256)
    assert isinstance(failure, CannotTranslate)
    assert failure.param == "dimensions"


@pytest.mark.parametrize("declared", ["dimensions", "output_dimension"])
def test_dimensions_may_be_declared_in_either_spelling(declared):
    assert write("voyage", params=[declared], dimensions=256).body["output_dimension"] == 256


def test_width_in_the_providers_own_word_goes_on():
    assert write("cohere", output_dimension=512).body["output_dimension"] == 512
    assert refused("voyage", output_dimension=512, dimensions=256).param == "output_dimension"
    assert refused("gemini", output_dimension=512).param == "output_dimension"


def test_cohere_gets_the_kind_that_it_demands_and_says_so():
    written = write("cohere")
    assert written.body["input_type"] == "search_document"
    assert written.translated == ("input_type -> search_document",)


@pytest.mark.parametrize("name", TEXT_ONLY)
def test_kind_that_a_provider_does_not_know_is_refused(name):
    assert refused(name, input_type="haiku").param == "input_type"


def test_kind_without_a_word_at_the_provider_is_refused():
    assert refused("voyage", input_type="clustering").param == "input_type"
    assert refused("cohere", input_type="similarity").param == "input_type"


@pytest.mark.parametrize(
    ("name", "field", "error", "cut"),
    [
        ("voyage", "truncation", False, True),
        ("cohere", "truncate", "NONE", "END"),
    ],
)
def test_text_that_is_too_long_is_cut_only_if_the_client_says_so(name, field, error, cut):
    assert write(name).body[field] == error
    assert write(name, truncation=True).body[field] == cut


def test_truncation_is_refused_where_there_is_no_word_for_it():
    assert refused("gemini", truncation=False).param == "truncation"
    assert refused("voyage", params=["input_type"], truncation=True).param == "truncation"
    assert "truncation" not in write("voyage", params=["input_type"]).body


def test_small_numbers_are_refused():
    assert refused("voyage", output_dtype="int8").param == "output_dtype"
    assert write("voyage", output_dtype="float").body == write("voyage").body


@pytest.mark.parametrize("name", TEXT_ONLY)
def test_unknown_field_is_refused_by_its_name(name):
    assert refused(name, late_chunking=True).param == "late_chunking"


def test_unknown_field_goes_on_where_openai_is_spoken():
    assert write("openai", late_chunking=True).body["late_chunking"] is True


def test_encoding_that_an_offering_does_not_declare_is_not_asked_for():
    fields = {"params": ["dimensions"], "encoding_format": "base64"}
    assert "encoding_format" not in write("openai", **fields).body
    assert "encoding_format" not in write("voyage", **fields).body


@pytest.mark.parametrize("name", ["models/m", "tunedModels/m"])
def test_name_of_a_gemini_model_may_hold_its_collection(name):
    request = read_request({"input": "x"})
    written = EMBEDDING_FORMATS["gemini"].write_request(request, Upstream(name, is_streamed=False))
    assert written.path == f"/{name}:batchEmbedContents"
    assert written.body["requests"][0]["model"] == name
