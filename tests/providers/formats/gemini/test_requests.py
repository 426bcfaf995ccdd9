"""Requests in Gemini's format: what is read, what is written, and what is refused by name."""

from dataclasses import replace

import pytest

from providers.formats.base import BadRequest, CannotTranslate, Upstream
from providers.formats.gemini.request_reader import count_tokens
from providers.formats.registry import GEMINI
from providers.formats.wording import natives_of
from providers.wire.conversation import (
    Audio,
    ChoiceMode,
    Conversation,
    File,
    Image,
    Message,
    OutputFormat,
    OutputKind,
    Reasoning,
    ReasoningConfig,
    Role,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from tests.providers.formats.anew import in_turns

UPSTREAM = Upstream("gemini-3-pro", is_streamed=False)
OLDER = replace(UPSTREAM, name="gemini-2.5-flash", quirks=frozenset({"thinking_budget"}))
HELLO = Message(Role.USER, (Text("Hello."),))


def said(messages=(HELLO,), **members):
    return Conversation(messages, source="chat", **members)


def read(*parts, role="user", **members):
    return GEMINI.read_request({"contents": [{"role": role, "parts": list(parts)}], **members})


def parts_of(*parts, role=Role.ASSISTANT, upstream=UPSTREAM):
    conversation = Conversation((HELLO, Message(role, parts)), source="chat")
    return GEMINI.write_request(conversation, upstream).body["contents"][-1]["parts"]


def config_of(conversation, upstream=UPSTREAM):
    return GEMINI.write_request(conversation, upstream).body["generationConfig"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("gemini-3-pro", "/models/gemini-3-pro:streamGenerateContent?alt=sse"),
        ("models/gemini-3-pro", "/models/gemini-3-pro:streamGenerateContent?alt=sse"),
        ("tunedModels/mine", "/tunedModels/mine:streamGenerateContent?alt=sse"),
        ("a/../b?key=1", "/models/a%2F..%2Fb%3Fkey%3D1:streamGenerateContent?alt=sse"),
    ],
)
def test_model_stands_safely_in_the_path(name, path):
    assert GEMINI.write_request(said(), Upstream(name, is_streamed=True)).path == path


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "contents"),
        ({"contents": [{"role": "system", "parts": [{"text": "x"}]}]}, "contents[0].role"),
        ({"contents": [{"parts": [{"text": "x"}, {}]}]}, "contents[0].parts[1]"),
        ({"contents": [{"parts": [{"text": 1}]}]}, "contents[0].parts[0].text"),
        (
            {"contents": [{"parts": [{"inline_data": {"data": "x"}}]}]},
            "contents[0].parts[0].inline_data.mimeType",
        ),
        ({"contents": [{"parts": [{"functionCall": {}}]}]}, "contents[0].parts[0].functionCall.name"),
        (
            {"contents": [{"parts": [{"functionResponse": {"name": "f", "id": "no"}}]}]},
            "contents[0].parts[0].functionResponse",
        ),
        (
            {"contents": {"parts": {"text": "x"}}, "generation_config": {"top_k": "many"}},
            "generation_config.top_k",
        ),
        (
            {"contents": {"parts": {"text": "x"}}, "tools": [{"functionDeclarations": [{}]}]},
            "tools[0].functionDeclarations[0].name",
        ),
        (
            {
                "contents": {"parts": {"text": "x"}},
                "generationConfig": {"thinkingConfig": {"thinkingLevel": "HUGE"}},
            },
            "generationConfig.thinkingConfig.thinkingLevel",
        ),
    ],
)
def test_faulty_request_is_refused_by_the_name_that_the_client_wrote(body, param):
    with pytest.raises(BadRequest) as refused:
        GEMINI.read_request(body)
    assert refused.value.param == param


def test_nulls_are_absent_values():
    assert read({"text": "Hi"}, generationConfig={"temperature": None}, tools=None, toolConfig=None) == read(
        {"text": "Hi"}
    )


def test_results_without_ids_answer_calls_of_their_name_in_order():
    calls = [{"functionCall": {"name": name}} for name in ("f", "g", "f")]
    answers = [{"functionResponse": {"name": name, "response": {"output": name}}} for name in ("f", "f", "g")]
    conversation = GEMINI.read_request(
        {"contents": [{"role": "model", "parts": calls}, {"role": "user", "parts": answers}]}
    )
    assert [part.call_id for part in conversation.messages[1].parts] == ["call_0", "call_2", "call_1"]


def test_neighbouring_turns_are_one_with_results_in_front():
    conversation = GEMINI.read_request(
        {
            "contents": [
                {"role": "model", "parts": [{"functionCall": {"id": "a", "name": "f"}}]},
                {"role": "user", "parts": [{"text": "and"}]},
                {
                    "role": "user",
                    "parts": [{"functionResponse": {"id": "a", "name": "f", "response": {"n": 1}}}],
                },
            ]
        }
    )
    assert in_turns(conversation).messages[1].parts == (ToolResult("a", (Text('{"n":1}'),)), Text("and"))


def test_media_are_read_by_their_type():
    parts = read(
        {"inlineData": {"mimeType": "audio/mpeg", "data": "QQ=="}},
        {"inlineData": {"mimeType": "application/pdf", "data": "QQ"}},
        {"inlineData": {"mimeType": "text/plain", "data": "SGk="}},
        {"fileData": {"fileUri": "https://example.org/a.png?x=1"}},
        {"fileData": {"fileUri": "gs://bucket/a.png"}},
    ).messages[0]
    assert parts.parts == (
        Audio("QQ==", "mp3"),
        File(data="QQ==", media_type="application/pdf"),
        File(text="Hi", media_type="text/plain"),
        Image(url="https://example.org/a.png?x=1", media_type="image/png"),
        File(file_id="gs://bucket/a.png", media_type="image/png", origin="gemini"),
    )


def test_what_only_gemini_understands_goes_on_to_gemini_only():
    conversation = read(
        {"text": "Hi"},
        tools=[{"code_execution": {}}],
        safety_settings=[],
        generation_config={"candidate_count": 2, "image_config": {"aspect_ratio": "1:1"}},
    )
    body = GEMINI.write_request(conversation, UPSTREAM).body
    assert body["tools"] == [{"code_execution": {}}]
    assert body["safetySettings"] == []
    assert body["generationConfig"] == {"candidateCount": 2, "imageConfig": {"aspect_ratio": "1:1"}}
    assert "generation_config.candidate_count" in conversation.extra


def test_part_that_has_no_place_between_formats_is_named_and_kept_for_gemini():
    parts = [{"text": "Hi", "video_metadata": {"fps": 1}}, {"executableCode": {"code": "1"}}]
    conversation = read(*parts)
    assert [path for path, _ in natives_of(conversation)] == [
        "contents[0].parts[0].video_metadata",
        "contents[0].parts[1].executableCode",
    ]
    written = GEMINI.write_request(conversation, UPSTREAM).body
    assert written["contents"] == [{"role": "user", "parts": parts}]


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"sampling": Sampling(logit_bias={"1": 2})}, "logit_bias"),
        ({"verbosity": "low"}, "verbosity"),
        ({"reasoning": ReasoningConfig("enormous")}, "reasoning_effort"),
    ],
)
def test_tuning_that_gemini_lacks_is_left_out(members, name):
    assert GEMINI.write_request(said(**members), UPSTREAM).lost == (f"{name} -> left out",)


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"sampling": Sampling(stop=tuple("abcdef"))}, "stop"),
        ({"service_tier": "scale"}, "service_tier"),
        ({"extra": {"prefix": 1}}, "prefix"),
        ({"messages": (Message(Role.SYSTEM, (Text("x"),), "ann"), HELLO)}, "messages.name"),
        ({"messages": (Message(Role.SYSTEM, (Text("x"),)),)}, "messages"),
    ],
)
def test_what_gemini_cannot_say_is_refused_by_name(members, param):
    with pytest.raises(CannotTranslate) as refused:
        GEMINI.write_request(said(**members), UPSTREAM)
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("part", "param"),
    [
        (ToolResult("none", (Text("x"),)), "messages.tool_call_id"),
        (ToolCall("a", "f", "[1]"), "messages.tool_calls.function.arguments"),
        (File(file_id="file-1", origin="openai"), "messages.content.file"),
        (File(data="QQ=="), "messages.content.file"),
    ],
)
def test_part_that_gemini_cannot_say_is_refused_by_name(part, param):
    with pytest.raises(CannotTranslate) as refused:
        parts_of(part)
    assert refused.value.param == param


def test_system_message_later_on_becomes_text_of_the_user():
    later = Message(Role.SYSTEM, (Text("Be kind."),))
    written = GEMINI.write_request(Conversation((HELLO, later), source="chat"), UPSTREAM)
    assert written.body["contents"] == [{"role": "user", "parts": [{"text": "Hello."}, {"text": "Be kind."}]}]
    assert written.translated == ("messages of the system -> contents of the user",)


def test_first_call_of_another_model_bears_the_stand_in_for_a_signature():
    calls = (ToolCall("a", "f", "{}", "c2ln", "anthropic"), ToolCall("b", "f", "{}"))
    assert [part.get("thoughtSignature") for part in parts_of(*calls)] == [
        "skip_thought_signature_validator",
        None,
    ]
    assert [part.get("thoughtSignature") for part in parts_of(*calls, upstream=OLDER)] == [None, None]


def test_thoughts_of_another_model_go_on_without_their_signature():
    thoughts = (Reasoning("Hm.", "c2ln", origin="anthropic"), Reasoning(encrypted="x", origin="responses"))
    assert parts_of(*thoughts, Text("Yes.")) == [{"text": "Hm.", "thought": True}, {"text": "Yes."}]


def test_signature_without_thoughts_goes_to_the_text_beside_it():
    signature = Reasoning(signature="c2ln", origin="gemini")
    signed = [{"text": "Yes.", "thoughtSignature": "c2ln"}]
    assert parts_of(signature, Text("Yes.")) == parts_of(Text("Yes."), signature) == signed
    assert parts_of(signature) == [{"text": "", "thoughtSignature": "c2ln"}]


def test_signature_that_another_format_put_on_thoughts_goes_to_what_comes_after_them():
    thoughts = Reasoning("Hm.", "c2ln", origin="gemini")
    unsigned = {"text": "Hm.", "thought": True}
    assert parts_of(thoughts, Text("Yes.")) == [unsigned, {"text": "Yes.", "thoughtSignature": "c2ln"}]
    call = parts_of(thoughts, ToolCall("a", "f", "{}"))[1]
    assert call == {"functionCall": {"id": "a", "name": "f", "args": {}}, "thoughtSignature": "c2ln"}


@pytest.mark.parametrize(
    ("reasoning", "level", "budget"),
    [
        (ReasoningConfig("none"), {"thinkingLevel": "MINIMAL"}, {"thinkingBudget": 0}),
        (ReasoningConfig("minimal"), {"thinkingLevel": "MINIMAL"}, {"thinkingBudget": 512}),
        (ReasoningConfig("high", is_included=True), {"thinkingLevel": "HIGH"}, {"thinkingBudget": 4096}),
        (ReasoningConfig("max"), {"thinkingLevel": "XHIGH"}, {"thinkingBudget": 4999}),
        (ReasoningConfig(budget_tokens=2000), {"thinkingLevel": "MEDIUM"}, {"thinkingBudget": 2000}),
        (ReasoningConfig(is_adaptive=True), {}, {"thinkingBudget": -1}),
    ],
)
def test_effort_is_a_level_or_a_budget(reasoning, level, budget):
    shown = {"includeThoughts": True} if reasoning.is_included else {}
    conversation = said(reasoning=reasoning, max_output_tokens=5000)
    assert config_of(conversation).get("thinkingConfig", {}) == shown | level
    assert config_of(conversation, OLDER)["thinkingConfig"] == shown | budget


def test_translated_effort_is_listed():
    written = GEMINI.write_request(said(reasoning=ReasoningConfig("low")), UPSTREAM)
    assert written.translated == ("reasoning_effort -> generationConfig.thinkingConfig.thinkingLevel",)


def test_budget_of_a_gemini_client_stays_a_budget():
    config = {"thinkingConfig": {"thinkingBudget": 0}}
    assert config_of(read({"text": "Hi"}, generationConfig=config)) == config


@pytest.mark.parametrize(
    ("choice", "strict", "config"),
    [
        (None, None, None),
        (None, True, {"mode": "VALIDATED"}),
        (ToolChoice(), None, {"mode": "AUTO"}),
        (ToolChoice(names=("f",)), None, {"mode": "VALIDATED", "allowedFunctionNames": ["f"]}),
        (ToolChoice(ChoiceMode.REQUIRED), True, {"mode": "ANY"}),
        (ToolChoice(ChoiceMode.REQUIRED, ("f",)), None, {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (ToolChoice(ChoiceMode.NONE), None, {"mode": "NONE"}),
    ],
)
def test_tool_choice_is_a_mode_and_names(choice, strict, config):
    conversation = said(tools=(Tool("f", strict=strict),), tool_choice=choice)
    body = GEMINI.write_request(conversation, UPSTREAM).body
    assert body.get("toolConfig", {}).get("functionCallingConfig") == config


def test_plain_json_needs_no_schema():
    assert config_of(said(output=OutputFormat(OutputKind.JSON))) == {"responseMimeType": "application/json"}


def test_answer_of_one_word_is_gemini_s_own():
    config = {"response_mime_type": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["a", "b"]}}
    conversation = read({"text": "Hi"}, generation_config=config)
    assert conversation.extra == {"generation_config.response_mime_type": "text/x.enum"}
    assert config_of(conversation) == {
        "responseMimeType": "text/x.enum",
        "responseSchema": {"type": "STRING", "enum": ["a", "b"]},
    }


def test_small_images_ask_for_a_low_resolution():
    message = Message(Role.USER, (Image(url="https://example.org/x", detail="low"),))
    written = GEMINI.write_request(Conversation((message,), source="chat"), UPSTREAM)
    assert written.body["generationConfig"] == {"mediaResolution": "MEDIA_RESOLUTION_LOW"}
    assert written.translated == ("messages.content.image_url.detail -> generationConfig.mediaResolution",)


def test_tokens_are_counted_for_contents_and_for_whole_requests():
    contents = {"contents": [{"parts": [{"text": "x" * 400}]}]}
    assert (
        count_tokens(contents) == count_tokens({"generateContentRequest": contents}) == {"totalTokens": 107}
    )
