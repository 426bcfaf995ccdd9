"""Names, ids and schemas of tools reach every provider within its limits, and come back as the client gave them."""

import re
from dataclasses import replace
from itertools import product
from typing import Any

import orjson
import pytest

from providers.formats.base import AnswerFacts, SaidTools
from providers.formats.limits import LIMITS, shortened
from providers.formats.losses import Kind
from providers.formats.notes import Notes
from providers.formats.registry import FORMATS
from providers.formats.said_tools import MEMBER, RestoredCalls, fit_tools, unwrap, wrap_schema
from providers.formats.translation import write_for
from providers.operations.generate import adapter_between
from providers.wire.call import Call
from providers.wire.conversation import (
    ChoiceMode,
    Conversation,
    Message,
    Native,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from providers.wire.events import (
    Finished,
    FinishReason,
    Started,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
)
from providers.wire.upstream import Upstream
from tests.gateway.proxy.values import a_provider
from tests.work import assert_linear

LONG = "mcp__" + "a_server_with_a_name" * 3 + "__find"
NAMES = (
    "get_weather", "files.read", "files_read", "ns:tool/é", "1st", "北京", "_json_answer", "a b", LONG, LONG + "2",
    "x" * 64, "x" * 65, shortened("files.read", "files.read", 64),
)  # fmt: skip
IDS = ("call_0", "a.b", "a_2eb", "functions.get:0", "call_" + "i" * 40, "call_" + "i" * 59, "ü", "x" * 200)
PAIRS = [pair for pair in product(FORMATS, FORMATS) if pair[0] != pair[1]]
pairs = pytest.mark.parametrize(("client", "own"), PAIRS)
ITEM = {"type": "object", "properties": {"city": {"type": "string"}}}
ROOTS: dict[str, dict[str, Any]] = {
    "union": {
        "type": "object",
        "properties": {"a": {}, "b": {}},
        "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
    },
    "one of": {"oneOf": [ITEM, {"type": "object"}]},
    "reference": {"$ref": "#/$defs/Item", "$defs": {"Item": ITEM}},
    "list": {"type": "array", "items": ITEM},
    "nullable": {"type": ["object", "null"]},
    "member": {"type": "object", "properties": {"$filter": {"type": "string"}, "filter[id]": {}}},
    "long member": {"type": "object", "properties": {"m" * 65: {}}},
}


def upstream(**more: Any) -> Upstream:
    return Upstream("m", is_streamed=False, max_output_tokens=99, **more)


def conversation(*calls: ToolCall, names=NAMES, **more: Any) -> Conversation:
    """A turn for each call, and its result."""
    turns = [
        turn
        for number, call in enumerate(calls)
        for turn in (
            Message(Role.ASSISTANT, (call,)),
            Message(Role.USER, (ToolResult(call.id, (Text(f"result {number}"),)),)),
        )
    ]
    tools = tuple(Tool(name, parameters=ITEM) for name in names)
    said = (Message(Role.USER, (Text("hi"),)), *turns)
    return Conversation(said, source="", tools=tools, **more)


def body_of(client: str, asked: Conversation) -> dict[str, Any]:
    """As a client of that format says it, whose writer it is."""
    written = FORMATS[client].write_request(replace(asked, source=client), upstream()).body
    body: dict[str, Any] = orjson.loads(orjson.dumps(written))
    return body


def translate(client: str, own: str, body: dict[str, Any]):
    return write_for(FORMATS[own], FORMATS[client], FORMATS[client].read_request(body), upstream())


def calls_in(asked: Conversation) -> list[ToolCall]:
    return [part for message in asked.messages for part in message.parts if isinstance(part, ToolCall)]


def results_in(asked: Conversation) -> list[ToolResult]:
    return [part for message in asked.messages for part in message.parts if isinstance(part, ToolResult)]


@pairs
def test_names_are_within_the_providers_limits_and_come_back(client: str, own: str) -> None:
    choice = ToolChoice(ChoiceMode.REQUIRED, ("files.read",))
    body = body_of(
        client,
        conversation(*(ToolCall(f"c{n}", name, "{}") for n, name in enumerate(NAMES)), tool_choice=choice),
    )
    written = translate(client, own, body)
    again = FORMATS[own].read_request(written.body)
    told = [tool.name for tool in again.functions]
    assert len(set(told)) == len(NAMES)
    assert all(map(LIMITS[own].take_name, told))
    assert [call.name for call in calls_in(again)] == told
    assert again.tool_choice.names == (told[1],)
    assert [written.tools.names.get(name, name) for name in told] == list(NAMES)
    assert told[0] == "get_weather"
    changed = [(name, word) for name, word in zip(NAMES, told, strict=True) if name != word]
    assert {line.rpartition(" -> ")[2] for line in written.translated} >= {word for _, word in changed}


@pairs
def test_a_history_that_is_written_is_read_as_it_was(client: str, own: str) -> None:
    calls = [
        ToolCall(call_id, name, orjson.dumps({"city": call_id}).decode())
        for call_id, name in zip(IDS * 2, NAMES, strict=False)
    ]
    body = body_of(client, conversation(*calls))
    before = FORMATS[client].read_request(body)
    written = translate(client, own, body)
    again = FORMATS[own].read_request(written.body)
    ids = [call.id for call in calls_in(again)]
    assert len(set(ids)) == len(calls)
    assert all(map(LIMITS[own].take_id, ids))
    assert [result.call_id for result in results_in(again)] == ids
    told = [(written.tools.names.get(call.name, call.name), call.arguments) for call in calls_in(again)]
    assert told == [(call.name, call.arguments) for call in calls_in(before)]
    assert [result.parts for result in results_in(again)] == [result.parts for result in results_in(before)]


def answered(client: str, own: str, body: dict[str, Any], calls: list[ToolCall], *, is_streamed: bool):
    """The calls that the client is told of, where the provider makes these."""
    adapter = adapter_between(client, own)
    call = Call("x", body, format=client, id="ab12", created=1, is_streamed=is_streamed, wants_usage=True)
    tools = adapter.request(call, a_provider(wire_format=own), upstream()).tools
    events: list[Any] = [Started("s")]
    for index, each in enumerate(calls):
        half = len(each.arguments) // 2
        events += [
            ToolCallStarted(index, each.id, each.name),
            ToolArguments(index, each.arguments[:half]),
            ToolArguments(index, each.arguments[half:]),
        ]
    events.append(Finished(FinishReason.TOOL_CALLS, ""))
    facts = AnswerFacts("a", 1, "m")
    if is_streamed:
        writer = FORMATS[own].writer(facts)
        data = b"".join([writer.write([event]) for event in events]) + writer.finish()
        reader = adapter.stream(call, "m", tools=tools)
        told = b"".join([reader.feed(data[i : i + 99]) for i in range(0, len(data), 99)])
        told += reader.finish() + reader.terminator()
        again = FORMATS[client].reader()
        read = [*again.feed(told), *again.finish()]
    else:
        data = orjson.dumps(FORMATS[own].write_answer(events, facts))
        read = FORMATS[client].read_answer(
            orjson.loads(adapter.answer(call, "m", 200, data, tools=tools).body)
        )
    started = [event for event in read if isinstance(event, ToolCallStarted)]
    texts = {event.index: "" for event in started}
    for event in read:
        if isinstance(event, ToolArguments):
            texts[event.index] += event.text
    return [(event.id, event.name, orjson.loads(texts[event.index])) for event in started]


@pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
@pairs
def test_an_answer_calls_what_the_client_named(client: str, own: str, is_streamed: bool) -> None:
    # By this name our own reader of Anthropic's answers knows one that was asked for by a tool.
    names = [name for name in NAMES if (client, name) != ("anthropic", "_json_answer")]
    calls = [ToolCall("call_0", "files.read", "{}"), ToolCall("call_1", "1st", "{}")]
    body = body_of(client, conversation(*calls, names=names))
    said = [tool.name for tool in FORMATS[own].read_request(translate(client, own, body).body).functions]
    calls = [ToolCall(f"call_{number}", name, '{"city":"Oslo"}') for number, name in enumerate(said)]
    told = answered(
        client, own, body, [*calls, ToolCall("call_2", "unheard_of", "{}")], is_streamed=is_streamed
    )
    assert [name for _, name, _ in told] == [*names, "unheard_of"]
    assert [arguments for *_, arguments in told[:-1]] == [{"city": "Oslo"}] * len(names)
    ids = [call_id for call_id, *_ in told]
    # Those of the history are taken, and so is what came before in the same answer.
    assert len({*ids, "call_0", "call_1"}) == len(told) + 2
    assert ids[2] == "call_2" != ids[-1]


@pytest.mark.parametrize("own", ["anthropic", "responses"])
def test_clients_of_the_providers_own_format_have_their_ids_fitted(own: str) -> None:
    calls = (ToolCall("call_0", "f", "{}"), ToolCall("x" * 70, "f", "{}"), ToolCall("call_0", "f", "{}"))
    body = body_of(own, conversation(*calls, names=("f",)))
    again = FORMATS[own].read_request(translate(own, own, body).body)
    ids = [call.id for call in calls_in(again)]
    assert ids[0] == "call_0"
    assert len(set(ids)) == 3
    assert all(map(LIMITS[own].take_id, ids))
    assert [result.call_id for result in results_in(again)] == ids


def test_tools_that_only_the_client_has_stay_as_they_are() -> None:
    search = Native("openai", {"type": "web_search", "name": "a.b"}, "tools[0].type")
    asked = Conversation((), source="openai", tools=(search, Tool("a.b")))
    fitted, said = fit_tools(asked, LIMITS["anthropic"], Notes("openai"))
    assert fitted.tools[0] is search
    assert said.names == {fitted.tools[1].name: "a.b"}


def test_fitting_costs_what_there_is() -> None:
    def make(size: int):
        calls = [ToolCall("call_0", f"f.{number}", "{}") for number in range(size)]
        asked = replace(conversation(*calls, names=[call.name for call in calls]), source="openai")
        return lambda: fit_tools(asked, LIMITS["anthropic"], Notes("openai"))

    assert_linear(make, 100)


@pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("client", ["openai", "responses"])
def test_anthropic_gets_an_object_for_any_schema(client: str, root: str, is_streamed: bool) -> None:
    arguments = '[{"city":"Köln"}]' if root == "list" else '{"$filter":"a","b":1.50}'
    asked = conversation(ToolCall("c", "f.x", arguments), names=())
    body = body_of(
        client, replace(asked, tools=(Tool("f.x", parameters=ROOTS[root]), Tool("g", parameters=ITEM)))
    )
    written = translate(client, "anthropic", body)
    tool, plain = written.body["tools"]
    assert LIMITS["anthropic"].take_root(tool["input_schema"])
    assert (tool["input_schema"]["type"], plain["input_schema"]) == ("object", ITEM)
    inner = {name: value for name, value in ROOTS[root].items() if name != "$defs"}
    assert tool["input_schema"]["properties"] == {MEMBER: inner}
    assert any(line.endswith("=f.x -> its arguments in one member") for line in written.told)
    assert (written.lost, written.worst) == ((), Kind.NOTHING)
    called = next(
        block for turn in written.body["messages"] for block in turn["content"] if block["type"] == "tool_use"
    )
    assert called["input"] == {MEMBER: orjson.loads(arguments)}
    said = ToolCall("d", tool["name"], orjson.dumps(called["input"]).decode())
    told = answered(
        client, "anthropic", body, [said, ToolCall("e", "g", '{"city":"x"}')], is_streamed=is_streamed
    )
    assert [(name, value) for _, name, value in told] == [
        ("f.x", orjson.loads(arguments)),
        ("g", {"city": "x"}),
    ]


@pytest.mark.parametrize(
    ("own", "wrapped"),
    [
        ("openai", {"union", "one of", "reference", "list", "nullable"}),
        ("gemini", {"reference", "list", "nullable"}),
    ],
)
def test_other_providers_get_one_where_they_need_it(own: str, wrapped: set[str]) -> None:
    assert {name for name, root in ROOTS.items() if not LIMITS[own].take_root(root)} == wrapped
    for plain in (None, {}, ITEM, {"properties": {}}):
        assert LIMITS[own].take_root(plain)


def test_what_a_schema_refers_to_is_found_in_its_new_place() -> None:
    schema = {
        "$schema": "x",
        "$defs": {"A": {"$ref": "#/properties/a"}},
        "anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#"}, {"const": {"$ref": 1}}],
    }
    assert wrap_schema(schema) == {
        "type": "object",
        "properties": {
            MEMBER: {
                "anyOf": [{"$ref": "#/$defs/A"}, {"$ref": f"#/properties/{MEMBER}"}, {"const": {"$ref": 1}}]
            }
        },
        "required": [MEMBER],
        "additionalProperties": False,
        "$defs": {"A": {"$ref": f"#/properties/{MEMBER}/properties/a"}},
    }


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ('{"arguments":{"a":1.50}}', '{"a":1.50}'),
        (' { "arguments" : [1] } ', "[1]"),
        ('{"arguments":{"a":1},"b":2}', '{"arguments":{"a":1},"b":2}'),
        ('{"a":1}', '{"a":1}'),
        ('{"arguments":', '{"arguments":'),
        ("", ""),
    ],
)
def test_arguments_of_a_model_that_did_otherwise_stay(said: str, read: str) -> None:
    assert unwrap(said) == read


def test_held_arguments_are_told_before_whatever_comes_next() -> None:
    restored = RestoredCalls(SaidTools({"f_1": "f.x"}, frozenset({"f_1"})), LIMITS["openai"], "s")
    events = [
        ToolCallStarted(0, "c", "f_1"),
        ToolArguments(0, '{"argum'),
        ToolArguments(0, 'ents":[1]}'),
        TextDelta("t"),
    ]
    told = [each for event in events for each in restored.repair(event)]
    assert told == [ToolCallStarted(0, "c", "f.x"), ToolArguments(0, "[1]"), TextDelta("t")]
    assert not list(restored.end())
    events = [ToolCallStarted(1, "d", "f_1"), TextDelta("t")]
    told = [each for event in events for each in restored.repair(event)]
    assert told == [ToolCallStarted(1, "d", "f.x"), TextDelta("t")]


@pytest.mark.parametrize(
    ("word", "longest"), [("a.b", 64), ("", 40), ("1st", 64), ("x" * 300, 40), ("北京", 64), ("\ud800", 64)]
)
def test_shortened_words_are_taken_everywhere(word: str, longest: int) -> None:
    short = shortened(word, word, longest)
    assert len(short) <= longest
    assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*_[0-9a-f]{8}", short)


@pytest.mark.parametrize(
    ("word", "start"), [("a.b", "a_b_"), ("_a.b", "_a_b_"), ("1st_", "_1st__"), ("x" * 300, "x" * 55 + "_")]
)
def test_shortened_words_keep_as_much_of_their_beginning_as_is_taken(word: str, start: str) -> None:
    assert shortened(word, word, 64)[:-8] == start


IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}}


@pytest.mark.parametrize(
    ("model", "is_inside"),
    [
        ("gemini-2.5-pro", False),
        ("gemini-3-flash-preview", True),
        ("gemini-3.5-flash", True),
        ("gemma-3", False),
    ],
)
def test_gemini_takes_pictures_of_results_inside_or_beside(model: str, is_inside: bool) -> None:
    said = [
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": [IMAGE]}]},
    ]
    asked = FORMATS["anthropic"].read_request({"model": "m", "max_tokens": 9, "messages": said})
    written = write_for(FORMATS["gemini"], FORMATS["anthropic"], asked, replace(upstream(), name=model))
    result, *beside = written.body["contents"][-1]["parts"]
    image = {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}
    assert result["functionResponse"].get("parts") == ([image] if is_inside else None)
    assert beside == ([] if is_inside else [{"text": "Attached to the result of the call c:"}, image])
    told = "messages.content.tool_use_id -> attachments beside it" in written.translated
    assert told is not is_inside
