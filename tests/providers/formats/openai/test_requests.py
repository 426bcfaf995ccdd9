"""Chat requests: what is refused by its name, what is said in other words."""

import pytest

from providers.formats.base import AnswerFacts, BadRequest, CannotTranslate, TranslationError, Upstream
from providers.formats.openai.format import OpenAIFormat
from providers.wire.conversation import (
    ChoiceMode,
    Conversation,
    File,
    Image,
    Message,
    Reasoning,
    ReasoningConfig,
    Role,
    Sampling,
    Text,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from providers.wire.events import Finished, FinishReason, ToolCallStarted

CHAT = OpenAIFormat()
UPSTREAM = Upstream("m", is_streamed=False)


def request(*messages, **more):
    return CHAT.read_request({"messages": list(messages) or [{"role": "user", "content": "x"}], **more})


def write(*parts, role=Role.USER, upstream=UPSTREAM, source="anthropic", **more):
    calls = Message(Role.ASSISTANT, (ToolCall("c1", "f", "{}"),))
    asked = [Message(Role.USER, (Text("y"),))] if role is Role.ASSISTANT else []
    conversation = Conversation((calls, *asked, Message(role, parts or (Text("x"),))), source, **more)
    return CHAT.write_request(conversation, upstream)


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "pirate", "content": "x"}, "messages[0].role"),
        ({"role": "user", "content": [{}]}, "messages[0].content[0].type"),
        ({"role": "user", "content": [{"type": "image_url"}]}, "messages[0].content[0].image_url"),
        ({"role": "tool", "tool_call_id": "c9", "content": "x"}, "messages[0].tool_call_id"),
    ],
)
def test_message_that_cannot_be_read_is_named(message, param):
    with pytest.raises(TranslationError) as refused:
        request(message)
    assert refused.value.param == param


def test_functions_of_old_are_tools():
    conversation = request(
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "y"},
        functions=[{"name": "f"}],
        function_call={"name": "f"},
    )
    call, result = conversation.messages[1].parts[0], conversation.messages[2].parts[0]
    assert call.id == result.call_id
    assert conversation.tools[0].name == "f"
    assert conversation.tool_choice == ToolChoice(ChoiceMode.REQUIRED, ("f",))


def test_nulls_are_absent_and_unknown_fields_are_kept():
    conversation = request(temperature=None, prediction={"type": "content"}, moderation=None)
    assert conversation.sampling == Sampling()
    assert conversation.extra == {"prediction": {"type": "content"}}


def test_marks_of_either_kind_are_read():
    mark = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    other = {"type": "text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit"}}
    parts = request({"role": "user", "content": [mark, other]}).messages[0].parts
    assert [part.cache.ttl for part in parts] == ["1h", None]


def test_another_formats_own_field_is_refused_by_its_name():
    with pytest.raises(CannotTranslate) as refused:
        write(extra={"container": "c"})
    assert refused.value.param == "container"


def test_what_chat_cannot_say_is_refused_as_the_client_spells_it():
    assert write(sampling=Sampling(top_k=5), source="gemini").lost == ("generationConfig.topK -> left out",)
    with pytest.raises(CannotTranslate):
        write(File(url="https://example.com/a.pdf"))


def test_images_of_a_result_follow_it_and_that_is_told():
    written = write(ToolResult("c1", (Image(url="https://example.com/a.png"),), is_error=True))
    assert [message["role"] for message in written.body["messages"]] == ["assistant", "tool", "user"]
    assert written.body["messages"][1]["content"].startswith("Error:")
    assert len(written.translated) == 2


def test_signature_never_leaves_its_family():
    thought = Reasoning("Hm.", signature="s", origin="anthropic")
    message = write(thought, role=Role.ASSISTANT).body["messages"][-1]
    assert message == {"role": "assistant", "content": None, "reasoning_content": "Hm."}


def test_signature_of_a_call_goes_to_a_client_and_comes_back():
    events = [ToolCallStarted(0, "c1", "f", "s", "gemini"), Finished(FinishReason.TOOL_CALLS)]
    message = CHAT.write_answer(events, AnswerFacts("1", 0, "m"))["choices"][0]["message"]
    assert request(message).messages[0].parts == (ToolCall("c1", "f", "{}", "s", "gemini"),)


def test_budget_becomes_an_effort_and_that_is_told():
    written = write(reasoning=ReasoningConfig(budget_tokens=4096))
    assert written.body["reasoning_effort"] == "high"
    assert written.translated == ("thinking.budget_tokens -> reasoning_effort",)


def test_limit_has_the_name_that_the_offering_declares():
    modern = Upstream("m", is_streamed=False, params=frozenset({"max_completion_tokens"}))
    assert write(max_output_tokens=5).body["max_tokens"] == 5
    assert write(max_output_tokens=5, upstream=modern).body["max_completion_tokens"] == 5


def test_empty_request_is_bad():
    with pytest.raises(BadRequest):
        CHAT.read_request({"messages": []})


@pytest.mark.parametrize(
    ("quirk", "parts", "members"),
    [
        ("reasoning_input", (Reasoning("Hm."), Text("x")), {"reasoning": "Hm."}),
        ("no_reasoning_input", (Reasoning("Hm."), Text("x")), {}),
        ("wants_reasoning_input", (Text("x"),), {"reasoning_content": " "}),
        ("cache_control", (Text("x"),), {}),
    ],
)
def test_thoughts_of_earlier_turns_are_told_as_each_provider_takes_them(quirk, parts, members):
    upstream = Upstream("m", is_streamed=False, quirks=frozenset({quirk}))
    message = write(*parts, role=Role.ASSISTANT, upstream=upstream).body["messages"][-1]
    assert message == {"role": "assistant", "content": "x", **members}
