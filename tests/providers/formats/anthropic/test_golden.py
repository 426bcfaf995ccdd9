"""Anthropic's format against golden files, in both directions."""

from dataclasses import fields
from pathlib import Path

import orjson
import pytest

from providers.formats.anthropic.format import AnthropicFormat
from providers.formats.base import AnswerFacts, Upstream
from tests.providers.formats.anew import anew

GOLDEN = Path(__file__).parents[3] / "golden" / "anthropic"
ANTHROPIC = AnthropicFormat()
FACTS = AnswerFacts("1", 1, "anthropic/claude")


def golden(name):
    return orjson.loads((GOLDEN / name).read_bytes())


FAILURES = golden("failures.json")


def told(events):
    """The kind of each, and its members that are not at their default, as JSON would hold them."""
    rows = [[type(event).__name__, shown(event)] for event in events]
    return orjson.loads(orjson.dumps(rows, default=shown, option=orjson.OPT_PASSTHROUGH_DATACLASS))


def shown(value):
    members = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name: member for name, member in members.items() if member not in (None, "", (), 0, False)}


def read(data):
    reader = ANTHROPIC.reader()
    return [*reader.feed(data), *reader.finish()]


def test_request_is_written_anew_for_anthropic():
    conversation = anew(ANTHROPIC.read_request(golden("request.json")))
    upstream = Upstream("claude", is_streamed=True, user_id="hash")
    written = ANTHROPIC.write_request(conversation, upstream)
    assert written.body == golden("request.written.json")
    assert (written.path, written.headers) == ("/messages", {"anthropic-version": "2023-06-01"})
    assert written.translated == ()


def test_answer_of_anthropic_is_read_into_events():
    assert told(ANTHROPIC.read_answer(golden("answer.json"))) == golden("answer.events.json")


def test_answer_is_written_for_a_client_as_it_came():
    came = golden("answer.json")
    answer = ANTHROPIC.write_answer(ANTHROPIC.read_answer(came), FACTS)
    assert answer == came | {"id": "msg_1", "model": "anthropic/claude"}


def test_stream_of_anthropic_is_read_into_events():
    assert told(read((GOLDEN / "stream.sse").read_bytes())) == golden("stream.events.json")


def test_stream_is_written_for_a_client():
    writer = ANTHROPIC.writer(FACTS)
    events = read((GOLDEN / "stream.sse").read_bytes())
    written = b"".join(writer.write([event]) for event in events) + writer.finish()
    assert written == (GOLDEN / "stream.written.sse").read_bytes()


@pytest.mark.parametrize("case", FAILURES, ids=[case["name"] for case in FAILURES])
def test_failure_is_classified(case):
    body = case["body"].encode() if isinstance(case["body"], str) else orjson.dumps(case["body"])
    failure = ANTHROPIC.failure(case["status"], case.get("headers", {}), body)
    assert (failure.kind.name, failure.code) == (case["kind"], case["code"])
    assert failure.retry_after_s == case.get("retry_after_s")
    assert case.get("message", failure.message) == failure.message
