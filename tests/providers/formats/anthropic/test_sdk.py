"""Anthropic's own SDK gathers from a written stream what was meant by it."""

from collections.abc import Iterator

import anthropic
import httpx2 as httpx
import pytest

from providers.formats.anthropic.format import AnthropicFormat
from providers.formats.base import AnswerFacts
from providers.wire.events import (
    CitationAdded,
    Finished,
    FinishReason,
    ReasoningDelta,
    ReasoningSigned,
    RefusalDelta,
    Started,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from tests.providers.formats.events import make_events
from tests.used import used

ANTHROPIC = AnthropicFormat()
FACTS = AnswerFacts("1", 1_764_000_000, "org/model")
USAGE = UsageSeen(used(20, 10, 5, 3, 4, cached_write_1h_tokens=2))


class Bytes(httpx.SyncByteStream):
    def __init__(self, data: bytes) -> None:
        self._data = data

    def __iter__(self) -> Iterator[bytes]:
        yield from (self._data[i : i + 7] for i in range(0, len(self._data), 7))


def client(status, kind, body):
    headers = {"content-type": kind, "request-id": "req_1"}

    def answer(request):
        return httpx.Response(status, headers=headers, stream=Bytes(body))

    transport = httpx.Client(transport=httpx.MockTransport(answer))
    return anthropic.Anthropic(api_key="k", base_url="http://gateway", http_client=transport, max_retries=0)


def gathered(data):
    messages = [{"role": "user", "content": "Hello"}]
    with (
        client(200, "text/event-stream", data) as sdk,
        sdk.messages.stream(model="m", max_tokens=9, messages=messages) as stream,
    ):
        return stream.get_final_message()


def written(events):
    writer = ANTHROPIC.writer(FACTS)
    return b"".join(writer.write([event]) for event in events) + writer.finish()


@pytest.mark.parametrize("seed", range(30))
def test_sdk_gathers_the_whole_answer_from_its_stream(seed):
    events = make_events(seed, "anthropic")
    message = gathered(written(events)).to_dict()
    whole = anthropic.types.Message.model_validate(ANTHROPIC.write_answer(events, FACTS)).to_dict()
    del whole["usage"]["cache_creation"], message["usage"]["cache_creation"]
    assert message == whole


def test_mixed_tool_calls_reach_the_sdk_one_after_the_other():
    calls = [
        ToolCallStarted(0, "call_a", "sum"),
        ToolCallStarted(1, "call_b", "now"),
        ToolArguments(0, '{"a":'),
    ]
    events = [Started(), *calls, ToolArguments(0, "1}"), Finished(FinishReason.TOOL_CALLS), USAGE]
    message = gathered(written(events))
    assert [(block.id, block.input) for block in message.content] == [("call_a", {"a": 1}), ("call_b", {})]
    assert message.stop_reason == "tool_use"


def test_signed_thoughts_and_citations_reach_the_sdk():
    events = [
        Started(),
        ReasoningDelta("Hm."),
        ReasoningSigned("sig", origin="anthropic"),
        ReasoningSigned(encrypted="blob", origin="anthropic"),
        TextDelta("So."),
        CitationAdded(url="https://example.com", title="A page"),
        Finished(FinishReason.STOP),
        USAGE,
    ]
    thinking, redacted, text = gathered(written(events)).content
    assert (thinking.thinking, thinking.signature, redacted.data) == ("Hm.", "sig", "blob")
    assert (text.text, text.citations[0].url) == ("So.", "https://example.com")


def test_refusal_reaches_the_sdk_as_why_the_answer_ended():
    message = gathered(written([Started(), RefusalDelta("No."), Finished(FinishReason.STOP), USAGE]))
    assert (message.stop_reason, message.stop_details.explanation) == ("refusal", "No.")


def test_last_usage_replaces_the_first():
    usage = gathered(written([Started(), TextDelta("Hi"), Finished(FinishReason.STOP), USAGE])).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (
        12,
        5,
        3,
    )
    assert (usage.output_tokens, usage.output_tokens_details.thinking_tokens) == (10, 4)


def test_error_in_a_stream_raises_in_the_sdk():
    writer = ANTHROPIC.writer(FACTS)
    data = writer.write([Started(), TextDelta("Hi")])
    data += writer.fail({"message": "It broke.", "status": 529, "code": "provider_unavailable"})
    with pytest.raises(anthropic.APIStatusError, match=r"It broke\."):
        gathered(data)


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (404, anthropic.NotFoundError),
        (429, anthropic.RateLimitError),
        (529, anthropic.APIStatusError),
    ],
)
def test_error_answers_raise_their_class_in_the_sdk(status, raised):
    error = {"message": "It failed.", "type": "x", "code": "y", "param": None, "status": status}
    body = httpx.Response(200, json=ANTHROPIC.error_body(error, "req_1")).content
    with client(status, "application/json", body) as sdk, pytest.raises(raised, match=r"It failed\."):
        sdk.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "Hello"}])
