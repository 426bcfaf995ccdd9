"""The first request of each agent, said to providers of each wire format."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from providers.formats.registry import FORMATS
from providers.formats.translation import write_for
from providers.wire.upstream import Upstream
from tests.agents.compatibility import DOCUMENT, written
from tests.agents.programs import PROGRAMS
from tests.agents.worker import WRITTEN

GOLDEN = {path.stem: path for path in sorted((Path(__file__).parent / "golden").glob("*.json"))}
SPOKEN = {"chat": "openai", "responses": "responses", "messages": "anthropic", "gemini": "gemini"}
"""What clients of a surface speak."""


@cache
def captured(name: str) -> tuple[str, dict[str, Any]]:
    """The format that it is in, and the request."""
    key = next(key for key in PROGRAMS if name.startswith(f"{key}-"))
    surface, _, _ = name.removeprefix(f"{key}-").partition("-")
    return SPOKEN[surface], json.loads(GOLDEN[name].read_text())


def tool_names(tools: list[Any]) -> set[str]:
    """Of what Messages, Responses and chat call tools; those in namespaces too."""
    names: set[str] = set()
    for tool in tools:
        if tool.get("type") == "namespace":
            names |= tool_names(tool["tools"])
        elif "functionDeclarations" in tool:
            names |= tool_names(tool["functionDeclarations"])
        else:
            names.add(tool.get("function", tool).get("name"))
    return names - {None}


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("name", GOLDEN)
def test_first_request_keeps_its_tools_and_its_words(name: str, target: str) -> None:
    source, body = captured(name)
    upstream = Upstream("upstream", is_streamed=True, max_output_tokens=32_000)
    client = FORMATS[source]
    written = write_for(FORMATS[target], client, client.read_request(body), upstream)
    text = json.dumps(written.body)
    assert WRITTEN in text
    listed = [tool for item in body.get("input", ()) for tool in item.get("tools", ())]
    assert all(f'{tool}"' in text for tool in tool_names([*body.get("tools", ()), *listed])), text


def test_every_agent_has_one_for_each_of_its_surfaces() -> None:
    expected = {f"{key}-{surface}" for key, program in PROGRAMS.items() for surface in program.surfaces}
    assert expected <= set(GOLDEN)


def test_document_says_what_the_suite_holds() -> None:
    """`python -m tests.agents.compatibility` writes it."""
    assert DOCUMENT.read_text() == written()
