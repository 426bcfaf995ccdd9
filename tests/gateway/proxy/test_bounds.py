"""Whatever a request can make long has a bound, told by its name, and an agent's long conversation is within them."""

from typing import Any

import orjson
import pytest

from gateway.proxy.errors import InvalidRequest
from gateway.proxy.surfaces import surface_at
from gateway.proxy.surfaces.base import Surface
from providers.facts import ProviderFacts
from providers.formats.registry import FORMATS
from providers.operations.registry import choose_adapter, operation_of
from providers.wire.bounds import (
    LONGEST_NAME,
    MOST_INPUTS,
    MOST_ITEMS,
    MOST_LABELS,
    MOST_LEVELS,
    MOST_MEMBERS,
    MOST_MESSAGES,
    MOST_STOPS,
    MOST_TOOLS,
)
from providers.wire.call import Call
from providers.wire.failure import FailureKind, UpstreamFailure
from providers.wire.upstream import Upstream
from tests.gateway.proxy.long_requests import (
    CHAT,
    COMPLETIONS,
    EMBEDDINGS,
    GEMINI,
    MESSAGES,
    RESPONSES,
    chat,
    chat_tools,
    gemini,
    gemini_tools,
    messages,
    messages_tools,
    responses,
    responses_tools,
)

PATHS = [CHAT, COMPLETIONS, MESSAGES, RESPONSES, GEMINI, EMBEDDINGS]
SHORT: dict[str, dict[str, Any]] = {
    CHAT: chat(),
    COMPLETIONS: {"model": "m", "prompt": "a"},
    MESSAGES: messages(),
    RESPONSES: responses(),
    GEMINI: gemini(),
    EMBEDDINGS: {"model": "m", "input": "a"},
}
MANY_MESSAGES = [{"role": "user", "content": "a"}] * (MOST_MESSAGES + 1)
MANY_STOPS = ["a"] * (MOST_STOPS + 1)
MANY_LABELS = {f"l{number}": "a" for number in range(MOST_LABELS + 1)}
FEW_IN_A_GROUP = gemini_tools(MOST_TOOLS // 2 + 1)

TOO_MANY = [
    (CHAT, {"messages": MANY_MESSAGES}, "messages"),
    (CHAT, {"tools": chat_tools(MOST_TOOLS + 1)}, "tools"),
    (CHAT, {"functions": [{"name": "f"}] * (MOST_TOOLS + 1)}, "functions"),
    (CHAT, {"stop": MANY_STOPS}, "stop"),
    (CHAT, {"metadata": MANY_LABELS}, "metadata"),
    (COMPLETIONS, {"stop": MANY_STOPS}, "stop"),
    (MESSAGES, {"messages": MANY_MESSAGES}, "messages"),
    (MESSAGES, {"tools": messages_tools(MOST_TOOLS + 1)}, "tools"),
    (MESSAGES, {"stop_sequences": MANY_STOPS}, "stop_sequences"),
    (MESSAGES, {"metadata": {"user_id": "u" * 513}}, "metadata.user_id"),
    (RESPONSES, {"input": MANY_MESSAGES}, "input"),
    (RESPONSES, {"tools": responses_tools(MOST_TOOLS + 1)}, "tools"),
    (RESPONSES, {"include": ["a"] * (MOST_LABELS + 1)}, "include"),
    (RESPONSES, {"metadata": MANY_LABELS}, "metadata"),
    (GEMINI, {"contents": [{"parts": [{"text": "a"}]}] * (MOST_MESSAGES + 1)}, "contents"),
    (GEMINI, {"tools": gemini_tools(MOST_TOOLS + 1)}, "tools.functionDeclarations"),
    (GEMINI, {"tools": FEW_IN_A_GROUP * 2}, "tools.functionDeclarations"),
    (GEMINI, {"generationConfig": {"stopSequences": MANY_STOPS}}, "generationConfig.stopSequences"),
    (GEMINI, {"generation_config": {"stop_sequences": MANY_STOPS}}, "generation_config.stop_sequences"),
    (GEMINI, {"labels": MANY_LABELS}, "labels"),
    (EMBEDDINGS, {"input": ["a"] * (MOST_INPUTS + 1)}, "input"),
    (EMBEDDINGS, {"input": [1] * (MOST_ITEMS + 1)}, "input"),
]


def surface_of(path: str) -> Surface:
    surface = surface_at(path)
    assert surface is not None
    return surface


def refusal_of(path: str, body: dict[str, Any]) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as refusal:
        surface_of(path).read(orjson.dumps(body))
    return refusal.value


def nested(levels: int) -> bytes:
    """JSON of that depth. orjson does not write what is so deep."""
    return levels * b'{"a":' + b"1" + levels * b"}"


def with_nested(body: dict[str, Any], levels: int) -> bytes:
    return orjson.dumps(body).replace(b'"DEEP"', nested(levels))


@pytest.mark.parametrize(
    ("path", "change", "param"), TOO_MANY, ids=[f"{path} {param}" for path, _, param in TOO_MANY]
)
def test_what_is_too_many_is_refused_by_its_name(path, change, param):
    refusal = refusal_of(path, {**SHORT[path], **change})

    assert (refusal.http_status, refusal.param) == (400, param)
    assert "most" in refusal.message or "characters" in refusal.message


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"x": [1] * (MOST_ITEMS + 1)}, "x"),
        ({"x": {"y": {str(number): 1 for number in range(MOST_MEMBERS + 1)}}}, "x.y"),
        ({"x": [[[]] * (MOST_ITEMS // 2), *[[[]] * (MOST_ITEMS // 2)] * 4]}, "body"),
        ({f"x{number}": 1 for number in range(MOST_MEMBERS)}, "body"),
        ({"x" * (LONGEST_NAME + 1): 1}, "x" * LONGEST_NAME),
        ({"x.y": 1}, "x.y"),
        ({"x[0]": 1}, "x[0]"),
    ],
    ids=["items", "members", "objects", "unknown members", "long name", "dotted name", "indexed name"],
)
def test_what_no_surface_knows_is_bounded_on_each(path, change, param):
    assert refusal_of(path, {**SHORT[path], **change}).param == param


DEEP = [
    (CHAT, chat(x="DEEP"), "x"),
    (CHAT, chat(tools=[{"type": "function", "function": {"name": "f", "parameters": "DEEP"}}]), "tools[0]"),
    (
        CHAT,
        chat(response_format={"type": "json_schema", "json_schema": {"schema": "DEEP"}}),
        "response_format.",
    ),
    (MESSAGES, messages(tools=[{"name": "t", "input_schema": "DEEP"}]), "tools[0].input_schema"),
    (
        MESSAGES,
        messages([{"role": "user", "content": [{"type": "text", "text": "a", "x": "DEEP"}]}]),
        "messages[0]",
    ),
    (
        RESPONSES,
        responses(text={"format": {"type": "json_schema", "name": "a", "schema": "DEEP"}}),
        "text.format",
    ),
    (
        RESPONSES,
        responses(tools=[{"type": "function", "name": "t", "parameters": "DEEP"}]),
        "tools[0].parameters",
    ),
    (GEMINI, gemini(generationConfig={"responseJsonSchema": "DEEP"}), "generationConfig.responseJsonSchema"),
    (GEMINI, gemini(tools=[{"functionDeclarations": [{"name": "t", "parameters": "DEEP"}]}]), "tools[0]"),
    (EMBEDDINGS, {"model": "m", "input": "a", "x": "DEEP"}, "x"),
    (COMPLETIONS, {"model": "m", "prompt": "a", "x": "DEEP"}, "x"),
]


@pytest.mark.parametrize("levels", [MOST_LEVELS, 300, 1000])
@pytest.mark.parametrize(("path", "body", "param"), DEEP, ids=[f"{path} {param}" for path, _, param in DEEP])
def test_what_is_too_deep_is_refused_by_its_name(path, body, param, levels):
    with pytest.raises(InvalidRequest) as refusal:
        surface_of(path).read(with_nested(body, levels))

    assert refusal.value.http_status == 400
    assert refusal.value.param is not None
    assert refusal.value.param.startswith(param)
    assert str(MOST_LEVELS) in refusal.value.message


@pytest.mark.parametrize(("path", "body", "param"), DEEP, ids=[f"{path} {param}" for path, _, param in DEEP])
def test_what_is_as_deep_as_may_be_can_be_said_to_every_provider_or_is_refused(path, body, param):
    surface = surface_of(path)
    parsed = surface.read(with_nested(body, MOST_LEVELS - 8))
    if surface.endpoint == "embeddings":
        return
    for wire_format in FORMATS:
        try:
            write(surface, parsed, wire_format)
        except UpstreamFailure as refused:
            assert refused.kind in {FailureKind.UNSUPPORTED, FailureKind.CALLER}  # noqa: PT017


@pytest.mark.parametrize("wire_format", ["anthropic", "gemini"])
def test_arguments_that_are_nested_too_deeply_are_refused_by_their_name(wire_format):
    call = {"id": "c", "type": "function", "function": {"name": "t", "arguments": nested(300).decode()}}
    turns = [
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "r"},
    ]
    parsed = surface_of(CHAT).read(orjson.dumps(chat([{"role": "user", "content": "a"}, *turns])))

    with pytest.raises(UpstreamFailure) as refusal:
        write(surface_of(CHAT), parsed, wire_format)

    assert refusal.value.param == "messages.tool_calls.function.arguments"
    assert refusal.value.status == 400


@pytest.mark.parametrize("wire_format", ["openai", "responses", "anthropic", "gemini"])
def test_an_answer_that_is_nested_too_deeply_is_the_providers_fault(wire_format):
    call = Call("chat.completions", chat())
    adapter = choose_adapter(call, provider_of(wire_format))

    with pytest.raises(UpstreamFailure) as failure:
        adapter.answer(call, "m", 200, nested(300))

    assert failure.value.kind is FailureKind.BAD_RESPONSE


@pytest.mark.parametrize(
    "path", [MESSAGES, *(pytest.param(path, marks=pytest.mark.drill) for path in (CHAT, RESPONSES, GEMINI))]
)
def test_a_body_of_ten_mebibytes_from_an_agent_passes_everywhere(path):
    """5,000 messages with 100,000 parts, as one turn after the other."""
    surface = surface_of(path)
    body = orjson.dumps(agents_body(path))
    assert 9.2 * 2**20 < len(body) < 10 * 2**20

    parsed = surface.read(body)
    required = operation_of(surface.endpoint).requirements(call_of(surface, parsed))

    assert required.input_tokens > 10**6
    for wire_format in sorted(FORMATS.keys() - {surface.format})[:2]:
        write(surface, parsed, wire_format)


def agents_body(path: str) -> dict[str, Any]:
    text = 68 * "a" if path == GEMINI else 56 * "a"
    parts: list[Any] = [
        {"text": text + 22 * "a"} if path == GEMINI else {"type": "text", "text": text + 14 * "a"}
    ] * 20
    if path == GEMINI:
        return gemini([{"role": ("user", "model")[number % 2], "parts": parts} for number in range(5_000)])
    said = [{"role": ("user", "assistant")[number % 2], "content": parts} for number in range(5_000)]
    return {CHAT: chat, MESSAGES: messages, RESPONSES: responses}[path](said)


def provider_of(wire_format: str) -> ProviderFacts:
    return ProviderFacts(1, "p", "P", wire_format, "http://127.0.0.1/v1", True, True, "secret")


def call_of(surface: Surface, parsed: Any) -> Call:
    return Call(surface.endpoint, parsed, format=surface.format, team_id=1)


def write(surface: Surface, parsed: Any, wire_format: str) -> None:
    provider, call = provider_of(wire_format), call_of(surface, parsed)
    upstream = Upstream("m", is_streamed=False, max_output_tokens=64)
    choose_adapter(call, provider).request(call, provider, upstream)
