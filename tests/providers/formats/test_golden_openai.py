"""OpenAI's two formats against golden files, in both directions."""

from pathlib import Path

import orjson
import pytest

from providers.formats.base import AnswerFacts, Upstream
from providers.formats.openai.format import OpenAIFormat
from providers.formats.responses.format import ResponsesFormat
from tests.providers.formats.anew import anew
from tests.providers.formats.answers import ANSWER
from tests.providers.formats.events import meaning, read_in_pieces

GOLDEN = Path(__file__).parents[2] / "golden"
FACTS = AnswerFacts(
    "1", 1_764_000_000, "org/model", request={"temperature": 0.5, "instructions": "Be brief."}
)
UPSTREAM = Upstream("upstream-name", is_streamed=True, user_id="hashed")
ERROR = {
    "message": "The provider is not available.",
    "type": "server_error",
    "code": "provider_unavailable",
    "param": None,
    "status": 502,
}
both = pytest.mark.parametrize(
    ("folder", "wire"),
    [("chat", OpenAIFormat()), ("responses", ResponsesFormat())],
    ids=["chat", "responses"],
)


def golden(folder: str, name: str) -> bytes:
    return (GOLDEN / folder / name).read_bytes()


@both
def test_request_is_written_anew_for_a_provider(folder, wire):
    conversation = anew(wire.read_request(orjson.loads(golden(folder, "request.json"))))
    body = orjson.loads(orjson.dumps(wire.write_request(conversation, UPSTREAM).body))
    assert body == orjson.loads(golden(folder, "upstream_request.json"))


@both
def test_answer_is_written_for_a_client(folder, wire):
    assert wire.write_answer(ANSWER, FACTS) == orjson.loads(golden(folder, "answer.json"))


@both
def test_stream_is_written_for_a_client(folder, wire):
    writer = wire.writer(FACTS)
    assert writer.write(ANSWER) + writer.finish() == golden(folder, "stream.sse")


@both
def test_stream_that_breaks_ends_in_an_error_and_nothing_else(folder, wire):
    writer = wire.writer(FACTS)
    assert writer.write(ANSWER[:4]) + writer.fail(ERROR) == golden(folder, "stream_error.sse")


@both
def test_error_is_written_for_a_client(folder, wire):
    assert wire.error_body(ERROR, "req_1") == orjson.loads(golden(folder, "error.json"))


@both
def test_stream_and_whole_answer_of_a_provider_say_the_same(folder, wire):
    streamed = read_in_pieces(wire.reader(), golden(folder, "stream.sse"), [])
    assert meaning(streamed) == meaning(wire.read_answer(orjson.loads(golden(folder, "answer.json"))))
