"""One estimate of a prompt: to fit it into windows, to bill it where no provider tells, and for clients who ask."""

import orjson
import pytest

from gateway.proxy.surfaces import surface_at
from providers.formats.base import AnswerFacts
from providers.formats.registry import FORMATS
from providers.operations.generate import GENERATE, adapter_between
from providers.wire.call import Call
from providers.wire.estimate import estimate_usage
from providers.wire.events import Finished, FinishReason, Started, TextDelta

DATA = "AAAA" * 200_000
PROSE = "word " * 80
SCHEMA = {"type": "object", "properties": {"city": {"type": "string", "description": "x" * 3_900}}}
FUNCTION = {"name": "weather", "description": "Tells it.", "parameters": SCHEMA}

CHAT_CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
CHAT = {
    "model": "m",
    "messages": [
        {"role": "system", "content": PROSE},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": PROSE},
                {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
                {"type": "input_audio", "input_audio": {"data": DATA, "format": "mp3"}},
                {
                    "type": "file",
                    "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{DATA}"},
                },
            ],
        },
        {"role": "assistant", "content": None, "tool_calls": [CHAT_CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": PROSE},
    ],
    "tools": [{"type": "function", "function": FUNCTION}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}},
}
RESPONSES = {
    "model": "m",
    "instructions": PROSE,
    "input": [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": PROSE},
                {"type": "input_image", "image_url": "https://example.org/a.png"},
                {
                    "type": "input_file",
                    "filename": "a.pdf",
                    "file_data": f"data:application/pdf;base64,{DATA}",
                },
            ],
        },
        {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": PROSE},
    ],
    "tools": [{"type": "function", **FUNCTION, "strict": False}],
    "text": {"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}},
}
MESSAGES = {
    "model": "m",
    "max_tokens": 9,
    "system": PROSE,
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": PROSE},
                {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
                {
                    "type": "document",
                    "source": {"type": "base64", "media_type": "application/pdf", "data": DATA},
                },
            ],
        },
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "weather", "input": {}}]},
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "a",
                    "content": [
                        {"type": "text", "text": PROSE},
                        {
                            "type": "image",
                            "source": {"type": "base64", "media_type": "image/png", "data": DATA},
                        },
                    ],
                }
            ],
        },
    ],
    "tools": [{"name": "weather", "description": "Tells it.", "input_schema": SCHEMA}],
    "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
}
GEMINI = {
    "systemInstruction": {"parts": [{"text": PROSE}]},
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": PROSE},
                {"inlineData": {"mimeType": "image/png", "data": DATA}},
                {"inlineData": {"mimeType": "audio/mp3", "data": DATA}},
                {"inlineData": {"mimeType": "application/pdf", "data": DATA}},
            ],
        },
        {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {"output": PROSE}}}]},
    ],
    "tools": [{"functionDeclarations": [FUNCTION]}],
    "generationConfig": {"responseMimeType": "application/json", "responseSchema": SCHEMA},
}
COMPLETIONS = {"model": "m", "prompt": PROSE}
REQUESTS = {
    "/v1/chat/completions": CHAT,
    "/v1/completions": COMPLETIONS,
    "/v1/responses": RESPONSES,
    "/v1/messages": MESSAGES,
    "/v1beta/models/m:generateContent": GEMINI,
}
COUNTERS = {
    "/v1/messages": "/v1/messages/count_tokens",
    "/v1/responses": "/v1/responses/input_tokens",
    "/v1beta/models/m:generateContent": "/v1beta/models/m:countTokens",
}


def call_at(path: str) -> Call:
    surface = surface_at(path)
    return Call(surface.endpoint, surface.read(orjson.dumps(REQUESTS[path])), format=surface.format)


def billed(call: Call) -> int:
    """Of an answer whose provider tells no usage."""
    form = FORMATS["anthropic"]
    said = [Started("m"), TextDelta("Yes."), Finished(FinishReason.STOP)]
    answer = dict(form.write_answer(said, AnswerFacts("id", 1, "m")))
    del answer["usage"]
    read = adapter_between(call.format, "anthropic").answer(call, "acme/one", 200, orjson.dumps(answer))
    assert read.usage.is_estimated
    return read.usage.counts["input_tokens"]


@pytest.mark.parametrize("path", REQUESTS)
def test_routing_and_the_bill_say_the_same_number(path):
    call = call_at(path)
    assert (
        GENERATE.requirements(call).input_tokens
        == billed(call)
        == estimate_usage(call.body, 0).counts["input_tokens"]
    )


@pytest.mark.parametrize("path", COUNTERS)
def test_who_asks_is_told_that_number_too(path):
    counter = surface_at(COUNTERS[path])
    counted = counter.count(counter.read(orjson.dumps(REQUESTS[path])))
    [told] = [count for count in counted.values() if isinstance(count, int)]
    assert told == GENERATE.requirements(call_at(path)).input_tokens


def test_a_request_takes_about_as_much_on_any_surface():
    told = {path: GENERATE.requirements(call_at(path)).input_tokens for path in COUNTERS}
    # The sound is Gemini's alone, and the picture in a tool's result Anthropic's.
    sound, picture = len(DATA) // 256, 1_024
    gemini, messages = told["/v1beta/models/m:generateContent"], told["/v1/messages"]
    assert gemini - sound == pytest.approx(messages - picture, rel=0.02)
