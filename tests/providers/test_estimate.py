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
from providers.wire.estimate import estimate_input_tokens


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
