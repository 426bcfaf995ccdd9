"""When there is anything to weigh, in which words, and what is kept apart of what is weighed once."""

import pytest

from providers.formats.registry import FORMATS
from providers.operations.registry import operation_of
from providers.operations.weighing import _PLAIN, may_lose, spoken_format, weigh
from providers.wire.call import Call
from providers.wire.upstream import Upstream
from tests.gateway.proxy.values import a_provider

HI = [{"role": "user", "content": "hi"}]
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
CHAT = {"model": "m", "messages": HI}
MESSAGES = {**CHAT, "max_tokens": 9}
TOOL = {"name": "f", "input_schema": {"type": "object"}}


def a_call(client, body):
    call = Call(FORMATS[client].endpoint, body, format=client)
    return operation_of(call.endpoint).requirements(call), call


def weighed(client, body, own, *, required=None, **facts):
    made, call = a_call(client, body)
    upstream = Upstream("m", is_streamed=False, **{"max_output_tokens": 4000, **facts})
    return weigh(required or made, call, a_provider(wire_format=own), upstream)


ALL_PLAIN = {**dict.fromkeys(_PLAIN), **CHAT, "stream": False}


@pytest.mark.parametrize(
    ("client", "body", "expected"),
    [
        ("openai", CHAT, False),
        ("openai", ALL_PLAIN, False),
        ("openai", {**CHAT, "temperature": 1}, True),
        ("openai", {**CHAT, "messages": [{"role": "user", "content": [{"type": "file"}]}]}, True),
        ("anthropic", MESSAGES, False),
        ("anthropic", {**MESSAGES, "tools": [TOOL]}, False),
        ("anthropic", {**MESSAGES, "tools": [{**TOOL, "strict": True}]}, True),
        ("anthropic", {**MESSAGES, "tools": [{**TOOL, "cache_control": {"type": "ephemeral"}}]}, True),
        ("anthropic", {**MESSAGES, "temperature": 1}, True),
        ("anthropic", {**MESSAGES, "messages": [{"role": "user", "content": [IMAGE]}]}, True),
    ],
)
def test_there_is_something_to_weigh_where_a_format_may_lack_it(client, body, expected):
    assert may_lose(*a_call(client, body)) is expected


@pytest.mark.parametrize(
    ("client", "wire_format", "quirks", "spoken"),
    [
        ("responses", "openai", {"speaks_responses"}, "responses"),
        ("anthropic", "openai", {"speaks_responses"}, "openai"),
        ("responses", "openai", set(), "openai"),
        ("openai", "anthropic", set(), "anthropic"),
    ],
)
def test_the_clients_format_is_spoken_where_the_provider_speaks_it_too(client, wire_format, quirks, spoken):
    assert spoken_format(client, a_provider(wire_format=wire_format, quirks=frozenset(quirks))) == spoken


def test_chat_for_a_provider_of_chat_loses_the_tuning_that_is_not_declared():
    declared = frozenset({"tools"})
    assert weighed("openai", {**CHAT, "temperature": 1, "seed": 3}, "openai", params=declared).lost
    assert not weighed("openai", {**CHAT, "temperature": 1}, "openai", params=declared | {"temperature"}).lost
    assert not weighed("openai", CHAT, "openai", params=declared).lost


def test_offerings_that_declare_other_tuning_lose_other_things():
    required, _ = a_call("openai", body := {**CHAT, "temperature": 0.5, "top_p": 0.5})
    lost = [
        weighed("openai", body, "anthropic", required=required, params=frozenset(declared)).lost
        for declared in ({"temperature", "tools"}, {"top_p", "tools"})
    ]
    assert lost[0] != lost[1]


def test_what_is_kept_of_settings_says_nothing_of_requests_that_say_more():
    settings = {**CHAT, "temperature": 0.5}
    more = {**settings, "modalities": ["text"], "prediction": {"type": "content", "content": "x"}}
    assert weighed("openai", settings, "gemini") != weighed("openai", more, "gemini")


def test_several_answers_are_refused_in_another_format_only():
    body = {"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": {"candidateCount": 2}}
    assert weighed("gemini", body, "gemini").refusal is None
    assert weighed("gemini", body, "anthropic").refusal is not None


def test_a_cache_mark_on_what_a_tool_gave_is_weighed_without_its_call():
    used = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]}
    gave = {"type": "tool_result", "tool_use_id": "t", "content": "x"}
    told = []
    for marked in (gave, {**gave, "cache_control": {"type": "ephemeral"}}):
        messages = [*HI, used, {"role": "user", "content": [marked]}]
        told.append(may_lose(*a_call("anthropic", {**MESSAGES, "tools": [TOOL], "messages": messages})))
    assert told == [False, True]
