"""Two of one format understand each other in words that the gateway does not know; to others they are named."""

from contextlib import suppress
from dataclasses import replace

import orjson
import pytest

from providers.formats.base import CannotTranslate, TranslationError, Upstream
from providers.formats.registry import FORMATS
from providers.formats.translation import write_for
from tests.providers.formats.test_garbage import spoilt

UPSTREAM = Upstream("m", is_streamed=False, max_output_tokens=100)
CALL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}, "caller": {"type": "direct"}}
FOUND = {"type": "web_search_result", "url": "https://a.example", "title": "A", "encrypted_content": "x"}


def anthropic(*blocks, role="user", **more):
    return {"max_tokens": 9, "messages": [{"role": role, "content": list(blocks)}], **more}


def answered(*parts):
    """A conversation with a tool whose result has these parts."""
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": list(parts)}
    turns = [{"role": "assistant", "content": [CALL]}, {"role": "user", "content": [result]}]
    return {"max_tokens": 9, "messages": turns}


def responses(*items, **more):
    return {"input": list(items) or "hi", **more}


def gemini(*parts, **more):
    return {"contents": [{"role": "user", "parts": list(parts) or [{"text": "hi"}]}], **more}


def chat(*messages, **more):
    return {"messages": list(messages) or [{"role": "user", "content": "hi"}], **more}


CASES = [
    ("openai", chat({"role": "assistant", "audio": {"id": "a"}}), "messages[0].audio"),
    (
        "openai",
        chat({"role": "user", "content": [{"type": "video_url", "video_url": {"url": "u"}}]}),
        "messages[0].content[0].type",
    ),
    (
        "openai",
        chat({"role": "user", "content": [{"type": "text", "text": "x", "sparkle": 1}]}),
        "messages[0].content[0].sparkle",
    ),
    (
        "openai",
        chat(
            {"role": "assistant", "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "x"}}]},
            {"role": "tool", "tool_call_id": "c", "content": "x"},
        ),
        "messages[0].tool_calls[0].type",
    ),
    ("openai", chat(tools=[{"type": "custom", "custom": {"name": "x"}}]), "tools[0].type"),
    (
        "openai",
        chat(
            tools=[{"type": "function", "function": {"name": "f"}}],
            tool_choice={"type": "custom", "custom": {"name": "x"}},
        ),
        "tool_choice.type",
    ),
    (
        "openai",
        chat(
            tool_choice={
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [{"type": "custom"}]},
            }
        ),
        "tool_choice.allowed_tools.tools",
    ),
    ("openai", chat(prediction={"type": "content"}), "prediction"),
    (
        "anthropic",
        anthropic({"type": "text", "text": "x"}, tools=[{"type": "web_search_20250305", "name": "web"}]),
        "tools[0].type",
    ),
    (
        "anthropic",
        anthropic(
            {"type": "server_tool_use", "id": "s", "name": "web", "input": {"query": "q"}},
            {"type": "web_search_tool_result", "tool_use_id": "s", "content": [FOUND]},
            {"type": "text", "text": "x", "citations": [{"type": "web_search_result_location"}]},
            role="assistant",
        ),
        "messages[0].content[0].type",
    ),
    (
        "anthropic",
        answered({"type": "search_result", "source": "s"}),
        "messages[1].content[0].content[0].type",
    ),
    (
        "anthropic",
        anthropic(
            {"type": "document", "source": {"type": "file", "file_id": "f"}, "citations": {"enabled": True}}
        ),
        "messages[0].content[0].citations",
    ),
    (
        "anthropic",
        anthropic({"type": "image", "source": {"type": "file", "file_id": "f"}}),
        "messages[0].content[0].source.file_id",
    ),
    (
        "anthropic",
        anthropic(
            {"type": "text", "text": "x"},
            tools=[{"name": "f", "input_schema": {"type": "object"}, "defer_loading": True}],
        ),
        "tools[0].defer_loading",
    ),
    (
        "anthropic",
        anthropic(
            {"type": "text", "text": "x"},
            output_config={"effort": "high", "task_budget": {"type": "tokens", "total": 9}},
        ),
        "output_config.task_budget",
    ),
    ("anthropic", anthropic({"type": "text", "text": "x", "sparkle": 1}), "messages[0].content[0].sparkle"),
    ("responses", responses({"role": "user", "content": "x"}, {"type": "program_call"}), "input[1].type"),
    (
        "responses",
        responses({"role": "user", "content": [{"type": "input_image", "file_id": "f", "detail": "high"}]}),
        "input[0].content[0].file_id",
    ),
    ("responses", responses({"role": "user", "content": [{"type": "smell"}]}), "input[0].content[0].type"),
    (
        "responses",
        responses(tools=[{"type": "function", "name": "f", "defer_loading": True}]),
        "tools[0].defer_loading",
    ),
    ("responses", responses(reasoning={"effort": "low", "summary": "detailed", "x": 1}), "reasoning.x"),
    ("responses", responses(text={"verbosity": "low", "x": 1}), "text.x"),
    ("gemini", gemini({"hologram": {}}, {"text": "hi"}), "contents[0].parts[0].hologram"),
    ("gemini", gemini(tools=[{"googleSearch": {}}]), "tools[0].googleSearch"),
]


# These change no answer: see test_losses.
HINTS = frozenset({"prediction", "tools[0].defer_loading"})


@pytest.mark.parametrize(("name", "body", "param"), CASES, ids=[case[2] for case in CASES])
def test_words_of_one_format_alone_reach_its_own_providers_and_are_named_to_others(name, body, param):
    wire = FORMATS[name]
    conversation = wire.read_request(body)
    written = orjson.loads(orjson.dumps(wire.write_request(conversation, UPSTREAM).body))
    assert {member: written[member] for member in body} == body
    for other in FORMATS.keys() - {name}:
        if param in HINTS:
            assert len(FORMATS[other].write_request(conversation, UPSTREAM).lost) == 1
            continue
        with pytest.raises(CannotTranslate) as refused:
            FORMATS[other].write_request(conversation, UPSTREAM)
        assert refused.value.param == param


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (
            "anthropic",
            {"max_tokens": 9, "system": "Be brief.", "messages": [{"role": "user", "content": "hi"}]},
        ),
        ("anthropic", answered({"type": "text", "text": "x"})),
        (
            "responses",
            responses(
                {"role": "user", "content": "hi"},
                {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed"},
                {
                    "type": "message",
                    "role": "assistant",
                    "status": "completed",
                    "phase": "commentary",
                    "content": [{"type": "output_text", "text": "x", "annotations": [{"url": "u"}]}],
                },
                instructions="Be brief.",
                stream_options={"include_obfuscation": False},
            ),
        ),
        ("gemini", gemini({"inlineData": {"mimeType": "image/png", "data": "eA==", "displayName": "n"}})),
        (
            "gemini",
            gemini(
                system_instruction={"role": "user", "parts": {"text": "Be brief."}},
                tools=[{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT"}}]}],
            ),
        ),
    ],
)
def test_what_was_said_goes_on_word_for_word(name, body):
    wire = FORMATS[name]
    written = wire.write_request(wire.read_request(body), UPSTREAM).body
    said = {
        "systemInstruction" if member == "system_instruction" else member: body[member] for member in body
    }
    assert {member: written[member] for member in said} == said


def test_schema_in_googles_own_words_stays_in_them():
    schema = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "propertyOrdering": ["a"]}
    config = {"responseMimeType": "application/json", "responseSchema": schema}
    wire = FORMATS["gemini"]
    body = wire.write_request(wire.read_request(gemini(generationConfig=config)), UPSTREAM).body
    assert body["generationConfig"] == config


def thoughts_of(origin):
    """What a client of Anthropic's format gives back after a turn of a provider of that origin."""
    return {"type": "thinking", "thinking": "Hm.", "signature": "c2ln" if not origin else f"{origin}:s::c2ln"}


def test_thoughts_of_other_models_and_empty_texts_are_left_out_for_anthropic():
    wire, text = FORMATS["anthropic"], {"type": "text", "text": "x"}
    body = {
        "max_tokens": 9,
        "messages": [
            {"role": "user", "content": [text, {"type": "text", "text": ""}]},
            {"role": "assistant", "content": [thoughts_of("gemini"), text]},
            {"role": "assistant", "content": [thoughts_of("gemini")]},
            {"role": "assistant", "content": [thoughts_of(""), CALL]},
        ],
    }
    written = wire.write_request(wire.read_request(body), UPSTREAM)
    assert [turn["content"] for turn in written.body["messages"]] == [[text], [text], [thoughts_of(""), CALL]]
    assert written.translated == ("messages.content.thinking -> left out",)


def test_calls_of_other_models_get_ids_that_anthropic_takes():
    call = {"type": "tool_use", "id": "functions.f:0", "name": "f", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "functions.f:0", "content": "x"}
    turns = [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    wire = FORMATS["anthropic"]
    said = wire.read_request({"max_tokens": 9, "messages": turns})
    body = write_for(wire, wire, said, UPSTREAM).body
    named = [turn["content"][0] for turn in body["messages"]]
    call_id = named[0]["id"]
    assert call_id.startswith("functions_f_0_")
    assert named == [call | {"id": call_id}, result | {"tool_use_id": call_id}]


def test_thoughts_of_other_models_and_names_of_items_are_left_out_for_responses():
    wire = FORMATS["responses"]
    foreign = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [],
        "encrypted_content": "gh1.eyJvcmlnaW4iOiJnIn0=",
    }
    unsigned = {"type": "reasoning", "id": "rs_2", "summary": [{"type": "summary_text", "text": "Hm."}]}
    readable = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}
    said = {"type": "message", "id": "msg_1", "role": "user", "content": "x"}
    found = {"type": "web_search_call", "id": "ws_1"}
    body = wire.write_request(
        wire.read_request(responses(foreign, unsigned, readable, said, found)), UPSTREAM
    ).body
    assert body["input"] == [readable, {"type": "message", "role": "user", "content": "x"}, found]


# Parts that stand where their reader does not look into them.
MISPLACED = [
    ("anthropic", anthropic(CALL, {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"})),
    ("anthropic", anthropic({"type": "tool_result", "tool_use_id": "toolu_1"}, role="assistant")),
    ("gemini", gemini({"hologram": 1, "thoughtSignature": "c2ln"})),
]


@pytest.mark.parametrize(("name", "body"), [*(case[:2] for case in CASES), *MISPLACED])
def test_spoilt_words_of_one_format_alone_are_passed_on_or_refused(name, body):
    wire = FORMATS[name]
    for changed in spoilt(body):
        with suppress(TranslationError):
            orjson.dumps(wire.write_request(wire.read_request(changed), UPSTREAM).body)


def test_turn_of_nothing_but_a_foreign_signature_is_left_out_for_gemini():
    foreign = {"thoughtSignature": "Zm9yZWlnbjpbImFudGhyb3BpYyIsImMybG4iLG51bGwsbnVsbF0="}
    said = {"role": "user", "parts": [{"text": "hi"}]}
    body = {"contents": [said, {"role": "model", "parts": [foreign]}, said]}
    wire = FORMATS["gemini"]
    assert wire.write_request(wire.read_request(body), UPSTREAM).body["contents"] == [said, said]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (
            "anthropic",
            anthropic(
                {"type": "text", "text": "x"},
                tools=[{"type": "web_search_20250305", "name": "web"}],
                output_config={"format": {"type": "json_schema", "schema": {"type": "object"}}},
            ),
        ),
        (
            "responses",
            responses(
                tools=[{"type": "web_search"}],
                text={"format": {"type": "json_schema", "name": "x", "schema": {"type": "object"}}},
            ),
        ),
        (
            "gemini",
            gemini(
                tools=[{"googleSearch": {}}],
                generationConfig={"responseJsonSchema": {"type": "object"}},
            ),
        ),
    ],
)
def test_own_tools_are_never_lost_to_a_schema_by_tool(name, body):
    wire = FORMATS[name]
    with pytest.raises(CannotTranslate, match="tools"):
        wire.write_request(wire.read_request(body), replace(UPSTREAM, quirks=frozenset({"schema_by_tool"})))
