"""The first request of each agent, said to providers of each wire format, or refused by the name of what cannot be."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from providers.formats.base import CannotTranslate
from providers.formats.registry import FORMATS
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
def test_first_request_keeps_its_tools_and_its_words_or_is_refused_by_name(name: str, target: str) -> None:
    source, body = captured(name)
    conversation = FORMATS[source].read_request(body)
    try:
        written = FORMATS[target].write_request(
            conversation, Upstream("upstream", is_streamed=True, max_output_tokens=32_000)
        )
    except CannotTranslate as refused:
        first, _, _ = refused.param.partition("[")
        assert first.partition(".")[0] in body
        return
    text = json.dumps(written.body)
    assert WRITTEN in text
    assert all(f'"{tool}"' in text for tool in tool_names(body.get("tools", []))), text


def test_every_agent_has_one_for_each_of_its_surfaces() -> None:
    expected = {f"{key}-{surface}" for key, program in PROGRAMS.items() for surface in program.surfaces}
    assert expected <= set(GOLDEN)


def test_document_says_what_the_suite_holds() -> None:
    """`python -m tests.agents.compatibility` writes it."""
    assert DOCUMENT.read_text() == written()
