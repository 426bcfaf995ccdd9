"""OpenAI's format against golden files: what is sent and what is relayed."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from providers.facts import ProviderFacts
from providers.operations.generate import adapter_between
from providers.wire.call import Call
from providers.wire.failure import FailureKind, UpstreamFailure
from providers.wire.sse import LIMIT_BYTES, event
from providers.wire.upstream import Upstream
from tests.used import used

GOLDEN = Path(__file__).parent.parent / "golden" / "openai"
ADAPTER = adapter_between("openai", "openai")
SECRET = "sk-upstream-0123456789"


def provider(**fields) -> ProviderFacts:
    defaults = {"secret": SECRET, "base_url": "https://api.example.com/v1/"}
    return ProviderFacts(
        **{"id": 1, "slug": "p", "name": "P", "wire_format": "openai", "is_enabled": True, "is_usable": True}
        | defaults
        | fields
    )


def chat(**body) -> Call:
    return Call("chat.completions", {"model": "alias", "messages": []} | body)


def streamed(*, wants_usage: bool = False, **body) -> Call:
    return Call(
        "chat.completions",
        {"model": "alias", "messages": []} | body,
        is_streamed=True,
        wants_usage=wants_usage,
    )


def sent(call: Call, **fields) -> dict:
    facts = provider(**fields)
    upstream = Upstream("upstream-name", is_streamed=call.is_streamed, quirks=facts.quirks)
    return json.loads(ADAPTER.request(call, facts, upstream).body)


def events(data: bytes) -> list:
    texts = [frame.removeprefix(b"data: ") for frame in data.split(b"\n\n") if frame]
    return [each.decode() if each == b"[DONE]" else json.loads(each) for each in texts]


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def answer(body: bytes):
    return ADAPTER.answer(Call("chat.completions", {}, id="7"), "acme/one", 200, body)


def chunk(choices, **more) -> bytes:
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return event(json.dumps(head | {"choices": choices} | more).encode())


def text(content: str, finish: str | None = None, index: int = 0) -> dict:
    return {"index": index, "delta": {"content": content} if content else {}, "finish_reason": finish}


# Requests


def test_chat_goes_to_its_path_under_the_upstream_name():
    request = ADAPTER.request(chat(), provider(), Upstream("upstream-name", is_streamed=False))
    assert request.url == "https://api.example.com/v1/chat/completions"
    assert json.loads(request.body)["model"] == "upstream-name"


def test_credential_travels_as_bearer_and_stays_out_of_the_repr():
    request = ADAPTER.request(chat(), provider(), Upstream("m", is_streamed=False))
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in repr(request)


def test_quirk_puts_the_credential_into_the_header_api_key():
    azure = provider(quirks=frozenset({"api_key_header"}))
    headers = ADAPTER.request(chat(), azure, Upstream("m", is_streamed=False)).headers
    assert headers["api-key"] == SECRET
    assert "authorization" not in headers


def test_provider_without_a_credential_gets_no_authorization():
    assert (
        "authorization"
        not in ADAPTER.request(chat(), provider(secret=None), Upstream("m", is_streamed=False)).headers
    )


@pytest.mark.parametrize("secret", ["two\nlines", "Schlüssel", "nul\x00"])
def test_credential_that_no_header_can_carry_is_a_fault_of_staff(secret):
    with pytest.raises(UpstreamFailure) as caught:
        ADAPTER.request(chat(), provider(secret=secret), Upstream("m", is_streamed=False))
    assert caught.value.kind is FailureKind.AUTH


def test_unknown_fields_and_nulls_pass_through():
    body = sent(chat(invented={"a": [1]}, temperature=None))
    assert body["invented"] == {"a": [1]}
    assert body["temperature"] is None


def test_whole_answer_is_asked_for_without_stream_options():
    assert "stream_options" not in sent(chat())


def test_stream_always_asks_for_usage_and_keeps_other_options():
    body = sent(streamed(stream_options={"include_usage": False, "include_obfuscation": False}))
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True, "include_obfuscation": False}


def test_stream_options_that_are_null_are_replaced():
    assert sent(streamed(stream_options=None))["stream_options"] == {"include_usage": True}


def test_quirk_leaves_stream_options_out():
    assert "stream_options" not in sent(streamed(), quirks=frozenset({"no_stream_options"}))


# Whole answers


def test_answer_is_passed_on_untouched_with_its_usage():
    body = golden("chat.json")
    read = answer(body)
    assert read.body is body
    assert read.usage == used(12, 7, 4, 2, 5)


@pytest.mark.parametrize(
    "more",
    [
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "proof"}]},
        {"tool_calls": [{"id": "1", "function": {"name": "f"}, "extra": {"thought_signature": "proof"}}]},
        {"annotations": [{"type": "thinking", "signature": "proof"}]},
        {"content": [{"type": "thinking", "signature": "proof"}]},
    ],
)
def test_proof_bears_its_issuer_wherever_a_message_holds_it(more):
    body = json.loads(golden("chat.json"))
    body["choices"][0]["message"] |= more
    body["choices"].insert(0, json.loads(golden("chat.json"))["choices"][0])
    whole = json.dumps(body).encode()
    told = ADAPTER.answer(Call("chat.completions", {}, id="7"), "acme/one", 200, whole, "i")
    assert b'"proof"' in whole
    assert b'"proof"' not in told.body


def test_text_that_reads_like_a_proof_is_none():
    body = json.loads(golden("chat.json"))
    body["choices"][0]["message"]["content"] = '{"type": "thinking", "signature": "proof"}'
    whole = json.dumps(body).encode()
    assert ADAPTER.answer(Call("chat.completions", {}, id="7"), "acme/one", 200, whole, "i").body == whole


def test_text_and_tool_arguments_count_where_usage_has_to_be_estimated():
    for name, said in (("chat.json", "Bonjour.In French?"), ("chat_tools.json", '{"city":"Oslo"}')):
        body = json.loads(golden(name))
        del body["usage"]
        assert answer(json.dumps(body).encode()).usage == used(1, -(-len(said) // 4), is_estimated=True)


@pytest.mark.parametrize("usage", [-1, "5", [], {"prompt_tokens": -1, "completion_tokens": 2}])
def test_absurd_usage_is_replaced_by_a_marked_estimate(usage):
    read = answer(json.dumps(json.loads(golden("chat.json")) | {"usage": usage}).encode())
    told = json.loads(read.body)["usage"]
    assert (told["prompt_tokens"], told["completion_tokens"], told["is_estimated"]) == (1, 5, True)
    assert read.usage == used(1, 5, is_estimated=True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Sign in</html>",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"choices": []}',
        b'{"choices": {}}',
        b'{"choices": [null]}',
        b'{"choices": [{"index": 0}]}',
        b'{"choices": [{"message": "hi"}]}',
        b'{"choices": [{"message": {"content": 7}}]}',
        b'{"choices": [{"message": {"tool_calls": "x"}}]}',
        b'{"error": {"message": "It broke."}}',
        b'{"choices": [',
        b"[" * 100_000,
        b'{"choices": [{"message": {"content": NaN}}]}',
    ],
)
def test_what_is_no_answer_is_a_bad_response(body):
    with pytest.raises(UpstreamFailure) as caught:
        answer(body)
    assert (caught.value.kind, caught.value.code) == (FailureKind.BAD_RESPONSE, "provider_bad_response")


def test_error_with_its_own_status_inside_200_is_classified_by_it():
    with pytest.raises(UpstreamFailure) as caught:
        answer(b'{"error": {"message": "Slow down", "code": 429}}')
    assert caught.value.kind is FailureKind.RATE_LIMIT


@pytest.mark.parametrize("broken", [b"\xff\xfe", rb"\ud83d"])
def test_broken_text_is_repaired(broken):
    body = b'{"choices": [{"message": {"content": "a' + broken + b'b"}}]}'
    content = json.loads(answer(body).body)["choices"][0]["message"]["content"]
    assert content.strip("ab").strip("�") == ""


# Streams


@pytest.mark.parametrize("size", [1, 5, 64, 100_000])
def test_stream_is_relayed_but_for_usage_and_terminator(size):
    data = golden("stream.sse")
    reader = ADAPTER.stream(streamed(), "acme/one")
    out = b"".join(reader.feed(data[at : at + size]) for at in range(0, len(data), size)) + reader.finish()
    assert out == b"".join(part + b"\n\n" for part in data.split(b"\n\n")[:4])
    assert reader.usage == used(5, 3)
    assert reader.has_finished
    assert reader.is_done
    assert reader.output_chars == len("Grüße 🎈")


def test_usage_chunk_reaches_the_client_that_asked():
    reader = ADAPTER.stream(streamed(wants_usage=True), "acme/one")
    assert reader.feed(golden("stream.sse")) + reader.terminator() == golden("stream.sse")


def test_plain_events_are_the_very_same_bytes():
    reader = ADAPTER.stream(streamed(), "acme/one")
    data = chunk([text("a")]) + chunk([text("b")])
    assert reader.feed(data) is data


def test_tool_call_is_output_and_its_arguments_count():
    reader = ADAPTER.stream(streamed(), "acme/one")
    reader.feed(golden("stream_tools.sse"))
    assert reader.has_output
    assert reader.has_finished
    assert reader.output_chars == len('Hm.{"city":"Oslo"}')


def test_role_alone_is_no_output():
    reader = ADAPTER.stream(streamed(), "acme/one")
    reader.feed(chunk([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]))
    assert not reader.has_output


def test_same_reasoning_under_two_names_counts_once():
    reader = ADAPTER.stream(streamed(), "acme/one")
    reader.feed(chunk([{"index": 0, "delta": {"reasoning": "Hm.", "reasoning_content": "Hm."}}]))
    assert reader.output_chars == 3


def test_usage_beside_a_choice_is_told_at_the_end_to_a_client_that_asked():
    reported = {"prompt_tokens": 1, "completion_tokens": 2}
    data, bare = chunk([text("", "stop")], usage=reported), chunk([text("", "stop")])
    for wants_usage, last in ((True, chunk([], usage=reported)), (False, b"")):
        reader = ADAPTER.stream(streamed(wants_usage=wants_usage), "acme/one")
        assert events(reader.feed(data)) == events(bare)
        assert reader.usage == used(1, 2)
        assert events(reader.terminator()) == [*events(last), "[DONE]"]


def test_client_that_asked_is_told_an_estimate_where_the_provider_tells_nothing():
    reader = ADAPTER.stream(
        streamed(wants_usage=True, messages=[{"role": "user", "content": "eight ch"}]), "acme/one"
    )
    reader.feed(chunk([text("12345", "stop")], id="x", created=1, model="m"))
    told, done = events(reader.terminator())
    assert {name: told[name] for name in ("id", "created", "model", "choices")} == {
        "id": "x",
        "created": 1,
        "model": "m",
        "choices": [],
    }
    usage = told["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["is_estimated"]) == (10, 2, True)
    assert (reader.usage, done) == (used(10, 2, is_estimated=True), "[DONE]")


def test_client_that_did_not_ask_is_told_no_estimate():
    reader = ADAPTER.stream(streamed(), "acme/one")
    reader.feed(chunk([text("12345", "stop")]))
    assert events(reader.terminator()) == ["[DONE]"]
    assert reader.usage is None


def test_client_that_asked_is_told_the_cost_with_the_usage():
    for wants_usage, costs in ((True, [3.0]), (False, [])):
        reader = ADAPTER.stream(
            streamed(wants_usage=wants_usage),
            "acme/one",
            lambda usage: Decimal(sum(usage.counts.values())),
        )
        reported = {"prompt_tokens": 1, "completion_tokens": 2, "cost": 99}
        out = reader.feed(chunk([text("a", "stop")]) + chunk([], usage=reported)) + reader.terminator()
        assert [told["usage"]["cost"] for told in events(out) if "usage" in told] == costs


@pytest.mark.parametrize("usage", [{"prompt_tokens": -1, "completion_tokens": 2}, [], "x"])
def test_absurd_usage_chunk_is_hidden_from_everybody(usage):
    reader = ADAPTER.stream(streamed(wants_usage=True), "acme/one")
    assert reader.feed(chunk([], usage=usage)) == b""
    assert reader.usage is None


def test_chunk_without_choices_and_usage_is_relayed():
    data = chunk([], prompt_filter_results=[])
    assert ADAPTER.stream(streamed(), "acme/one").feed(data) == data


def test_second_finish_is_dropped():
    reader = ADAPTER.stream(streamed(), "acme/one")
    assert reader.feed(chunk([text("", "stop")]))
    assert reader.feed(chunk([text("", "stop")])) == b""


def test_text_that_comes_with_a_second_finish_is_kept_without_it():
    reader = ADAPTER.stream(streamed(), "acme/one")
    reader.feed(chunk([text("", "stop")]))
    out = json.loads(reader.feed(chunk([text("late", "stop")])).removeprefix(b"data: "))
    assert out["choices"] == [text("late")]


def test_stream_has_finished_when_every_choice_has():
    reader = ADAPTER.stream(streamed(), "acme/one")
    reader.feed(chunk([text("a"), text("b", index=1)]))
    reader.feed(chunk([text("", "stop")]))
    assert not reader.has_finished
    reader.feed(chunk([text("", "length", index=1)]))
    assert reader.has_finished


def test_nothing_after_the_terminator_is_relayed():
    reader = ADAPTER.stream(streamed(), "acme/one")
    assert reader.feed(event(b"[DONE]") + chunk([text("late")])) == b""
    assert reader.feed(chunk([text("later")])) == b""
    assert reader.output_chars == 0


def test_one_unreadable_event_is_left_out_and_the_second_fails():
    reader = ADAPTER.stream(streamed(), "acme/one")
    assert reader.feed(event(b"{oops") + chunk([text("a")])) == chunk([text("a")])
    with pytest.raises(UpstreamFailure) as caught:
        reader.feed(event(b"7"))
    assert caught.value.code == "provider_bad_response"


@pytest.mark.parametrize("extra", [{"error": {"message": "It broke."}}, {"x_groq": {"error": "It broke."}}])
def test_error_event_is_a_failure(extra):
    with pytest.raises(UpstreamFailure, match="It broke"):
        ADAPTER.stream(streamed(), "acme/one").feed(event(json.dumps(extra).encode()))


def test_error_as_finish_reason_is_a_failure():
    with pytest.raises(UpstreamFailure) as caught:
        ADAPTER.stream(streamed(), "acme/one").feed(chunk([text("", "error")]))
    assert caught.value.kind is FailureKind.UNAVAILABLE


def test_body_without_any_event_is_a_bad_response():
    reader = ADAPTER.stream(streamed(), "acme/one")
    reader.feed(b"<html>Sign in</html>")
    with pytest.raises(UpstreamFailure):
        reader.finish()


def test_oversized_event_is_a_failure():
    reader = ADAPTER.stream(streamed(), "acme/one")
    with pytest.raises(UpstreamFailure) as caught:
        reader.feed(b"data: " + b"x" * (LIMIT_BYTES + 1))
    assert caught.value.code == "provider_response_too_large"


def test_event_cut_off_at_the_end_is_not_passed_on():
    reader = ADAPTER.stream(streamed(), "acme/one")
    reader.feed(chunk([text("a")]) + b'data: {"choices": [')
    assert reader.finish() == b""
    assert not reader.has_finished


def test_broken_text_in_a_stream_is_repaired():
    reader = ADAPTER.stream(streamed(), "acme/one")
    out = reader.feed(
        b'data: {"choices":[{"index":0,"delta":{"content":"a\xffb"},"finish_reason":null}]}\n\n'
    )
    assert json.loads(out[6:])["choices"][0]["delta"]["content"] == "a�b"
