"""Every format of embeddings against golden files, and what clients get against OpenAI's SDK."""

import json
from pathlib import Path

import pytest
from openai.types import CreateEmbeddingResponse

from providers.formats.base import AnswerFacts, Upstream
from providers.formats.embeddings.client import read_request, write_answer
from providers.formats.registry import EMBEDDING_FORMATS
from providers.wire.embedding import Encoding
from tests.used import used

GOLDEN = Path(__file__).parents[3] / "golden" / "embeddings"
FACTS = AnswerFacts("emb-1", 1, "house/embed")
UPSTREAM = Upstream("upstream-name", is_streamed=False)
NAMES = ["openai", "voyage", "cohere", "gemini"]


def golden(name):
    return json.loads((GOLDEN / name).read_text())


FAILURES = golden("failures.json")


@pytest.mark.parametrize("name", NAMES)
def test_request_of_a_client_is_written_for_the_provider(name):
    written = EMBEDDING_FORMATS[name].write_request(read_request(golden("request.json")), UPSTREAM)
    assert {
        "path": written.path,
        "body": written.body,
        "translated": list(written.translated),
    } == golden(f"{name}.request.json")


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("name", NAMES)
def test_answer_of_the_provider_is_written_for_a_client_as_it_asked(name, encoding):
    answer = EMBEDDING_FORMATS[name].read_answer(golden(f"{name}.answer.json"))
    assert answer.usage == used(input_tokens=9)
    assert write_answer(answer, encoding, FACTS) == golden(f"answer.{encoding}.json")


def test_sdk_reads_what_is_written():
    answer = CreateEmbeddingResponse.model_validate(golden("answer.float.json"), strict=True)
    assert answer.data[1].embedding == [0.125, 1.0]
    assert answer.usage.prompt_tokens == 9


@pytest.mark.parametrize("case", FAILURES, ids=[case["name"] for case in FAILURES])
def test_failure_is_classified(case):
    body = case["body"].encode() if isinstance(case["body"], str) else json.dumps(case["body"]).encode()
    failure = EMBEDDING_FORMATS[case["format"]].failure(case["status"], {}, body)
    assert (failure.kind.name, failure.code) == (case["kind"], case["code"])
    assert failure.param == case.get("param")
    assert failure.retry_after_s == case.get("retry_after_s")
    assert case.get("message", failure.message) == failure.message
