"""What a provider of OpenAI's format leaves out or puts elsewhere, and OpenAI's SDKs need."""

import json

import pytest

from providers.operations.generate import adapter_between
from providers.wire.call import Call
from providers.wire.sse import event
from tests.used import used

ADAPTER = adapter_between("openai", "openai")


def streamed(*, wants_usage: bool = False, **body) -> Call:
    return Call("chat.completions", body, is_streamed=True, wants_usage=wants_usage)


def answer(body: bytes, endpoint: str = "chat.completions", **asked):
    return ADAPTER.answer(Call(endpoint, asked, id="7"), "acme/one", 200, body)


def chunk(choices, **more) -> bytes:
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return event(json.dumps(head | {"choices": choices} | more).encode())


def chunks_of(data: bytes) -> list[dict]:
    return [json.loads(part[6:]) for part in data.split(b"\n\n") if part not in {b"", b"data: [DONE]"}]


def text(content: str, finish: str | None = None) -> dict:
    return {"index": 0, "delta": {"content": content} if content else {}, "finish_reason": finish}


@pytest.mark.parametrize("wants_usage", [False, True])
def test_usage_beside_a_choice_moves_into_a_last_chunk_of_its_own(wants_usage):
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "cost": 0.1}
    reader = ADAPTER.stream(streamed(wants_usage=wants_usage), "acme/one")
    out = reader.feed(chunk([text("a")], usage=usage | {"completion_tokens": 1}))
    out += reader.feed(chunk([text("", "stop")], usage=usage)) + reader.terminator()
    chunks = chunks_of(out)
    assert [bool(told["choices"]) for told in chunks] == [True, True, False][: 2 + wants_usage]
    assert [told.get("usage") for told in chunks] == [None, None, usage][: 2 + wants_usage]
    assert reader.usage == used(1, 2)


def test_usage_that_comes_twice_is_told_once_and_the_last_counts():
    reader = ADAPTER.stream(streamed(wants_usage=True), "acme/one")
    sums = [{"prompt_tokens": 1, "completion_tokens": number} for number in (0, 2)]
    out = b"".join(reader.feed(chunk([], usage=usage)) for usage in sums)
    assert [told["usage"] for told in chunks_of(out + reader.terminator())] == [sums[1]]


def test_stream_without_usage_ends_with_an_estimate_that_says_so():
    reader = ADAPTER.stream(streamed(wants_usage=True, messages=[{"content": "x" * 8}]), "acme/one")
    out = reader.feed(chunk([text("abcde", "stop")])) + reader.terminator()
    last = chunks_of(out)[-1]
    assert (last["id"], last["object"], last["choices"]) == ("c", "chat.completion.chunk", [])
    assert (last["usage"]["prompt_tokens"], last["usage"]["completion_tokens"]) == (6, 2)
    assert last["usage"]["is_estimated"] is True
    assert reader.usage.is_estimated


@pytest.mark.parametrize("is_streamed", [False, True])
def test_answer_without_its_head_is_given_one(is_streamed):
    """The SDK's helper for streams leaves out what does not call itself a chunk."""
    if is_streamed:
        reader = ADAPTER.stream(Call("chat.completions", {}, id="7", created=5), "acme/one")
        data = [event(json.dumps({"choices": [text(each)]}).encode()) for each in "abc"]
        told = chunks_of(b"".join(map(reader.feed, data)))
    else:
        told = [json.loads(answer(b'{"choices": [{"message": {"content": "a"}}]}').body)]
    kind = "chat.completion.chunk" if is_streamed else "chat.completion"
    heads = {(each["id"], each["object"], each["model"]) for each in told}
    assert heads == {("chatcmpl-7", kind, "acme/one")}
    assert all("created" in each for each in told)


def test_choice_without_an_index_or_a_role_is_given_them():
    choice = json.loads(answer(b'{"choices": [{"message": {"content": "a"}}]}').body)["choices"][0]
    assert (choice["index"], choice["message"]["role"]) == (0, "assistant")
    reader = ADAPTER.stream(streamed(), "acme/one")
    (told,) = chunks_of(reader.feed(chunk([{"delta": {"content": "a"}}])))
    assert told["choices"][0]["index"] == 0


def test_tool_calls_get_ids_types_and_arguments_as_text():
    calls = [{"function": {"name": "f", "arguments": {"a": 1}}}, {"id": "x", "function": {"name": "g"}}]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    body = json.dumps({"id": "c", "choices": [{"index": 0, "message": message}]}).encode()
    read = json.loads(answer(body).body)["choices"][0]["message"]["tool_calls"]
    assert read == [
        {"id": "call_7_0_0", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"id": "x", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]


def test_tool_calls_in_a_stream_are_numbered_and_named_once():
    reader = ADAPTER.stream(streamed(), "acme/one")
    pieces = [
        [{"function": {"name": "f", "arguments": ""}}],
        [{"function": {"arguments": '{"a":1}'}}],
        [{"function": {"name": "g", "arguments": {"b": 2}}}],
    ]
    data = b"".join(chunk([{"index": 0, "delta": {"tool_calls": calls}}]) for calls in pieces)
    told = [each["choices"][0]["delta"]["tool_calls"][0] for each in chunks_of(reader.feed(data))]
    assert [call["index"] for call in told] == [0, 0, 1]
    assert [call.get("id") for call in told] == ["call__0_0", None, "call__0_1"]
    assert [call["function"]["arguments"] for call in told] == ["", '{"a":1}', '{"b":2}']
    assert reader.output_chars == len('{"a":1}{"b":2}')


def test_good_tool_calls_are_the_very_same_bytes():
    reader = ADAPTER.stream(streamed(), "acme/one")
    call = {"index": 0, "id": "x", "type": "function", "function": {"name": "f", "arguments": ""}}
    data = chunk([{"index": 0, "delta": {"tool_calls": [call]}}])
    more = chunk([{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}}])
    assert reader.feed(data + more) == data + more


@pytest.mark.parametrize("is_streamed", [False, True])
def test_ids_that_a_server_repeats_are_told_apart(is_streamed):
    """Some count from 0 in every answer."""
    raw = b'{"messages": [{"role": "tool", "tool_call_id": "call_0", "content": "x"}]}'
    asked = Call("chat.completions", {}, is_streamed=is_streamed, id="ab" * 16, raw=raw)
    ids = ["call_0", "call_1", "call_1", "x" * 90, None]
    calls = [
        {"index": number, "id": call_id, "type": "function", "function": {"name": "f", "arguments": "{}"}}
        for number, call_id in enumerate(ids)
    ]
    if is_streamed:
        more = [
            {"index": number, "id": call_id, "function": {"arguments": ""}}
            for number, call_id in enumerate(ids)
        ]
        reader = ADAPTER.stream(asked, "acme/one")
        deltas = [
            {"index": 0, "delta": {"tool_calls": each}, "finish_reason": None} for each in (calls, more)
        ]
        first, second = (
            choice["delta"]["tool_calls"]
            for told in chunks_of(reader.feed(b"".join(chunk([each]) for each in deltas)))
            for choice in told["choices"]
        )
        assert [call.get("id") for call in second] == [None, "call_1", None, "x" * 90, None]
    else:
        body = {
            "choices": [{"message": {"content": None, "tool_calls": calls}, "finish_reason": "tool_calls"}]
        }
        first = json.loads(ADAPTER.answer(asked, "acme/one", 200, json.dumps(body).encode()).body)["choices"][
            0
        ]["message"]["tool_calls"]
    told = [call["id"] for call in first]
    assert told[1] == "call_1"
    assert told[3] == "x" * 90
    assert len(set(told)) == len(told)
    assert "call_0" not in told
    assert all(len(call_id) <= 40 for call_id in told if call_id != "x" * 90)
