"""What a surface refuses, and how it names it."""

import orjson
import pytest

from gateway.proxy.errors import InvalidRequest
from gateway.proxy.surfaces.chat import CHAT
from gateway.proxy.surfaces.embeddings import EMBEDDINGS

HELLO = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


def refusal_of(surface, body):
    with pytest.raises(InvalidRequest) as refusal:
        surface.read(orjson.dumps(body))
    return refusal.value


def test_unknown_parameters_are_kept():
    assert CHAT.read(orjson.dumps({**HELLO, "demo": {"delay_ms": 1}}))["demo"] == {"delay_ms": 1}


def test_null_means_not_given():
    CHAT.read(orjson.dumps({**HELLO, "temperature": None, "stop": None, "stream_options": None}))


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": 5}, "model"),
        ({"model": ""}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "pirate", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"stop": [1]}, "stop[0]"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"logit_bias": {"5": 101}}, "logit_bias.5"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"tool_choice": "maybe"}, "tool_choice"),
    ],
)
def test_a_bad_value_is_refused_by_its_name(change, param):
    assert refusal_of(CHAT, {**HELLO, **change}).param == param


@pytest.mark.parametrize("name", ["model", "messages"])
def test_a_missing_parameter_is_named(name):
    body = {key: value for key, value in HELLO.items() if key != name}
    assert (refusal_of(CHAT, body).param, refusal_of(CHAT, body).error_code) == (name, "missing_parameter")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"a": NaN}', "{}".encode("utf-16"), b"[" * 100_000]
)
def test_what_is_no_json_object_is_refused(body):
    with pytest.raises(InvalidRequest) as refusal:
        CHAT.read(body)
    assert refusal.value.error_code == "invalid_json"


@pytest.mark.parametrize("given", ["text", ["a", "b"], [1, 2, 3], [[1, 2], [3]]])
def test_every_form_of_embedding_input_is_taken(given):
    EMBEDDINGS.read(orjson.dumps({"model": "m", "input": given}))


@pytest.mark.parametrize(
    ("given", "param"), [("", "input"), ([], "input"), ([-1], "input"), ({}, "input"), (5, "input")]
)
def test_bad_embedding_input_is_refused(given, param):
    assert refusal_of(EMBEDDINGS, {"model": "m", "input": given}).param.startswith(param)
