"""Anthropic Messages says any conversation and any answer so that it can be read back."""

from dataclasses import replace

import orjson
import pytest
from anthropic.types import Message as SdkMessage
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from pydantic import TypeAdapter

from providers.formats.anthropic.format import AnthropicFormat
from providers.formats.base import AnswerFacts, Upstream
from providers.wire.conversation import (
    ChoiceMode,
    File,
    Image,
    OutputFormat,
    OutputKind,
    Reasoning,
    Text,
    ToolCall,
    ToolChoice,
)
from providers.wire.events import (
    Finished,
    FinishReason,
    ReasoningDelta,
    RefusalDelta,
    Started,
    ToolCallStarted,
)
from tests.providers.formats.anew import in_turns
from tests.providers.formats.conversations import SCHEMA, Ability, make_conversation
from tests.providers.formats.events import make_events, meaning, random_cuts, read_in_pieces

ANTHROPIC = AnthropicFormat()
ABILITY = Ability(
    "anthropic",
    parts=frozenset({Text, Image, File}),
    results=frozenset({Text, Image, File}),
    sampling=frozenset({"temperature", "top_p", "top_k"}),
    has_errors=True,
    has_marks=False,
    has_encrypted=False,
    efforts=("none", "low", "medium", "high", "xhigh", "max"),
    outputs=frozenset({OutputKind.TEXT, OutputKind.SCHEMA}),
    has_verbosity=False,
)
UPSTREAM = Upstream("m", is_streamed=False, max_output_tokens=500)
SDK_REQUEST: TypeAdapter[MessageCreateParamsNonStreaming] = TypeAdapter(MessageCreateParamsNonStreaming)
FACTS = AnswerFacts("1", 1_764_000_000, "org/model")
CLOSED = {**SCHEMA, "additionalProperties": False}


def normalised(conversation):
    """What this format says by itself: its limit, closed schemas, only its own signed thoughts, `auto`."""
    output = conversation.output
    is_plain = output is None or output.kind is OutputKind.TEXT
    choice = conversation.tool_choice
    if choice is None and conversation.parallel_tool_calls is not None:
        choice = ToolChoice()
    has_calls = choice is None or choice.mode is not ChoiceMode.NONE
    return replace(
        conversation,
        messages=tuple(map(without_foreign_thoughts, conversation.messages)),
        max_output_tokens=conversation.max_output_tokens or 500,
        output=None if is_plain else OutputFormat(OutputKind.SCHEMA, schema=CLOSED),
        tools=tuple(replace(tool, parameters=normalised_schema(tool)) for tool in conversation.tools),
        tool_choice=choice,
        parallel_tool_calls=conversation.parallel_tool_calls if has_calls else None,
    )


def without_foreign_thoughts(message):
    parts = (part for part in message.parts if not isinstance(part, Reasoning) or part.signature)
    return replace(message, parts=tuple(parts))


def normalised_schema(tool):
    if not tool.parameters:
        return {"type": "object", "properties": {}}
    return CLOSED if tool.strict else tool.parameters


def normalised_events(events):
    """A refusal explains here why an answer ended, and is told at its end."""
    words = "".join(event.text for event in events if isinstance(event, RefusalDelta))
    if not words:
        return meaning(events)
    kept = [event for event in events if not isinstance(event, RefusalDelta)]
    place = next(number for number, event in enumerate(kept) if isinstance(event, Finished))
    kept[place : place + 1] = [RefusalDelta(words), Finished(FinishReason.CONTENT_FILTER)]
    return meaning(kept)


def written(events):
    writer = ANTHROPIC.writer(FACTS)
    return b"".join(writer.write([event]) for event in events) + writer.finish()


def test_conversation_means_the_same_after_writing_and_reading(subtests):
    for seed in range(200):
        with subtests.test(seed=seed):
            conversation = make_conversation(seed, ABILITY)
            body = orjson.loads(orjson.dumps(ANTHROPIC.write_request(conversation, UPSTREAM).body))
            SDK_REQUEST.validate_python(body)
            assert in_turns(ANTHROPIC.read_request(body)) == normalised(conversation)


def test_whole_answer_means_the_same_after_writing_and_reading(subtests):
    for seed in range(100):
        with subtests.test(seed=seed):
            events = make_events(seed, "anthropic")
            answer = ANTHROPIC.write_answer(events, FACTS)
            SdkMessage.model_validate(answer, strict=True)
            assert meaning(ANTHROPIC.read_answer(answer)) == normalised_events(events)


def test_stream_means_the_same_wherever_it_is_cut(subtests):
    for seed in range(100):
        with subtests.test(seed=seed):
            events = make_events(seed, "anthropic")
            stream = written(events)
            assert meaning(read_in_pieces(ANTHROPIC.reader(), stream, random_cuts(seed, len(stream)))) == (
                normalised_events(events)
            )


def test_stream_means_the_same_byte_by_byte():
    stream = written(make_events(3, "anthropic"))
    assert meaning(read_in_pieces(ANTHROPIC.reader(), stream, range(1, len(stream)))) == (
        normalised_events(make_events(3, "anthropic"))
    )


def test_signature_of_a_foreign_call_survives_a_client_that_gives_the_answer_back():
    call = ToolCallStarted(0, "call_1", "now", "sig", "gemini")
    answer = ANTHROPIC.write_answer(
        [Started(), ReasoningDelta("Hm."), call, Finished(FinishReason.STOP)], FACTS
    )
    turns = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": answer["content"]}]
    read = ANTHROPIC.read_request({"max_tokens": 9, "messages": turns})
    assert read.messages[1].parts == (Reasoning("Hm."), ToolCall("call_1", "now", "{}", "sig", "gemini"))


@pytest.mark.parametrize("origin", ["openai", "responses", "gemini"])
def test_foreign_signature_survives_a_client_that_gives_thoughts_back(origin):
    events = make_events(8, origin)
    assert meaning(ANTHROPIC.read_answer(ANTHROPIC.write_answer(events, FACTS))) == normalised_events(events)
