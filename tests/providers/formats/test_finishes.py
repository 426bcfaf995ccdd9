"""Every word with which a provider ends an answer, and what the clients of each format are told for it."""

import orjson
import pytest

from providers.formats.base import AnswerFacts
from providers.formats.finishes import READ, WRITTEN
from providers.formats.registry import FORMATS
from providers.operations.generate import adapter_between
from providers.wire.call import Call
from providers.wire.events import Finished, FinishReason
from providers.wire.failure import FailureKind, UpstreamFailure

CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
WORDS = [(name, word) for name, words in READ.items() for word in words]
FAULTS = [(name, word) for name, word in WORDS if isinstance(READ[name][word], FailureKind)]
ENDS = [(name, word) for name, word in WORDS if (name, word) not in FAULTS]
CALLS = [(name, word) for name, word in ENDS if READ[name][word] is FinishReason.TOOL_CALLS]
CLIENTS = {
    "openai": "chat.completions",
    "responses": "responses",
    "anthropic": "messages",
    "gemini": "generate_content",
}
REQUESTS = {
    "openai": {"messages": [{"role": "user", "content": "hi"}]},
    "responses": {"input": "hi"},
    "anthropic": {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9},
    "gemini": {"contents": [{"parts": [{"text": "hi"}]}]},
}


def pieces(name: str, word: str, *, with_call: bool) -> list[dict]:
    """A provider's stream: some text, a call where one is due, and the end."""
    match name:
        case "openai":
            head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
            call = {"tool_calls": [{"index": 0, **CALL}]} if with_call else {}
            return [
                head
                | {
                    "choices": [
                        {"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": None}
                    ]
                },
                head | {"choices": [{"index": 0, "delta": call, "finish_reason": word}]},
            ]
        case "anthropic":
            text = {"type": "text", "text": ""}
            call = {"type": "tool_use", "id": "c1", "name": "look", "input": {}}
            start = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": []}
            blocks = [
                {"type": "content_block_start", "index": 0, "content_block": text},
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
                {"type": "content_block_stop", "index": 0},
            ]
            if with_call:
                blocks += [
                    {"type": "content_block_start", "index": 1, "content_block": call},
                    {"type": "content_block_stop", "index": 1},
                ]
            usage = {"input_tokens": 1, "output_tokens": 1}
            return [
                {"type": "message_start", "message": start | {"usage": usage}},
                *blocks,
                {"type": "message_delta", "delta": {"stop_reason": word}, "usage": {"output_tokens": 1}},
                {"type": "message_stop"},
            ]
        case "gemini":
            content = {"role": "model", "parts": [{"text": "Hi"}]}
            return [{"candidates": [{"content": content}]}, {"candidates": [{"finishReason": word}]}]
        case _:
            item = {"type": "message", "id": "i", "role": "assistant", "status": "completed"}
            item["content"] = [{"type": "output_text", "text": "Hi", "annotations": []}]
            response = {
                "id": "r",
                "object": "response",
                "status": "incomplete",
                "output": [item],
                "model": "m",
            }
            response["incomplete_details"] = {"reason": word}
            return [
                {
                    "type": "response.output_text.delta",
                    "output_index": 0,
                    "content_index": 0,
                    "delta": "Hi",
                    "item_id": "i",
                },
                {"type": "response.incomplete", "response": response},
            ]


def whole(name: str, word: str, *, with_call: bool) -> dict:
    match name:
        case "openai":
            message = {"role": "assistant", "content": "Hi", **({"tool_calls": [CALL]} if with_call else {})}
            choice = {"index": 0, "message": message, "finish_reason": word}
            return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        case "anthropic":
            call = {"type": "tool_use", "id": "c1", "name": "look", "input": {}}
            content = [{"type": "text", "text": "Hi"}, *([call] if with_call else [])]
            usage = {"input_tokens": 1, "output_tokens": 1}
            message = {"id": "m", "type": "message", "role": "assistant", "model": "m", "stop_reason": word}
            return message | {"content": content, "usage": usage}
        case "gemini":
            content = {"role": "model", "parts": [{"text": "Hi"}]}
            return {"candidates": [{"content": content, "finishReason": word}]}
        case _:
            return pieces(name, word, with_call=with_call)[-1]["response"]


def answered(client: str, name: str, word: str, *, is_streamed: bool, with_call: bool = False) -> str:
    """All that the client is sent. Raises UpstreamFailure."""
    call = Call(
        CLIENTS[client], {"model": "m", **REQUESTS[client]}, format=client, is_streamed=is_streamed, id="1"
    )
    adapter = adapter_between(client, name)
    if not is_streamed:
        return adapter.answer(
            call, "m", 200, orjson.dumps(whole(name, word, with_call=with_call))
        ).body.decode()
    reader = adapter.stream(call, "m")
    said = b"".join(
        b"event: %b\ndata: %b\n\n" % (str(piece.get("type")).encode(), orjson.dumps(piece))
        for piece in pieces(name, word, with_call=with_call)
    )
    return (reader.feed(said) + reader.finish() + reader.terminator()).decode()


def told(client: str, name: str, word: str) -> str:
    """The word that stands for this one; a provider's own is kept for clients of its format."""
    reason = READ[name][word]
    if client == name and reason is not FinishReason.TOOL_CALLS:
        return word
    return WRITTEN[client].get(
        FinishReason(reason), "completed" if reason in {"stop", "tool_calls"} else "incomplete"
    )


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("name", "word"), ENDS)
def test_each_surface_says_each_end_in_its_own_word(client, name, word, is_streamed):
    with_call = (name, word) in CALLS
    if client == name == "openai" and with_call:
        return
    said = answered(client, name, word, is_streamed=is_streamed, with_call=with_call)
    assert f'"{told(client, name, word)}"' in said


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("name", "word"), FAULTS)
def test_what_is_no_end_is_an_error_whatever_was_said_before(client, name, word, is_streamed):
    with pytest.raises(UpstreamFailure) as caught:
        answered(client, name, word, is_streamed=is_streamed)
    assert caught.value.kind is READ[name][word]


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("name", "word"), [case for case in CALLS if case[1] != "function_call"])
def test_an_end_in_a_call_without_any_call_is_an_error(client, name, word, is_streamed):
    with pytest.raises(UpstreamFailure) as caught:
        answered(client, name, word, is_streamed=is_streamed)
    assert caught.value.kind is FailureKind.BAD_RESPONSE


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("reason", FinishReason)
def test_every_reason_has_a_word_in_every_format(client, reason):
    facts = AnswerFacts("1", 1, "m", request=REQUESTS[client])
    written = orjson.dumps(FORMATS[client].write_answer([Finished(reason)], facts)).decode()
    plain = "incomplete" if reason is FinishReason.PAUSE else "completed"
    assert f'"{WRITTEN[client].get(reason, plain)}"' in written


def test_a_message_begins_with_our_count_of_its_prompt_and_ends_with_the_providers():
    call = Call(
        "messages", {"model": "m", **REQUESTS["anthropic"]}, format="anthropic", is_streamed=True, id="1"
    )
    call.input_tokens = 42
    reader = adapter_between("anthropic", "openai").stream(call, "m")
    usage = {"prompt_tokens": 17, "completion_tokens": 1, "total_tokens": 18}
    last = pieces("openai", "stop", with_call=False)
    said = [*last, last[0] | {"choices": [], "usage": usage}]
    told = reader.feed(
        b"".join(b"data: %b\n\n" % orjson.dumps(piece) for piece in said) + b"data: [DONE]\n\n"
    )
    told += reader.terminator()
    events = {
        value["type"]: value
        for line in told.split(b"\n")
        if line.startswith(b"data: ")
        for value in [orjson.loads(line[6:])]
    }
    assert events["message_start"]["message"]["usage"]["input_tokens"] == 42
    assert events["message_delta"]["usage"]["input_tokens"] == 17


def test_a_last_piece_that_says_nothing_of_the_cache_takes_back_nothing():
    reader = FORMATS["gemini"].reader()
    first, last = pieces("gemini", "STOP", with_call=False)
    asked = {"promptTokenCount": 100}
    first["usageMetadata"] = {
        **asked,
        "cachedContentTokenCount": 80,
        "thoughtsTokenCount": 4,
        "candidatesTokenCount": 1,
    }
    last["usageMetadata"] = {**asked, "candidatesTokenCount": 9, "totalTokenCount": 113}
    reader.feed(b"".join(b"data: %b\n\n" % orjson.dumps(piece) for piece in (first, last)))
    assert dict(reader.reported.counts) == {
        "input_tokens": 100,
        "cached_read_tokens": 80,
        "output_tokens": 13,
        "reasoning_tokens": 4,
    }
