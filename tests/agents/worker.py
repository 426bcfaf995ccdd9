"""The model behind the providers: it has a file written by the agent's own tool, and then says that it is done.

What it is told is read as it came over the wire, not by the product's readers, which the suite is to judge.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from providers.formats.base import Format
from providers.wire.events import (
    Event,
    Finished,
    FinishReason,
    Started,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from tests.used import used

WRITTEN = "Written by an agent."
DONE = "The file has been written."
ASKED = f"Write a file of the one line '{WRITTEN}' to {{path}} by a tool of yours, and say when that is done."
_PATH = re.compile(r"/[\w/.-]+/hello\.txt")
_LISTED = f"hello.txt\n```\n{WRITTEN}\n```\n"
"""As aider reads files from the text of an answer."""
_USAGE = UsageSeen(used(input_tokens=70, output_tokens=30))

Arguments = Callable[[str], dict[str, Any]]
_SHELL = f"printf '%s\\n' '{WRITTEN}' > "
WRITERS: dict[str, Arguments] = {
    # Codex
    "exec_command": lambda path: {"cmd": _SHELL + path},
    "shell_command": lambda path: {"command": _SHELL + path},
    "shell": lambda path: {"command": ["bash", "-c", _SHELL + path]},
    # Claude Code
    "Write": lambda path: {"file_path": path, "content": WRITTEN + "\n"},
    # opencode
    "write": lambda path: {"filePath": path, "content": WRITTEN + "\n"},
    # Gemini CLI, and the agents in `frameworks`
    "write_file": lambda path: {"file_path": path, "content": WRITTEN + "\n"},
}
"""The tools that write, by the names that agents give them, and what they are called with."""


def decide(wire_format: Format, body: dict[str, Any]) -> Sequence[Event]:
    text = json.dumps(body)
    tools = [name for name in _tools(wire_format.name, body) if name in WRITERS]
    path = _PATH.search(text)
    if not tools and "*file listing*" in text:
        return (
            Started(id="upstream-1"),
            TextDelta(f"{DONE}\n\n{_LISTED}"),
            Finished(FinishReason.STOP),
            _USAGE,
        )
    if not tools or not path or _has_result(wire_format.name, body):
        return (Started(id="upstream-1"), TextDelta(DONE), Finished(FinishReason.STOP, "stop"), _USAGE)
    arguments = json.dumps(WRITERS[tools[0]](path[0]))
    return (
        Started(id="upstream-1"),
        TextDelta("I shall write it."),
        ToolCallStarted(0, "call_1", tools[0]),
        ToolArguments(0, arguments[:9]),
        ToolArguments(0, arguments[9:]),
        Finished(FinishReason.TOOL_CALLS),
        _USAGE,
    )


def _tools(wire_format: str, body: dict[str, Any]) -> Iterator[str]:
    for tool in body.get("tools") or ():
        if wire_format == "openai":
            yield tool["function"]["name"]
        elif wire_format == "gemini":
            yield from (declared["name"] for declared in tool.get("functionDeclarations", ()))
        elif "name" in tool:
            yield tool["name"]


def _has_result(wire_format: str, body: dict[str, Any]) -> bool:
    match wire_format:
        case "openai":
            return any(message["role"] == "tool" for message in body["messages"])
        case "responses":
            items = body["input"] if isinstance(body["input"], list) else []
            return any(str(item.get("type")).endswith("_call_output") for item in items)
        case "anthropic":
            blocks = (message["content"] for message in body["messages"])
            return any(
                block["type"] == "tool_result" for part in blocks if isinstance(part, list) for block in part
            )
    return any("functionResponse" in part for content in body["contents"] for part in content["parts"])
