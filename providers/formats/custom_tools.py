"""Tools that take plain text, which only OpenAI's two formats have: others know them as functions of one string."""

from collections.abc import Mapping
from typing import Any

import orjson

from providers.wire.conversation import Tool
from providers.wire.json_text import read_object

INPUT = "input"
"""The one member of a custom tool's arguments."""
_ONE_STRING = {
    "type": "object",
    "properties": {INPUT: {"type": "string", "description": "The whole input, as plain text."}},
    "required": [INPUT],
    "additionalProperties": False,
}


def custom_function(name: str, description: object, grammar: object) -> Tool:
    """`grammar` has `syntax` and `definition`, where the input has to keep to one: nobody else enforces it."""
    told = [description] if isinstance(description, str) else []
    if isinstance(grammar, Mapping):
        syntax, definition = grammar.get("syntax"), grammar.get("definition")
        told.append(f"The input has to keep to this grammar ({syntax}):\n{definition}")
    return Tool(name, "\n\n".join(told) if told else None, _ONE_STRING)


def arguments_of(said: object) -> str:
    """Of a call in the history."""
    return orjson.dumps({INPUT: str(said or "")}).decode()


def input_of(arguments: str) -> str:
    """What a model called a custom tool with, as a function or by any other member of one text."""
    members: Mapping[str, Any] | None = read_object(arguments)
    if members is None:
        return arguments
    if isinstance(members.get(INPUT), str):
        return str(members[INPUT])
    texts = [value for value in members.values() if isinstance(value, str)]
    return texts[0] if len(texts) == len(members) == 1 else arguments
