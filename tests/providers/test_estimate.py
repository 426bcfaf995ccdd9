"""What a request is estimated to take."""

import pytest

from providers.wire.conversation import (
    Audio,
    Conversation,
    File,
    Image,
    Message,
    OutputFormat,
    OutputKind,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from providers.wire.estimate import estimate_input_tokens, estimate_usage
from providers.wire.usage import Usage


def estimate(*parts, **members):
    return estimate_input_tokens(Conversation((Message(Role.USER, parts),), source="chat", **members))


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        (Text("x" * 400), 100),
        (Text("xyz"), 1),
        (Image(url="https://example.org/x"), 1024),
        (Audio("x" * 6400, "mp3"), 100),
        (File(text="x" * 400), 100),
        (File(data="x" * 6400), 100),
        (File(url="https://example.org/x.pdf"), 1500),
        (ToolCall("a", "name", "{}"), 2),
        (ToolResult("a", (Text("word"), Text("word"))), 2),
    ],
)
def test_part_takes_tokens_by_its_kind(part, tokens):
    assert estimate(part) - estimate() == tokens


def test_tools_and_schema_are_part_of_the_prompt():
    schema = {"type": "object"}
    plain = estimate(Text("Hi"))
    assert estimate(Text("Hi"), tools=(Tool("name", "Does it.", schema),)) == plain + 1 + 2 + 5
    assert estimate(Text("Hi"), output=OutputFormat(OutputKind.SCHEMA, schema=schema)) == plain + 5


def test_estimate_is_never_nothing():
    assert estimate_input_tokens(Conversation((), source="chat")) == 1


SAID = "x" * 40
PARTS = [{"type": "text", "text": "x" * 30}, {"text": "x" * 10}]
CALL = {"id": "c", "function": {"name": "f", "arguments": "x" * 40}}


@pytest.mark.parametrize(
    "request_",
    [
        {"messages": [{"role": "user", "content": SAID}]},
        {"messages": [{"role": "user", "content": PARTS}]},
        {"messages": [{"role": "assistant", "content": None, "tool_calls": [CALL]}]},
        {"system": "x" * 30, "messages": [{"role": "user", "content": "x" * 10}]},
        {"instructions": "x" * 30, "input": "x" * 10},
        {"input": [{"role": "user", "content": PARTS}]},
        {"input": [{"type": "function_call_output", "output": SAID}]},
        {"contents": [{"parts": PARTS}]},
        {"systemInstruction": {"parts": [{"text": SAID}]}},
        {"prompt": SAID},
        {"input": [list(range(10))]},
        {"tools": ["x" * 36]},
    ],
)
def test_missing_usage_is_estimated_from_the_text_of_any_surface(request_):
    assert estimate_usage(request_, 5) == Usage(10, 2, is_estimated=True)


DATA = "x" * 6400
MEDIA = [
    ({"type": "image_url", "image_url": {"url": "x" * 999}}, 1024),
    ({"type": "input_image", "image_url": "x" * 999}, 1024),
    ({"type": "input_image", "file_id": "file-1"}, 1024),
    ({"type": "image", "source": {"type": "base64", "data": DATA}}, 1024),
    ({"inlineData": {"mimeType": "image/png", "data": DATA}}, 1024),
    ({"file_data": {"mime_type": "image/png", "file_uri": "x"}}, 1024),
    ({"inlineData": {"mimeType": "application/pdf", "data": DATA}}, 100),
    ({"fileData": {"mimeType": "application/pdf", "fileUri": "x"}}, 1500),
    ({"type": "input_audio", "input_audio": {"data": DATA, "format": "mp3"}}, 100),
    ({"type": "file", "file": {"file_data": DATA}}, 100),
    ({"type": "file", "file": {"file_id": "file-1"}}, 1500),
    ({"type": "input_file", "file_data": DATA}, 100),
    ({"type": "input_file", "file_url": "https://example.org"}, 1500),
    ({"type": "document", "source": {"type": "base64", "data": DATA}}, 100),
    ({"type": "document", "source": {"type": "url", "url": "https://example.org"}}, 1500),
    ({"type": "document", "source": {"type": "text", "data": "x" * 400}}, 100),
    (
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "x" * 400}]}},
        100,
    ),
    ({"type": "document", "source": 7}, 1500),
    ({"type": ["image"]}, 0),
]


@pytest.mark.parametrize(("part", "tokens"), MEDIA)
@pytest.mark.parametrize(
    ("place", "inside"), [("messages", "content"), ("input", "content"), ("contents", "parts")]
)
def test_images_and_files_count_in_the_estimate_of_any_surface(place, inside, part, tokens):
    request = {place: [{"role": "user", inside: [part, {"text": SAID}]}]}
    assert estimate_usage(request, 0).input_tokens == 10 + tokens
