"""Gemini's format against golden files, in both directions."""

import json
from pathlib import Path

import pytest

from providers.formats.base import AnswerFacts, Upstream
from providers.formats.registry import GEMINI
from tests.providers.formats.anew import anew
from tests.providers.formats.gemini.told import told

GOLDEN = Path(__file__).parents[3] / "golden" / "gemini"
FACTS = AnswerFacts("gen-1", 1, "google/gemini-3-pro")
FAILURES = json.loads((GOLDEN / "failures.json").read_text())


def golden(name):
    return json.loads((GOLDEN / name).read_text())


def test_request_is_written_anew_for_google():
    conversation = anew(GEMINI.read_request(golden("request.json")))
    written = GEMINI.write_request(conversation, Upstream("gemini-3-pro", is_streamed=False))
    assert {"path": written.path, "body": written.body} == golden("request.written.json")
    assert written.translated == ()


def test_answer_of_google_is_read_into_events():
    assert told(GEMINI.read_answer(golden("answer.json"))) == golden("answer.events.json")


def test_answer_is_written_for_a_client():
    events = GEMINI.read_answer(golden("answer.json"))
    assert GEMINI.write_answer(events, FACTS) == golden("answer.written.json")


def test_stream_of_google_is_read_into_events():
    reader = GEMINI.reader()
    events = reader.feed((GOLDEN / "stream.sse").read_bytes())
    assert told([*events, *reader.finish()]) == golden("stream.events.json")


def test_stream_is_written_for_a_client():
    reader, writer = GEMINI.reader(), GEMINI.writer(FACTS)
    events = [*reader.feed((GOLDEN / "stream.sse").read_bytes()), *reader.finish()]
    written = b"".join(writer.write([event]) for event in events) + writer.finish()
    assert written == (GOLDEN / "stream.written.sse").read_bytes()


@pytest.mark.parametrize("case", FAILURES, ids=[case["name"] for case in FAILURES])
def test_failure_is_classified(case):
    body = case["body"].encode() if isinstance(case["body"], str) else json.dumps(case["body"]).encode()
    failure = GEMINI.failure(case["status"], {}, body)
    assert (failure.kind.name, failure.code) == (case["kind"], case["code"])
    assert failure.param == case.get("param")
    assert failure.retry_after_s == case.get("retry_after_s")
    assert case.get("message", failure.message) == failure.message
