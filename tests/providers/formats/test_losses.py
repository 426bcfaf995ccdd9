"""What a provider's format, or its model, has no words for is judged by what it would change: every row of the rule."""

from dataclasses import replace

import orjson
import pytest

from providers.formats.base import AnswerFacts, CannotTranslate
from providers.formats.extras import refuse_choices
from providers.formats.losses import COMMON, FIELDS, Kind
from providers.formats.registry import CLIENT_FORMATS, FORMATS
from providers.formats.translation import write_for
from providers.wire.events import Finished, FinishReason, Started, ToolArguments, ToolCallStarted
from providers.wire.upstream import Upstream
from tests.providers.formats.losses_section import DOCUMENT, in_document, section

HELLO = {"role": "user", "content": "hi"}
BODIES = {
    "openai": {"messages": [HELLO]},
    "responses": {"input": [HELLO]},
    "anthropic": {"max_tokens": 2000, "messages": [HELLO]},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
}
UPSTREAM = Upstream("m", is_streamed=False, max_output_tokens=4000)
FUNCTION = {
    "openai": {"type": "function", "function": {"name": "f"}},
    "responses": {"type": "function", "name": "f", "parameters": None},
    "anthropic": {"name": "f", "input_schema": {"type": "object"}},
    "gemini": {"functionDeclarations": [{"name": "f"}]},
}
ANYWHERE = tuple(FORMATS)


def written(client, own, upstream=UPSTREAM, **fields):
    conversation = CLIENT_FORMATS[client].read_request(BODIES[client] | fields)
    if conversation.source != own:
        refuse_choices(conversation)
    known = replace(upstream, user_id=conversation.user_id and "hashed")
    return write_for(FORMATS[own], CLIENT_FORMATS[client], conversation, known)


def others(client, without=()):
    return [name for name in FORMATS if name not in {client, *without}]


MARK = {"type": "ephemeral", "scope": "global", "made_up": 1}
MARKED = {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": MARK}]}
MARKED_TOOL = FUNCTION["anthropic"] | {"cache_control": {"type": "ephemeral", "scope": "global"}}
PICTURE = {"type": "image_url", "image_url": {"url": "https://a.example/b.png", "detail": "low"}}
LOOSE_SAFETY = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": word} for word in ("OFF", "BLOCK_NONE")]
STRICT_SAFETY = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_LOW_AND_ABOVE"}]
IN_TURN = "messages.content.type"
ADDED = {"type": "tool_addition", "tool": {"type": "tool_reference", "tool_name": "f"}}


def said_by_model(block):
    return [HELLO, {"role": "assistant", "content": [block, {"type": "text", "text": "a"}]}, HELLO]


SEARCH_IN_ANTHROPIC = {"type": "web_search_20250305", "name": "web_search"}
# Client, fields, and what is told to be lost; empty where nothing was asked for.
HINTS = [
    ("responses", {"client_metadata": {"x": "y"}}, "client_metadata"),
    ("responses", {"access_programs": ["a"]}, "access_programs"),
    ("responses", {"reasoning": {"effort": "low", "context": "all"}}, "reasoning.context"),
    ("responses", {"include": ["web_search_call.action.sources"]}, "include"),
    ("responses", {"input": [{**HELLO, "made_up": {"a": 1}}]}, "input.made_up"),
    ("responses", {"unheard_of": None}, ""),
    ("responses", {"unheard_of": {}}, ""),
    ("responses", {"unheard_of": []}, ""),
    ("responses", {"max_tool_calls": 3}, "max_tool_calls"),
    ("responses", {"tools": [FUNCTION["responses"] | {"defer_loading": True}]}, "tools.defer_loading"),
    (
        "responses",
        {"tools": [FUNCTION["responses"], {"type": "web_search", "external_web_access": True}]},
        "tools.type=web_search",
    ),
    ("anthropic", {"messages": [MARKED]}, "messages.content.cache_control.scope"),
    ("anthropic", {"messages": [MARKED]}, "messages.content.cache_control.made_up"),
    ("anthropic", {"tools": [MARKED_TOOL]}, "tools.cache_control.scope"),
    (
        "anthropic",
        {"thinking": {"type": "adaptive", "block_binding": "x"}},
        "thinking.block_binding",
    ),
    ("anthropic", {"fallbacks": []}, ""),
    ("anthropic", {"mcp_servers": []}, ""),
    ("anthropic", {"inference_geo": "global"}, ""),
    ("anthropic", {"tools": [FUNCTION["anthropic"] | {"defer_loading": True}]}, "tools.defer_loading"),
    ("anthropic", {"tools": [FUNCTION["anthropic"] | {"input_examples": [{}]}]}, "tools.input_examples"),
    (
        "anthropic",
        {"tools": [FUNCTION["anthropic"], SEARCH_IN_ANTHROPIC]},
        "tools.type=web_search_20250305",
    ),
    ("gemini", {"safetySettings": []}, ""),
    ("gemini", {"safety_settings": LOOSE_SAFETY}, "safety_settings"),
    ("gemini", {"tools": [FUNCTION["gemini"], {"googleSearch": {}}]}, "tools.googleSearch=googleSearch"),
    *(
        (client, {name: value}, name)
        for client in FORMATS
        for name, value in (("session_id", "s"), ("client_metadata", {"a": {"b": 1}}), ("trace", {"id": "t"}))
    ),
    ("gemini", {"clientMetadata": {"a": 1}}, "clientMetadata"),
    (
        "anthropic",
        {"messages": said_by_model({"type": "fallback", "from": {}, "to": {}})},
        f"{IN_TURN}=fallback",
    ),
    (
        "anthropic",
        {"messages": said_by_model({"type": "mcp_tool_listing", "mcp_server_name": "s", "tools": []})},
        f"{IN_TURN}=mcp_tool_listing",
    ),
    (
        "anthropic",
        {"messages": said_by_model({"type": "compaction", "content": None})},
        f"{IN_TURN}=compaction",
    ),
    (
        "anthropic",
        {
            "messages": [HELLO, {"role": "system", "content": [ADDED]}, HELLO],
            "tools": [FUNCTION["anthropic"]],
        },
        f"{IN_TURN}=tool_addition",
    ),
    ("openai", {"min_p": 0, "repetition_penalty": 1.0, "plugins": [], "transforms": []}, ""),
    ("openai", {"prediction": {"type": "content", "content": "x"}}, "prediction"),
    ("openai", {"store": False}, ""),
    ("openai", {"store": True}, "store"),
    ("openai", {"tools": [FUNCTION["openai"]], "web_search_options": {"a": 1}}, "web_search_options"),
]
TUNING = [
    ("openai", {"min_p": 0.1}, "min_p"),
    ("openai", {"repetition_penalty": 1.1}, "repetition_penalty"),
    (
        "gemini",
        {"generationConfig": {"mediaResolution": "MEDIA_RESOLUTION_LOW"}},
        "generationConfig.mediaResolution",
    ),
    (
        "anthropic",
        {"thinking": {"type": "disabled"}, "output_config": {"effort": "max"}},
        "output_config.effort",
    ),
]
RELIED_ON = [
    ("responses", {"unheard_of": 0}, "unheard_of"),
    ("responses", {"tools": [{"type": "web_search"}]}, "tools[0].type"),
    (
        "responses",
        {"tools": [FUNCTION["responses"], {"type": "web_search"}], "tool_choice": {"type": "web_search"}},
        "tool_choice",
    ),
    (
        "responses",
        {"tools": [FUNCTION["responses"], {"type": "web_search"}], "tool_choice": "required"},
        "tools[1].type",
    ),
    *[
        ("responses", {"tools": [FUNCTION["responses"], {"type": kind}]}, "tools[1].type")
        for kind in ("mcp", "file_search", "computer", "image_generation", "code_interpreter")
    ],
    ("anthropic", {"fallbacks": [{"model": "x"}]}, "fallbacks"),
    (
        "anthropic",
        {"tools": [FUNCTION["anthropic"], {"type": "bash_20250124", "name": "bash"}]},
        "tools[1].type",
    ),
    ("gemini", {"tools": [{"googleSearch": {}}]}, "tools[0].googleSearch"),
    ("gemini", {"tools": [FUNCTION["gemini"], {"codeExecution": {}}]}, "tools[1].codeExecution"),
    ("openai", {"plugins": [{"id": "web"}]}, "plugins"),
    ("openai", {"web_search_options": {"a": 1}}, "web_search_options"),
    ("openai", {"n": 2}, "n"),
]
PROMISES = [
    ("anthropic", {"inference_geo": "us"}, "inference_geo"),
    (
        "anthropic",
        {"output_config": {"task_budget": {"type": "tokens", "total": 9}}},
        "output_config.task_budget",
    ),
    ("gemini", {"safetySettings": STRICT_SAFETY}, "safetySettings"),
    ("openai", {"moderation": {"model": "x"}}, "moderation"),
]


@pytest.mark.parametrize(("client", "fields", "name"), HINTS)
def test_hint_is_left_out_and_told(client, fields, name):
    for own in others(client):
        request = written(client, own, **fields)
        assert (f"{name} -> left out" in request.lost) is bool(name), own
        assert request.worst <= Kind.HINT


@pytest.mark.parametrize(("client", "fields", "name"), TUNING)
def test_tuning_is_left_out_and_told(client, fields, name):
    for own in others(client):
        request = written(client, own, **fields)
        assert f"{name} -> left out" in request.lost, own
        assert request.worst is Kind.TUNING


@pytest.mark.parametrize(("client", "fields", "param"), [*RELIED_ON, *PROMISES])
def test_what_is_relied_on_or_promised_is_refused_by_name(client, fields, param):
    for own in others(client):
        with pytest.raises(CannotTranslate) as refused:
            written(client, own, **fields)
        assert refused.value.param == param, own


@pytest.mark.parametrize(("client", "fields", "name"), [*HINTS, *TUNING, *RELIED_ON, *PROMISES])
def test_provider_of_the_clients_format_is_told_all_of_it(client, fields, name):
    if fields != {"n": 2}:
        assert not written(client, client, **fields).lost


@pytest.mark.parametrize(
    ("client", "fields", "where", "lost"),
    [
        (
            "gemini",
            {"generationConfig": {"topK": 1}},
            ("openai", "responses"),
            "generationConfig.topK -> temperature=0",
        ),
        ("anthropic", {"top_k": 1}, ("openai", "responses"), "top_k -> temperature=0"),
        ("anthropic", {"top_k": 5}, ("openai", "responses"), "top_k -> left out"),
        ("openai", {"seed": 1}, ("anthropic", "responses"), "seed -> left out"),
        ("openai", {"logit_bias": {"1": 1}}, ("anthropic", "responses", "gemini"), "logit_bias -> left out"),
        ("openai", {"presence_penalty": 1}, ("anthropic", "responses"), "presence_penalty -> left out"),
        ("openai", {"temperature": 1.5}, ("anthropic",), "temperature -> temperature=1"),
        ("openai", {"verbosity": "low"}, ("anthropic", "gemini"), "verbosity -> left out"),
        ("openai", {"metadata": {"a": "b"}}, ("anthropic", "gemini"), "metadata -> left out"),
        ("openai", {"user": "u"}, ("gemini",), "user -> left out"),
        (
            "openai",
            {"messages": [{"role": "user", "content": [PICTURE]}]},
            ("anthropic",),
            "messages.content.image_url.detail -> left out",
        ),
        (
            "gemini",
            {"generationConfig": {"topK": 5, "thinkingConfig": {"thinkingLevel": "HIGH"}}},
            ("openai", "responses", "anthropic"),
            "generationConfig.topK -> left out",
        ),
    ],
)
def test_what_all_formats_have_is_moved_or_left_out_where_one_lacks_it(client, fields, where, lost):
    assert {own for own in FORMATS if written(client, own, **fields).lost} == set(where)
    assert all(written(client, own, **fields).lost == (lost,) for own in where)


@pytest.mark.parametrize(
    "said",
    [
        {"enable_thinking": False},
        {"chat_template_kwargs": {"enable_thinking": False}},
        {"reasoning": {"enabled": False}},
        {"thinking": {"type": "disabled"}},
    ],
)
def test_thinking_is_switched_in_the_words_of_the_target(said):
    assert written("openai", "anthropic", **said).body["thinking"] == {"type": "disabled"}
    assert written("openai", "responses", **said).body["reasoning"] == {"effort": "none"}
    assert written("openai", "gemini", **said).body["generationConfig"]["thinkingConfig"] == {
        "thinkingLevel": "MINIMAL"
    }


@pytest.mark.parametrize(
    ("name", "fields", "body", "lost"),
    [
        ("claude-opus-4-7", {"temperature": 0}, {}, ("temperature -> left out",)),
        ("anthropic/claude-4.7-opus", {"temperature": 0}, {}, ("temperature -> left out",)),
        ("claude-sonnet-5", {"top_p": 0.5}, {}, ("top_p -> left out",)),
        ("claude-opus-4-7", {"temperature": 1}, {}, ()),
        (
            "claude-sonnet-4-5-20250929",
            {"temperature": 0, "top_p": 0.5},
            {"temperature": 0},
            ("top_p -> left out",),
        ),
        ("claude-sonnet-4-20250514", {"temperature": 0, "top_p": 0.5}, {"temperature": 0, "top_p": 0.5}, ()),
        ("claude-3-7-sonnet-latest", {"temperature": 0}, {"temperature": 0}, ()),
    ],
)
@pytest.mark.parametrize("own", ["anthropic", "openai"])
def test_sampling_that_a_model_is_known_to_refuse_is_left_out(own, name, fields, body, lost):
    for client in ("anthropic", "openai"):
        request = written(client, own, replace(UPSTREAM, name=name), **fields)
        drawn = {
            member: request.body[member] for member in ("temperature", "top_p") if member in request.body
        }
        assert (drawn, request.lost) == (body, lost)


def test_sampling_that_an_offering_does_not_declare_is_left_out():
    declared = replace(UPSTREAM, params=frozenset({"top_p", "reasoning_effort"}))
    for own in FORMATS:
        request = written("openai", own, declared, temperature=0, top_p=0.5)
        assert request.lost == ("temperature -> left out",)
        assert "temperature" not in str(request.body)


@pytest.mark.parametrize(
    ("name", "effort", "is_taken"),
    [
        ("gpt-5.1", "low", False),
        ("openai/gpt-6.2-sol", "high", False),
        ("gpt-5.1", "none", True),
        ("gpt-5.4-mini", None, True),
        ("llama", "high", True),
    ],
)
@pytest.mark.parametrize("own", ["openai", "responses"])
@pytest.mark.parametrize("client", ["openai", "responses"])
def test_sampling_that_a_model_refuses_while_it_reasons_is_left_out_then(client, own, name, effort, is_taken):
    said = {"reasoning_effort": effort} if client == "openai" else {"reasoning": {"effort": effort}}
    request = written(client, own, replace(UPSTREAM, name=name), temperature=0.2, **said)
    assert ("temperature" in request.body) is is_taken
    assert request.lost == (() if is_taken else ("temperature -> left out",))


@pytest.mark.parametrize(
    ("own", "name", "effort", "thinking"),
    [
        ("anthropic", "claude-sonnet-4-5", "high", {"type": "enabled", "budget_tokens": 3999}),
        ("anthropic", "claude-3-7-sonnet-latest", "low", {"type": "enabled", "budget_tokens": 1024}),
        ("anthropic", "claude-sonnet-4-6", "low", {"type": "adaptive", "display": "summarized"}),
        ("anthropic", "claude-opus-4-8", "low", {"type": "adaptive", "display": "summarized"}),
        ("gemini", "gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini", "gemini-2.5-pro", "medium", {"thinkingBudget": 2048}),
        ("gemini", "gemini-2.5-pro", "none", {"thinkingBudget": 128}),
        ("gemini", "gemini-3-pro-preview", "low", {"thinkingLevel": "LOW"}),
    ],
)
def test_a_model_is_told_how_much_to_think_as_it_is_known_to_take_it(own, name, effort, thinking):
    request = written("openai", own, replace(UPSTREAM, name=name), reasoning_effort=effort)
    config = request.body.get("thinking") or request.body["generationConfig"]["thinkingConfig"]
    assert config == thinking
    is_moved = (name, effort) == ("gemini-2.5-pro", "none")
    words = "reasoning_effort -> generationConfig.thinkingConfig.thinkingBudget=128"
    assert request.lost == ((words,) if is_moved else ())


@pytest.mark.parametrize(
    ("name", "effort"),
    [("claude-opus-4-5", "high"), ("claude-opus-4-6", "max"), ("claude-opus-4-8", "max"), ("unknown", "max")],
)
def test_effort_beyond_what_a_model_has_becomes_its_most(name, effort):
    request = written("anthropic", "anthropic", replace(UPSTREAM, name=name), output_config={"effort": "max"})
    assert request.body["output_config"] == {"effort": effort}
    assert request.lost == (() if effort == "max" else (f"output_config.effort -> {effort}",))


@pytest.mark.parametrize(
    ("name", "said"), [("llama", "high"), ("openai/gpt-5.2", "max"), ("gpt-6.2-sol", "max")]
)
def test_effort_beyond_the_usual_goes_to_models_that_are_known_to_have_it(name, said):
    upstream = replace(UPSTREAM, name=name)
    fields = {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}
    assert written("anthropic", "openai", upstream, **fields).body["reasoning_effort"] == said
    assert written("anthropic", "responses", upstream, **fields).body["reasoning"]["effort"] == said


CUSTOM = {"type": "custom", "name": "apply_patch", "description": "Edits."}
SPACE = {
    "type": "namespace",
    "name": "mcp__gh",
    "description": "d",
    "tools": [FUNCTION["responses"] | {"name": "find"}],
}
FINDER = {"type": "tool_search", "execution": "client", "description": "d", "parameters": {"type": "object"}}
LATE = {"type": "additional_tools", "role": "developer", "tools": [FUNCTION["responses"] | {"name": "late"}]}
LOOP = [
    HELLO,
    LATE,
    {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": "*** x"},
    {"type": "custom_tool_call_output", "call_id": "c1", "output": "Done."},
    {"type": "function_call", "call_id": "c2", "namespace": "mcp__gh", "name": "find", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c2", "output": "Found."},
]


def test_tools_of_responses_are_functions_elsewhere_in_history_too():
    request = written("responses", "openai", tools=[CUSTOM, SPACE, FINDER], input=LOOP)
    names = [tool["function"]["name"] for tool in request.body["tools"]]
    assert sorted(names) == ["apply_patch", "late", "mcp__gh__find", "tool_search"]
    calls = [call["function"] for each in request.body["messages"] for call in each.get("tool_calls", ())]
    assert calls == [
        {"name": "apply_patch", "arguments": '{"input":"*** x"}'},
        {"name": "mcp__gh__find", "arguments": "{}"},
    ]
    assert request.lost == ()


@pytest.mark.parametrize("own", [name for name in FORMATS if name != "responses"])
def test_every_other_format_can_be_told_a_loop_of_responses(own):
    assert written("responses", own, tools=[CUSTOM, SPACE, FINDER], input=LOOP).worst is Kind.NOTHING


CALLED = [
    (
        "apply_patch",
        '{"input":"*** x"}',
        {"type": "custom_tool_call", "name": "apply_patch", "input": "*** x"},
    ),
    ("apply_patch", "*** x", {"type": "custom_tool_call", "name": "apply_patch", "input": "*** x"}),
    (
        "apply_patch",
        '{"patch":"*** x"}',
        {"type": "custom_tool_call", "name": "apply_patch", "input": "*** x"},
    ),
    (
        "mcp__gh__find",
        "{}",
        {"type": "function_call", "name": "find", "namespace": "mcp__gh", "arguments": "{}"},
    ),
    ("tool_search", '{"q":1}', {"type": "tool_search_call", "execution": "client", "arguments": {"q": 1}}),
    ("late", "{}", {"type": "function_call", "name": "late", "arguments": "{}"}),
]


@pytest.mark.parametrize(("name", "arguments", "item"), CALLED)
@pytest.mark.parametrize("is_streamed", [False, True])
def test_answer_calls_a_tool_as_its_client_lists_it(is_streamed, name, arguments, item):
    facts = AnswerFacts("1", 1, "m", request={"tools": [CUSTOM, SPACE, FINDER], "input": LOOP})
    events = [
        Started(),
        ToolCallStarted(0, "c9", name),
        ToolArguments(0, arguments),
        Finished(FinishReason.TOOL_CALLS),
    ]
    own = FORMATS["responses"]
    if is_streamed:
        writer = own.writer(facts)
        stream = writer.write(events) + writer.finish()
        assert b"response.output_item.done" in stream
        value = _last_response(stream)
    else:
        value = own.write_answer(events, facts)
    (called,) = value["output"]
    assert {member: called[member] for member in item} == item
    assert called["call_id"] == "c9"


def _last_response(stream):
    return orjson.loads(stream.rstrip().rpartition(b"data: ")[2])["response"]


HISTORIES = [
    (
        "anthropic",
        {
            "messages": [
                HELLO,
                {
                    "role": "assistant",
                    "content": [
                        {
                            "type": "server_tool_use",
                            "id": "s1",
                            "name": "web_search",
                            "input": {"query": "rain"},
                        },
                        {
                            "type": "web_search_tool_result",
                            "tool_use_id": "s1",
                            "content": [
                                {"type": "web_search_result", "title": "Wet", "encrypted_content": "x"}
                            ],
                        },
                    ],
                },
                HELLO,
            ]
        },
        ("rain", "Wet", "web_search"),
    ),
    (
        "gemini",
        {
            "contents": [
                *BODIES["gemini"]["contents"],
                {"role": "model", "parts": [{"executableCode": {"language": "PYTHON", "code": "print(7)"}}]},
                *BODIES["gemini"]["contents"],
            ]
        },
        ("executableCode", "print(7)"),
    ),
    (
        "responses",
        {"input": [HELLO, {"type": "web_search_call", "id": "w", "action": {"query": "rain"}}]},
        ("web_search_call", "rain"),
    ),
]


@pytest.mark.parametrize(("client", "fields", "words"), HISTORIES)
def test_what_a_providers_own_tools_did_is_told_as_text(client, fields, words):
    for own in others(client):
        request = written(client, own, **fields)
        assert all(word in str(request.body) for word in words)
        assert "encrypted_content" not in str(request.body)
        assert any(line.endswith("-> text") for line in request.translated)


def test_reference_to_a_tool_is_resolved():
    calls = {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "find", "input": {}}]}
    found = {
        "type": "tool_result",
        "tool_use_id": "c",
        "content": [{"type": "tool_reference", "tool_name": "f"}],
    }
    fields = {
        "messages": [HELLO, calls, {"role": "user", "content": [found]}],
        "tools": [FUNCTION["anthropic"]],
    }
    for own in others("anthropic"):
        assert "The tool 'f' can be called." in str(written("anthropic", own, **fields).body)


def test_document_says_what_the_table_says():
    assert in_document() == section(), f"python -m tests.providers.formats.losses_section writes {DOCUMENT}"


def test_every_field_has_a_source():
    tables = (COMMON, *FIELDS.values())
    assert all(loss.source for table in tables for loss in table.values())


def test_answer_that_is_not_to_be_stored_is_stored_nowhere():
    assert written("openai", "gemini", store=False).body["store"] is False
    assert written("openai", "responses", store=False).body["store"] is False
    assert "store" not in written("openai", "anthropic", store=False).body
    # The gateway itself keeps what it may.
    assert written("responses", "gemini", store=False).body["store"] is False
    assert "store" not in written("responses", "gemini", store=True).body
    assert "store" not in written("responses", "openai", store=False).body
