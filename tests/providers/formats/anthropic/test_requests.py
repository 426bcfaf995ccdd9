"""Requests in Anthropic's form: what is refused, by which name, and what is said in other words."""

import pytest

from providers.formats.anthropic.format import AnthropicFormat
from providers.formats.base import BadRequest, CannotTranslate, Upstream
from providers.formats.losses import Kind
from providers.wire.conversation import (
    Audio,
    CacheMark,
    ChoiceMode,
    Conversation,
    File,
    Image,
    Message,
    OutputFormat,
    OutputKind,
    Reasoning,
    ReasoningConfig,
    Refusal,
    Role,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
)

ANTHROPIC = AnthropicFormat()
HELLO = {"role": "user", "content": "Hello"}
BODY = {"model": "m", "max_tokens": 2000, "messages": [HELLO]}
USER = Message(Role.USER, (Text("Hello"),))
SCHEMA = {"type": "object", "properties": {"city": {"type": "string", "minLength": 2}}}


def written(*quirks, messages=(USER,), source="openai", limit=2000, params=(), **fields):
    conversation = Conversation(tuple(messages), source, **fields)
    upstream = Upstream(
        "m",
        is_streamed=False,
        max_output_tokens=limit,
        params=frozenset(params),
        quirks=frozenset(quirks),
    )
    return ANTHROPIC.write_request(conversation, upstream)


def said(*parts, role=Role.USER):
    return written(messages=[USER, Message(role, parts)]).body["messages"][-1]["content"]


def read_parts(*blocks, role="user"):
    return ANTHROPIC.read_request(BODY | {"messages": [{"role": role, "content": list(blocks)}]})


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": "9"}, "max_tokens"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": [{}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"stop_sequences": [1]}, "stop_sequences[0]"),
        ({"tool_choice": {"type": "some"}}, "tool_choice.type"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "deep"}}, "thinking.type"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
        ({"service_tier": "flex"}, "service_tier"),
    ],
)
def test_wrong_field_is_refused_by_its_name(fields, param):
    with pytest.raises(BadRequest) as refused:
        ANTHROPIC.read_request(BODY | fields)
    assert refused.value.param == param


def test_result_of_an_unknown_call_is_refused_with_its_id():
    with pytest.raises(BadRequest, match="toolu_9"):
        read_parts({"type": "tool_result", "tool_use_id": "toolu_9", "content": "x"})


def test_five_cache_marks_are_refused():
    mark = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
    with pytest.raises(BadRequest):
        read_parts(*[mark] * 5)
    with pytest.raises(CannotTranslate):
        said(*[Text("x", CacheMark())] * 5)


def test_explicit_nulls_are_absent():
    nulls = dict.fromkeys(("system", "tools", "tool_choice", "thinking", "metadata", "temperature", "x"))
    assert ANTHROPIC.read_request(BODY | nulls) == ANTHROPIC.read_request(BODY)


def test_own_fields_go_to_the_same_format_only():
    conversation = ANTHROPIC.read_request(BODY | {"container": "c_1", "context_management": {"edits": []}})
    body = ANTHROPIC.write_request(conversation, Upstream("m", is_streamed=False)).body
    assert (body["container"], body["context_management"]) == ("c_1", {"edits": []})


def test_foreign_field_is_refused_by_its_name_unless_it_changes_nothing():
    assert "store" not in written(extra={"store": True, "n": 1}).body
    with pytest.raises(CannotTranslate) as refused:
        written(extra={"n": 2})
    assert refused.value.param == "n"


def test_newer_version_is_not_told_what_it_has_taken_away():
    assert written("version_2026_10_21").headers == {"anthropic-version": "2026-10-21"}
    for field, value in (("temperature", 0), ("top_p", 0.5), ("top_k", 1)):
        request = written("version_2026_10_21", sampling=Sampling(**{field: value}))
        assert field not in request.body
        assert request.lost == (f"{field} -> left out",)


@pytest.mark.parametrize(
    ("sampling", "lost"),
    [
        (Sampling(temperature=1.5), "temperature -> temperature=1"),
        (Sampling(frequency_penalty=1), "frequency_penalty -> left out"),
        (Sampling(presence_penalty=1), "presence_penalty -> left out"),
        (Sampling(seed=0), "seed -> left out"),
        (Sampling(logit_bias={"1": 1}), "logit_bias -> left out"),
    ],
)
def test_tuning_that_anthropic_lacks_is_moved_or_left_out(sampling, lost):
    request = written(sampling=sampling)
    assert request.lost == (lost,)
    assert request.body.get("temperature") in {None, 1}
    assert request.body.keys().isdisjoint({"frequency_penalty", "presence_penalty", "seed", "logit_bias"})


@pytest.mark.parametrize(
    ("sampling", "param"),
    [(Sampling(logprobs=True), "logprobs"), (Sampling(stop=("\n",)), "stop")],
)
def test_sampling_that_is_relied_on_and_anthropic_lacks_is_refused(sampling, param):
    with pytest.raises(CannotTranslate) as refused:
        written(sampling=sampling)
    assert refused.value.param == param


def test_sampling_that_asks_for_nothing_is_left_out():
    nothing = Sampling(frequency_penalty=0, presence_penalty=0, logprobs=False, logit_bias={})
    assert written(sampling=nothing).body == written().body


def test_limit_comes_from_the_request_else_from_the_catalogue_and_is_told_where_it_comes_from_neither():
    assert written(max_output_tokens=5).body["max_tokens"] == 5
    assert written().body["max_tokens"] == 2000
    request = written(limit=None)
    assert request.body["max_tokens"] == 8192
    assert request.lost == ("max_completion_tokens -> 8192",)
    assert request.worst is Kind.TUNING


def test_effort_becomes_adaptive_thinking_whose_thoughts_are_shown():
    request = written(reasoning=ReasoningConfig(effort="minimal"))
    assert request.body["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert request.body["output_config"] == {"effort": "low"}
    assert request.translated == ("reasoning_effort -> output_config.effort=low",)


def test_effort_becomes_a_budget_for_older_models():
    request = written("thinking_budget", reasoning=ReasoningConfig(effort="high"), limit=3000)
    assert request.body["thinking"] == {"type": "enabled", "budget_tokens": 2999}
    assert request.translated == ("reasoning_effort -> thinking.budget_tokens=2999",)
    short = written("thinking_budget", reasoning=ReasoningConfig(effort="low"), limit=1024)
    assert ("thinking" in short.body, short.lost) == (False, ("reasoning_effort -> left out",))


def test_an_offering_says_itself_that_it_takes_budgets():
    request = written(reasoning=ReasoningConfig(effort="high"), params=["max_tokens", "thinking_budget"])
    assert request.body["thinking"] == {"type": "enabled", "budget_tokens": 1999}


def test_no_effort_turns_thinking_off():
    assert written(reasoning=ReasoningConfig(effort="none")).body["thinking"] == {"type": "disabled"}


def test_budget_of_another_format_becomes_an_effort():
    request = written(source="gemini", reasoning=ReasoningConfig(budget_tokens=3000, is_included=False))
    assert request.body["thinking"] == {"type": "adaptive", "display": "omitted"}
    assert request.body["output_config"] == {"effort": "high"}


def test_thinking_leaves_no_room_for_sampling():
    sampling = Sampling(temperature=0.5, top_k=3, top_p=0.5)
    request = written(reasoning=ReasoningConfig(effort="low"), sampling=sampling)
    assert request.lost == ("temperature -> left out", "top_k -> left out", "top_p -> top_p=0.95")
    assert request.body["top_p"] == 0.95


@pytest.mark.parametrize("quirk", ["thinking_budget", "none"])
def test_thinking_yields_to_a_forced_call(quirk):
    choice = ToolChoice(ChoiceMode.REQUIRED)
    request = written(quirk, reasoning=ReasoningConfig(effort="low"), tools=(Tool("t"),), tool_choice=choice)
    assert "thinking" not in request.body
    assert request.body["tool_choice"] == {"type": "any"}
    assert request.lost == ("reasoning_effort -> left out",)


@pytest.mark.parametrize("kind", [{"type": "disabled"}, {"type": "adaptive"}, {"type": "between_tools"}])
def test_thinking_of_a_client_comes_out_as_it_went_in(kind):
    said_so = {"thinking": kind, "output_config": {"effort": "max"}}
    conversation = ANTHROPIC.read_request(BODY | said_so)
    assert (
        ANTHROPIC.write_request(conversation, Upstream("m", is_streamed=False)).body.items()
        >= said_so.items()
    )


def test_schema_loses_what_anthropic_refuses_and_tells_so():
    request = written(output=OutputFormat(OutputKind.SCHEMA, "place", SCHEMA))
    assert request.body["output_config"]["format"] == {
        "type": "json_schema",
        "schema": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "(minLength: 2)"}},
            "additionalProperties": False,
        },
    }
    assert request.translated == (
        "response_format -> output_config.format without minLength, additionalProperties",
    )


def test_schema_with_members_of_any_name_is_refused_at_its_place():
    tags = {"type": "object", "additionalProperties": {"type": "string"}}
    with pytest.raises(CannotTranslate, match=r"properties\.tags"):
        written(
            output=OutputFormat(OutputKind.SCHEMA, schema={"type": "object", "properties": {"tags": tags}})
        )


def test_schema_by_tool_is_forced_and_moved_back_into_text():
    request = written("schema_by_tool", output=OutputFormat(OutputKind.SCHEMA, schema=SCHEMA))
    name = request.body["tools"][0]["name"]
    assert request.body["tool_choice"]["name"] == name
    assert request.translated == ("response_format -> tool_choice",)
    block = {"type": "tool_use", "id": "t", "name": name, "input": {"city": "Oslo"}}
    answer = {"id": "a", "content": [block], "stop_reason": "tool_use"}
    _, text, finished = ANTHROPIC.read_answer(answer)
    assert (text.text, finished.reason) == ('{"city":"Oslo"}', "stop")


def test_json_without_a_schema_needs_a_tool():
    with pytest.raises(CannotTranslate) as refused:
        written(output=OutputFormat(OutputKind.JSON))
    assert refused.value.param == "response_format"
    assert written("schema_by_tool", output=OutputFormat(OutputKind.JSON)).body["tools"]


def test_choice_among_some_tools_leaves_out_the_others():
    request = written(tools=(Tool("a"), Tool("b"), Tool("c")), tool_choice=ToolChoice(names=("a", "b")))
    assert [tool["name"] for tool in request.body["tools"]] == ["a", "b"]
    assert request.body["tool_choice"] == {"type": "auto"}
    with pytest.raises(CannotTranslate):
        written(tools=(Tool("a"),), tool_choice=ToolChoice(ChoiceMode.REQUIRED, ("z",)))


def test_single_calls_are_asked_for_by_a_choice():
    request = written(tools=(Tool("a"),), parallel_tool_calls=False)
    assert request.body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


def test_system_messages_that_lead_are_the_system_prompt():
    system = Message(Role.SYSTEM, (Text("Be kind."),))
    body = written(messages=[system, USER]).body
    assert body["system"] == [{"type": "text", "text": "Be kind."}]
    assert [message["role"] for message in body["messages"]] == ["user"]
    with pytest.raises(CannotTranslate):
        written(messages=[system])


def test_only_anthropics_own_signed_thoughts_go_back_to_it():
    thoughts = [Reasoning("a", "s", origin="anthropic"), Reasoning("b", "s", origin="gemini"), Reasoning("c")]
    request = written(messages=[USER, Message(Role.ASSISTANT, (*thoughts, Refusal("No.")))])
    assert request.body["messages"][-1]["content"] == [
        {"type": "thinking", "thinking": "a", "signature": "s"},
        {"type": "text", "text": "No."},
    ]
    assert request.lost == ("messages.reasoning_content -> left out",)


@pytest.mark.parametrize(
    ("part", "param"),
    [
        (Audio("UklGRg==", "wav"), "messages.content.input_audio"),
        (Image(data="x", media_type="image/tiff"), "messages"),
        (File(file_id="f", origin="openai"), "messages.content.file"),
        (File(data="x", media_type="application/zip"), "messages.content.file"),
        (File(data="/w==", media_type="text/plain"), "messages.content.file"),
        (ToolCall("c", "t", "[1]"), "messages.tool_calls.function.arguments"),
    ],
)
def test_part_that_anthropic_lacks_is_refused(part, param):
    with pytest.raises(CannotTranslate) as refused:
        said(part)
    assert refused.value.param == param


def test_plain_text_in_base64_becomes_a_text_document():
    block = said(File(data="SGk=", media_type="text/plain", name="a.txt"))[-1]
    source = {"type": "text", "media_type": "text/plain", "data": "Hi"}
    assert block == {"type": "document", "source": source, "title": "a.txt"}


def test_empty_texts_and_turns_are_left_out():
    messages = [USER, Message(Role.ASSISTANT, (Text(""),)), USER]
    assert len(written(messages=messages).body["messages"]) == 1
    said = ANTHROPIC.read_request(BODY | {"messages": [HELLO, {"role": "user", "content": ""}]})
    assert ANTHROPIC.write_request(said, Upstream("m", is_streamed=False)).body["messages"] == [HELLO]


@pytest.mark.parametrize(
    ("tier", "member"),
    [
        ("auto", ("service_tier", "auto")),
        ("default", ("service_tier", "standard_only")),
        ("fast", ("speed", "fast")),
    ],
)
def test_service_tiers_are_said_in_anthropics_words(tier, member):
    assert member in written(service_tier=tier).body.items()


def test_wish_for_few_words_and_for_a_hasty_look_is_left_out():
    image = Message(Role.USER, (Image(url="https://example.com/a.png", detail="low"),))
    request = written(verbosity="low", messages=[image])
    assert set(request.lost) == {"verbosity -> left out", "messages.content.image_url.detail -> left out"}


def test_unknown_tier_and_name_are_refused():
    with pytest.raises(CannotTranslate):
        written(service_tier="flex")
    with pytest.raises(CannotTranslate):
        written(messages=[Message(Role.USER, (Text("x"),), name="Ann")])


def test_count_of_tokens_grows_with_the_request():
    less = ANTHROPIC.count_tokens({"model": "m", "messages": [HELLO]})["input_tokens"]
    image = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    blocks = [{"type": "text", "text": "你好" * 100}, image]
    tools = [{"name": "t", "input_schema": SCHEMA}]
    more = {"model": "m", "messages": [{"role": "user", "content": blocks}], "tools": tools}
    assert 0 < less < 20
    assert 1150 < ANTHROPIC.count_tokens(more)["input_tokens"] < 1250
