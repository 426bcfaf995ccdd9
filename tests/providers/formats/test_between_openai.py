"""What chat and Responses can both say survives the way from one to the other and back."""

from dataclasses import replace

import httpx2
import orjson
import pytest
from openai import APIError, OpenAI

from providers.formats.base import AnswerFacts, Upstream
from providers.formats.openai.format import OpenAIFormat
from providers.formats.responses.format import ResponsesFormat
from providers.wire.conversation import File, Image, Text
from tests.providers.formats.anew import in_turns
from tests.providers.formats.answers import ANSWER
from tests.providers.formats.conversations import Ability, make_conversation
from tests.providers.formats.events import make_events, meaning

CHAT, RESPONSES = OpenAIFormat(), ResponsesFormat()
UPSTREAM = Upstream("m", is_streamed=False)
FACTS = AnswerFacts("1", 1_764_000_000, "org/model")
SHARED = Ability(
    "openai",
    parts=frozenset({Text, Image, File}),
    sampling=frozenset({"temperature", "top_p"}),
    has_marks=False,
    has_signatures=False,
    has_encrypted=False,
)
NOTHING = {"type": "object", "properties": {}}
ERROR = {"message": "It broke.", "code": "provider_unavailable", "status": 502}


def shared(conversation):
    """Only their maker takes thoughts back; strictness has another default there; few models take more than high."""
    messages = [
        replace(message, parts=tuple(part for part in message.parts if not hasattr(part, "encrypted")))
        for message in conversation.messages
    ]
    tools = tuple(
        replace(tool, strict=bool(tool.strict), parameters=tool.parameters or NOTHING)
        for tool in conversation.tools
    )
    reasoning = conversation.reasoning
    if reasoning and reasoning.effort in {"xhigh", "max"}:
        reasoning = replace(reasoning, effort="high")
    return replace(
        conversation, messages=tuple(messages), tools=tools, reasoning=reasoning, extra={}, source=""
    )


def client(stream: bytes) -> OpenAI:
    headers = {"content-type": "text/event-stream"}
    answer = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, content=stream))
    return OpenAI(api_key="x", base_url="http://localhost/v1", http_client=httpx2.Client(transport=answer))


def streamed(wire) -> bytes:
    writer = wire.writer(FACTS)
    return writer.write(ANSWER) + writer.finish()


def broken(wire) -> bytes:
    writer = wire.writer(FACTS)
    return writer.write(ANSWER[:4]) + writer.fail(ERROR)


def test_conversation_of_chat_means_the_same_in_responses(subtests):
    for seed in range(100):
        with subtests.test(seed=seed):
            conversation = make_conversation(seed, SHARED)
            body = orjson.loads(orjson.dumps(RESPONSES.write_request(conversation, UPSTREAM).body))
            assert shared(in_turns(RESPONSES.read_request(body))) == shared(conversation)


def test_answer_of_responses_means_the_same_in_chat(subtests):
    for seed in range(50):
        with subtests.test(seed=seed):
            events = make_events(seed, "responses")
            assert meaning(CHAT.read_answer(CHAT.write_answer(events, FACTS))) == meaning(events)


def test_sdk_gathers_a_stream_of_responses():
    with client(streamed(RESPONSES)).responses.stream(model="m", input="x") as stream:
        stream.until_done()
        response = stream.get_final_response()
    assert response.output_text == "A ship."
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call"]


def test_sdk_gathers_a_stream_of_chat():
    with client(streamed(CHAT)).chat.completions.stream(model="m", messages=[]) as stream:
        stream.until_done()
        (choice,) = stream.get_final_completion().choices
    assert (choice.message.content, choice.finish_reason) == ("A ship.", "tool_calls")
    assert choice.message.tool_calls[0].function.arguments == '{"at":"sea"}'


def test_sdk_sees_that_a_stream_broke():
    with pytest.raises(APIError, match="It broke"):
        list(client(broken(CHAT)).chat.completions.create(model="m", messages=[], stream=True))
    events = client(broken(RESPONSES)).responses.create(model="m", input="x", stream=True)
    assert [event.type for event in events][-2:] == ["error", "response.failed"]
