"""A conversation is told as its client put it, but for what was changed: that reaches providers of every format."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from providers.formats.base import TranslationError
from providers.formats.registry import FORMATS
from providers.operations.generate import adapter_between
from providers.wire.call import Call
from providers.wire.conversation import (
    CacheMark,
    Conversation,
    Image,
    Message,
    Native,
    OutputKind,
    Part,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from providers.wire.failure import UpstreamFailure
from providers.wire.upstream import Upstream
from tests.gateway.proxy.values import a_provider
from tests.providers.formats.anew import anew, in_turns
from tests.providers.formats.conversations import Ability, make_conversation
from tests.providers.formats.test_garbage import spoilt

GOLDEN = Path(__file__).parents[2] / "golden"
FOLDERS = {"openai": "chat", "anthropic": "anthropic", "responses": "responses", "gemini": "gemini"}
MARKS = {"openai": {"cache_control"}, "responses": {"prompt_cache_breakpoint"}, "anthropic": set()}
CAN = Ability(
    "openai",
    parts=frozenset({Text, Image}),
    sampling=frozenset({"temperature"}),
    has_marks=False,
    has_signatures=False,
    has_encrypted=False,
    outputs=frozenset({OutputKind.TEXT, OutputKind.SCHEMA}),
    has_verbosity=False,
)
any_client = pytest.mark.parametrize("client", FORMATS)
any_provider = pytest.mark.parametrize("provider", FORMATS)


def golden(client: str) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads((GOLDEN / FOLDERS[client] / "request.json").read_bytes())
    return body


def upstream(provider: str) -> Upstream:
    quirks = frozenset(MARKS.get(provider, set()))
    return Upstream("m", is_streamed=False, max_output_tokens=9_000, quirks=quirks)


def asked(client: str, seed: int) -> dict[str, Any]:
    """A random request of such a client."""
    conversation = replace(make_conversation(seed, CAN), source="", reasoning=None)
    written = FORMATS[client].write_request(conversation, upstream(client)).body
    body: dict[str, Any] = orjson.loads(orjson.dumps(written))
    return body


def sent(client: str, provider: str, body: dict[str, Any], request: Conversation | None) -> dict[str, Any]:
    call = Call("chat.completions", body, format=client, request=request)
    written = adapter_between(client, provider).request(call, a_provider(), upstream(provider)).body
    told: dict[str, Any] = orjson.loads(written)
    return told


def masked_text(text: str) -> str:
    for word in ("sea", "ship", "this", "Rain", "Nothing", "look", "Go on", "snow"):
        text = text.replace(word, "***")
    return text


def masked_part(part: Part) -> Part:
    match part:
        case Text():
            return replace(part, text=masked_text(part.text))
        case ToolResult():
            parts = tuple(masked_part(inner) for inner in part.parts)
            return replace(part, parts=parts)  # type: ignore[arg-type]  # of the same kinds
        case ToolCall():
            return replace(part, arguments=part.arguments.replace("Köln", "***").replace("Oslo", "***"))
    return part


def mask(conversation: Conversation) -> Conversation:
    messages = [
        replace(message, parts=tuple(map(masked_part, message.parts))) for message in conversation.messages
    ]
    return replace(conversation, messages=tuple(messages))


def instruct(conversation: Conversation) -> Conversation:
    """A team's own prompt, say."""
    return replace(conversation, messages=(Message(Role.SYSTEM, (Text("Be kind."),)), *conversation.messages))


def describe_tools(conversation: Conversation) -> Conversation:
    tools = [
        tool if isinstance(tool, Native) else replace(tool, description="Looks.")
        for tool in conversation.tools
    ]
    return replace(conversation, tools=tuple(tools))


def heat(conversation: Conversation) -> Conversation:
    return replace(
        conversation,
        sampling=replace(conversation.sampling, temperature=0.75),
        max_output_tokens=77,
    )


def ask_on(conversation: Conversation) -> Conversation:
    asked = Message(Role.USER, (Text("And why?"),))
    return replace(conversation, messages=(*conversation.messages, asked))


def any_results(messages: tuple[Message, ...]) -> bool:
    return any(isinstance(part, ToolResult) for message in messages for part in message.parts)


EDITS = [mask, instruct, describe_tools, heat, ask_on]


@any_client
@any_provider
@pytest.mark.parametrize("edit", EDITS)
def test_change_reaches_a_provider_of_any_format_and_nothing_else_changes(client, provider, edit):
    for seed in range(40):
        body = asked(client, seed)
        read, again = FORMATS[client].read_request, FORMATS[provider].read_request
        unchanged = again(sent(client, provider, body, read(body)))
        changed = again(sent(client, provider, body, edit(read(body))))
        assert in_turns(changed) == in_turns(edit(anew(unchanged))), seed


def mark_last(conversation: Conversation) -> Conversation:
    """One mark, on what was said last, wherever others were."""
    *earlier, last = [
        replace(message, parts=tuple(map(unmarked, message.parts))) for message in conversation.messages
    ]
    *parts, part = last.parts
    marked = replace(part, cache=CacheMark())  # type: ignore[call-arg]  # what is said last may carry one
    tools = [tool if isinstance(tool, Native) else replace(tool, cache=None) for tool in conversation.tools]
    return replace(
        conversation, messages=(*earlier, replace(last, parts=(*parts, marked))), tools=tuple(tools)
    )


def unmarked(part: Part) -> Part:
    return replace(part, cache=None) if getattr(part, "cache", None) is not None else part  # type: ignore[call-arg]


@pytest.mark.parametrize("client", MARKS)
@pytest.mark.parametrize("provider", MARKS)
def test_moved_mark_reaches_every_provider_that_takes_one(client, provider):
    for seed in range(40):
        body = asked(client, seed)
        read, again = FORMATS[client].read_request, FORMATS[provider].read_request
        if any_results(read(body).messages[-1:]):
            continue
        marked = sent(client, provider, body, mark_last(read(body)))
        assert (
            orjson.dumps(marked).count(b'"cache_control"') + orjson.dumps(marked).count(b"_breakpoint") == 1
        )
        assert in_turns(again(marked)) == in_turns(mark_last(again(sent(client, provider, body, read(body)))))


@any_client
def test_random_request_is_written_again_byte_for_byte(client):
    for seed in range(100):
        body = asked(client, seed)
        written = FORMATS[client].write_request(FORMATS[client].read_request(body), upstream(client)).body
        assert orjson.dumps(written) == orjson.dumps(body), seed


def without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


def written_again(client: str, body: dict[str, Any]) -> bytes:
    told = Upstream("m", is_streamed="stream" in body, user_id="hash")
    return orjson.dumps(FORMATS[client].write_request(FORMATS[client].read_request(body), told).body)


def test_words_of_chat_are_written_again_byte_for_byte():
    body = without_nulls(golden("openai"))
    assert written_again("openai", body) == orjson.dumps(body | {"model": "m", "user": "hash"})


def test_words_of_anthropic_are_written_again_byte_for_byte():
    body = without_nulls(golden("anthropic"))
    assert written_again("anthropic", body) == orjson.dumps(
        body | {"model": "m", "metadata": {"user_id": "hash"}}
    )


def test_words_of_responses_are_written_again_byte_for_byte_without_ids_of_calls():
    body = without_nulls(golden("responses"))
    expected = orjson.dumps(body | {"model": "m", "safety_identifier": "hash"})
    assert written_again("responses", body) == expected.replace(b'"id":"fc_1",', b"")


def test_words_of_gemini_are_written_again_byte_for_byte_but_for_settings_that_are_fitted():
    body = golden("gemini")
    body["systemInstruction"] = body.pop("system_instruction")
    config = body["generationConfig"]
    config["speechConfig"] = config.pop("speech_config")
    config["topK"] = int(config["topK"])
    del config["candidateCount"]
    assert written_again("gemini", body) == orjson.dumps(body)


def sprinkled(value: Any) -> Any:
    """With a member that nobody knows on everything that stands in a list."""
    if isinstance(value, dict):
        return {name: sprinkled(member) for name, member in value.items()}
    if isinstance(value, list):
        return [
            {**sprinkled(each), "sparkle": 1} if isinstance(each, dict) else sprinkled(each) for each in value
        ]
    return value


SAID = ("messages", "system", "input", "contents", "tools")


@any_client
@pytest.mark.parametrize("edit", [mask, instruct, describe_tools, ask_on])
def test_change_leaves_words_of_the_clients_format_alone(client, edit):
    body = golden(client)
    body |= {name: sprinkled(body[name]) for name in SAID if name in body}
    read = FORMATS[client].read_request
    before, after = (sent(client, client, body, request) for request in (read(body), edit(read(body))))
    kept = {name: str(after[name]).count("sparkle") for name in SAID if name in after}
    assert kept == {name: str(before[name]).count("sparkle") for name in kept}
    changed, expected = in_turns(read(after)), in_turns(edit(anew(read(before))))
    assert replace(changed, tools=changed.functions) == replace(expected, tools=expected.functions)


@any_client
def test_what_was_masked_is_nowhere_in_what_is_sent(client):
    body = golden(client)
    told = str(sent(client, client, body, mask(FORMATS[client].read_request(body))))
    assert "What is ***" in told or "What is on these" in told
    assert "Rain" not in told
    assert "'snow'" not in told


@pytest.mark.parametrize("params", [(), ("max_tokens",), ("max_completion_tokens", "user")])
@pytest.mark.parametrize(
    "quirks",
    [(), ("reasoning_object",), ("no_reasoning_input",), ("reasoning_input",), ("no_stream_options",)],
)
@pytest.mark.parametrize("is_streamed", [False, True])
def test_chat_that_was_read_is_told_like_chat_that_went_on_as_it_came(params, quirks, is_streamed):
    body = without_nulls(golden("openai")) | {"stream_options": {"x": 1}, "safety_identifier": "u2"}
    calls = [
        Call("chat.completions", body, request=request, is_streamed=is_streamed)
        for request in (None, FORMATS["openai"].read_request(body))
    ]
    told = Upstream("m", is_streamed=is_streamed, params=frozenset(params), quirks=frozenset(quirks))
    relayed, written = (
        adapter_between("openai", "openai").request(call, a_provider(), told) for call in calls
    )
    assert written.body == relayed.body
    assert written.translated == relayed.translated


@any_client
@pytest.mark.parametrize("edit", [mask, instruct, describe_tools])
def test_change_of_spoilt_words_is_written_or_refused(client, edit):
    body = golden(client)
    for changed in Random(1).sample(list(spoilt(body)), 300):
        with suppress(TranslationError, UpstreamFailure):
            sent(client, client, changed, edit(FORMATS[client].read_request(changed)))


REPEATED = [
    (
        "anthropic",
        {"max_tokens": 9},
        "messages",
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "sea", "citations": [{"cited_text": "sea"}], "sparkle": 1},
            ],
        },
    ),
    (
        "responses",
        {},
        "input",
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "sea", "logprobs": [{"token": "sea"}], "sparkle": 1}],
        },
    ),
    (
        "responses",
        {},
        "input",
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "sea"}],
            "content": [{"type": "reasoning_text", "text": "the sea"}],
        },
    ),
    (
        "openai",
        {},
        "messages",
        {"role": "assistant", "content": "x", "reasoning_content": "sea", "reasoning": "sea"},
    ),
    ("openai", {}, "messages", {"role": "assistant", "content": None, "refusal": "sea", "sparkle": 1}),
    (
        "gemini",
        {},
        "contents",
        {
            "role": "user",
            "parts": [{"functionResponse": {"name": "f", "response": {"result": "sea", "more": "sea"}}}],
        },
    ),
    ("gemini", {}, "contents", {"role": "user", "parts": [{"text": "sea", "video_metadata": {"fps": 1}}]}),
]
CALLED = {"gemini": [{"role": "model", "parts": [{"functionCall": {"name": "f"}}]}]}


def change_all(part: Part) -> Part:
    if isinstance(part, ToolResult):
        parts = tuple(change_all(inner) for inner in part.parts)
        return replace(part, parts=parts)  # type: ignore[arg-type]  # of the same kinds
    return replace(part, text="***") if hasattr(part, "text") else part  # type: ignore[call-arg]


@pytest.mark.parametrize(("client", "body", "place", "said"), REPEATED)
def test_nothing_stays_of_what_was_changed_in_whichever_words_it_was_said(client, body, place, said):
    body = body | {place: [*CALLED.get(client, []), said]}
    read = FORMATS[client].read_request(body)
    messages = [replace(each, parts=tuple(map(change_all, each.parts))) for each in read.messages]
    told = sent(client, client, body, replace(read, messages=tuple(messages)))[place][-1]
    assert "***" in str(told)
    assert "sea" not in str(told)
    unknown = ("sparkle", "video_metadata", "videoMetadata")
    assert any(name in str(told) for name in unknown) is any(name in str(said) for name in unknown)


def test_tool_is_added_to_those_of_the_client():
    body = asked("anthropic", 3) | {"tools": [{"type": "web_search_20250305", "name": "web"}]}
    read = FORMATS["anthropic"].read_request(body)
    told = sent("anthropic", "anthropic", body, replace(read, tools=(*read.tools, Tool("look"))))
    assert [tool["name"] for tool in told["tools"]] == ["web", "look"]
    assert told["tools"][0] == body["tools"][0]
