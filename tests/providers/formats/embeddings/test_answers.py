"""What is no answer, or half of one."""

import pytest

from providers.formats.registry import EMBEDDING_FORMATS
from providers.wire.failure import FailureKind, UpstreamFailure

NAMES = ["openai", "voyage", "cohere", "gemini"]


def read(name, value):
    return EMBEDDING_FORMATS[name].read_answer(value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        7,
        "text",
        {},
        {"data": []},
        {"data": [{}]},
        {"data": [7]},
        {"data": [{"embedding": ["a"]}]},
        {"embeddings": []},
        {"embeddings": {"float": []}},
        {"embeddings": {"float": [[]]}},
        {"embeddings": {"int8": [[1]]}},
        {"embeddings": [{"values": []}]},
        {"embeddings": [7]},
    ],
)
def test_what_is_no_answer_is_a_bad_response(name, value):
    with pytest.raises(UpstreamFailure) as caught:
        read(name, value)
    assert caught.value.kind is FailureKind.BAD_RESPONSE


@pytest.mark.parametrize("name", ["openai", "gemini"])
def test_error_inside_a_success_is_classified_by_its_own_status(name):
    with pytest.raises(UpstreamFailure) as caught:
        read(name, {"error": {"code": 429, "message": "Slow down"}})
    assert caught.value.kind is FailureKind.RATE_LIMIT


def test_vectors_are_put_in_the_order_of_their_indices():
    data = [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]
    assert read("openai", {"data": data}).vectors == ([1.0], [2.0])


def test_place_stands_for_a_missing_index():
    data = [{"embedding": [1.0]}, {"embedding": [2.0]}]
    assert read("voyage", {"data": data}).vectors == ([1.0], [2.0])


@pytest.mark.parametrize("indices", [(0, 0), (1, 2), (-1, 0)])
def test_indices_that_leave_out_an_input_are_a_bad_response(indices):
    data = [{"index": index, "embedding": [1.0]} for index in indices]
    with pytest.raises(UpstreamFailure, match="whose"):
        read("openai", {"data": data})


@pytest.mark.parametrize("usage", [None, {}, 7, {"prompt_tokens": -1}, {"total_tokens": "9"}])
def test_absurd_usage_is_none(usage):
    assert read("openai", {"data": [{"embedding": [1.0]}], "usage": usage}).usage is None


@pytest.mark.parametrize("usage", [{"prompt_tokens": 9}, {"total_tokens": 9}])
def test_one_count_stands_for_the_other(usage):
    answer = read("openai", {"data": [{"embedding": [1.0]}], "usage": usage})
    assert answer.usage is not None
    assert (answer.usage.counts["input_tokens"], answer.usage.counts["output_tokens"]) == (9, 0)
