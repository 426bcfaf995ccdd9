"""Embeddings between a client of OpenAI's form and each provider."""

import json
from pathlib import Path

import httpx
import pytest
from openai import OpenAI

from providers.facts import ProviderFacts
from providers.operations.embed import embeddings_adapter
from providers.wire.call import Call
from providers.wire.failure import FailureKind, UpstreamFailure
from providers.wire.upstream import Upstream
from tests.used import used

GOLDEN = Path(__file__).parents[1] / "golden" / "embeddings"
SECRET = "pa-0123456789"
UPSTREAM = Upstream("m", is_streamed=False)


def golden(name):
    return (GOLDEN / name).read_bytes()


def call(**fields) -> Call:
    body = json.loads(golden("request.json")) | fields
    return Call("embeddings", body, id="emb-1", created=1)


def answer(wire_format, body: bytes, **fields):
    return embeddings_adapter(wire_format).answer(call(**fields), "house/embed", 200, body)


def request(wire_format, **fields):
    base_url = "https://api.example.com/v1/"
    provider = ProviderFacts(
        1, "p", "P", wire_format, base_url, is_enabled=True, is_usable=True, secret=SECRET
    )
    return embeddings_adapter(wire_format).request(call(**fields), provider, UPSTREAM)


def changed(name, **fields) -> bytes:
    return json.dumps(json.loads(golden(name)) | fields).encode()


@pytest.mark.parametrize("wire_format", ["openai", "responses", "voyage"])
def test_embeddings_go_to_their_path_with_the_credential(wire_format):
    sent = request(wire_format)
    assert sent.url == "https://api.example.com/v1/embeddings"
    assert sent.headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in repr(sent)


def test_google_gets_its_own_header():
    sent = request("gemini")
    assert sent.url == "https://api.example.com/v1/models/m:batchEmbedContents"
    assert sent.headers["x-goog-api-key"] == SECRET


def test_what_was_said_in_other_words_is_told():
    assert request("voyage").translated == ("dimensions -> output_dimension",)


@pytest.mark.parametrize(
    ("wire_format", "fields"), [("cohere", {"input": [1, 2]}), ("openai", {"input": []})]
)
def test_what_cannot_be_said_is_the_callers_mistake(wire_format, fields):
    with pytest.raises(UpstreamFailure) as caught:
        request(wire_format, **fields)
    assert (caught.value.kind, caught.value.status) == (FailureKind.CALLER, 400)
    assert caught.value.param == "input"


@pytest.mark.parametrize("wire_format", ["voyage", "cohere", "gemini"])
@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_answer_is_written_as_the_client_asked(wire_format, encoding):
    written = answer(wire_format, golden(f"{wire_format}.answer.json"), encoding_format=encoding)
    assert json.loads(written.body) == json.loads(golden(f"answer.{encoding}.json"))
    assert written.usage == used(9)


def test_whole_answer_of_openais_form_goes_on_untouched():
    body = golden("openai.answer.json")
    assert answer("openai", body).body is body


def test_base64_that_the_provider_ignored_is_encoded_here():
    written = json.loads(answer("openai", golden("workers_ai.answer.json")).body)
    assert [item["embedding"] for item in written["data"]] == ["AACAPgAAAL8=", "AAAAPgAAgD8="]
    assert written["model"] == "@cf/baai/bge-m3"


def test_floats_are_decoded_where_the_provider_gave_base64():
    written = json.loads(answer("openai", golden("openai.answer.json"), encoding_format="float").body)
    assert written["data"][1]["embedding"] == [0.125, 1.0]


def test_missing_usage_is_estimated_in_the_answer_and_the_ledger_alike():
    written = answer("openai", golden("workers_ai.answer.json"))
    told = json.loads(written.body)["usage"]
    assert told == {
        "prompt_tokens": written.usage.counts["input_tokens"],
        "total_tokens": 11,
        "is_estimated": True,
    }
    assert written.usage == used(11, is_estimated=True)


@pytest.mark.parametrize("usage", [{"total_tokens": 9}, {"prompt_tokens": 9}])
def test_usage_with_one_count_gets_the_other(usage):
    written = answer("openai", changed("openai.answer.json", usage=usage, system_fingerprint="fp"))
    shown = json.loads(written.body)
    assert shown["usage"] == {"prompt_tokens": 9, "total_tokens": 9}
    assert shown["system_fingerprint"] == "fp"
    assert written.usage == used(9)


@pytest.mark.parametrize(
    "fields",
    [
        {"object": None},
        {"model": None},
        {"data": [{"embedding": "AACAPgAAAL8="}, {"embedding": "AAAAPgAAgD8="}]},
        {
            "data": [
                {"object": "embedding", "index": 1, "embedding": "AAAAPgAAgD8="},
                {"object": "embedding", "index": 0, "embedding": "AACAPgAAAL8="},
            ]
        },
    ],
)
def test_what_the_sdk_needs_is_put_in(fields):
    written = json.loads(answer("openai", changed("openai.answer.json", **fields)).body)
    whole = json.loads(golden("answer.base64.json"))
    assert written == whole | {"model": written["model"]}
    assert written["model"] in {"upstream-name", "house/embed"}


@pytest.mark.parametrize("name", ["openai", "workers_ai", "voyage", "cohere", "gemini"])
def test_sdk_gets_the_same_numbers_from_every_provider(name):
    """It asks for base64 by itself, and decodes that."""
    wire_format = "openai" if name == "workers_ai" else name

    def respond(asked: httpx.Request) -> httpx.Response:
        body = golden(f"{name}.answer.json")
        return httpx.Response(200, content=answer(wire_format, body, **json.loads(asked.content)).body)

    with httpx.Client(transport=httpx.MockTransport(respond), trust_env=False) as transport:
        client = OpenAI(api_key="k", base_url="http://gateway.test/v1", http_client=transport)
        made = client.embeddings.create(model="house/embed", input=["a", "b"])
    assert [list(item.embedding) for item in made.data] == [[0.25, -0.5], [0.125, 1.0]]
    assert made.usage.prompt_tokens == made.usage.total_tokens > 0


@pytest.mark.parametrize("wire_format", ["openai", "voyage", "cohere", "gemini"])
def test_answer_with_too_few_vectors_is_a_bad_response(wire_format):
    with pytest.raises(UpstreamFailure, match="2 embeddings for 3 inputs"):
        answer(wire_format, golden(f"{wire_format}.answer.json"), input=["a", "b", "c"])


def test_what_is_no_json_is_a_bad_response():
    with pytest.raises(UpstreamFailure) as caught:
        answer("cohere", b"<html>")
    assert caught.value.kind is FailureKind.BAD_RESPONSE


def test_failure_is_that_of_the_format():
    failure = embeddings_adapter("voyage").failure(401, {}, b'{"detail": "no"}')
    assert failure.kind is FailureKind.AUTH


def test_embeddings_are_not_streamed():
    with pytest.raises(NotImplementedError):
        embeddings_adapter("openai").stream(call(), "m")
