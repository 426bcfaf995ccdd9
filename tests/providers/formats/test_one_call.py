"""A client that takes one tool call at a time gets one from Gemini, which cannot be told so."""

import orjson
import pytest

from providers.adapters.base import Adapter
from providers.facts import ProviderFacts
from providers.formats.base import AnswerFacts
from providers.formats.registry import CLIENT_FORMATS, GEMINI
from providers.operations.generate import adapter_between
from providers.wire.call import Call
from providers.wire.events import Finished, FinishReason, Started, ToolArguments, ToolCallStarted
from providers.wire.upstream import Upstream

TWO_CALLS = (
    Started("x"),
    ToolCallStarted(0, "call_a", "look"),
    ToolArguments(0, '{"n":1}'),
    ToolCallStarted(1, "call_b", "look"),
    ToolArguments(1, '{"n":2}'),
    Finished(FinishReason.TOOL_CALLS, "STOP"),
)
FACTS = AnswerFacts("x", 0, "acme/one")
FUNCTION = {"name": "look", "parameters": {"type": "object"}}
ASKED = [{"role": "user", "content": "hi"}]
OPENAI = {"messages": ASKED, "tools": [{"type": "function", "function": FUNCTION}]}
RESPONSES = {"input": "hi", "tools": [{"type": "function", "strict": False, **FUNCTION}]}
ANTHROPIC = {
    "messages": ASKED,
    "max_tokens": 9,
    "tools": [{"name": "look", "input_schema": {"type": "object"}}],
}
ONE = {
    "openai": OPENAI | {"parallel_tool_calls": False},
    "responses": RESPONSES | {"parallel_tool_calls": False},
    "anthropic": ANTHROPIC | {"tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
}
MANY = {"openai": OPENAI, "responses": RESPONSES, "anthropic": ANTHROPIC}
ANY_CLIENT = pytest.mark.parametrize("client", ONE)


def a_call(client: str, body: dict[str, object], **more: bool) -> Call:
    endpoint = CLIENT_FORMATS[client].endpoint
    return Call(endpoint, {"model": "acme/one", **body}, format=client, wants_usage=True, **more)


def count_calls(events) -> int:
    return sum(isinstance(event, ToolCallStarted) for event in events)


def to_gemini(client: str) -> Adapter:
    return adapter_between(client, "gemini")


@ANY_CLIENT
@pytest.mark.parametrize(("bodies", "count"), [(ONE, 1), (MANY, 2)])
def test_whole_answer_has_as_many_calls_as_were_wanted(client, bodies, count):
    body = orjson.dumps(GEMINI.write_answer(TWO_CALLS, FACTS))
    answer = to_gemini(client).answer(a_call(client, bodies[client]), "acme/one", 200, body)
    assert count_calls(CLIENT_FORMATS[client].read_answer(orjson.loads(answer.body))) == count


@ANY_CLIENT
@pytest.mark.parametrize(("bodies", "count"), [(ONE, 1), (MANY, 2)])
def test_stream_has_as_many_calls_as_were_wanted(client, bodies, count):
    writer = GEMINI.writer(FACTS)
    stream = to_gemini(client).stream(a_call(client, bodies[client], is_streamed=True), "acme/one")
    shown = stream.feed(writer.write(TWO_CALLS) + writer.finish()) + stream.finish() + stream.terminator()
    reader = CLIENT_FORMATS[client].reader()
    assert count_calls([*reader.feed(shown), *reader.finish()]) == count


@ANY_CLIENT
def test_request_says_that_it_was_said_in_other_words(client):
    provider = ProviderFacts(1, "p", "P", "gemini", "https://p.example", is_enabled=True, is_usable=True)
    call, upstream = a_call(client, ONE[client]), Upstream("up", is_streamed=False)
    request = to_gemini(client).request(call, provider, upstream)
    assert [said for said in request.translated if said.endswith("the first call is kept")]
