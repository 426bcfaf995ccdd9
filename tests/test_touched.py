"""What a further one of its kind touches (docs/architecture.md): who knows each by name is counted from imports."""

import ast
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("gateway", "catalogue", "providers", "accounts")
SURFACES, FORMATS, OPERATIONS = "gateway.proxy.surfaces", "providers.formats", "providers.operations"
LISTS = {
    SURFACES: "gateway.proxy.surfaces",
    FORMATS: "providers.formats.registry",
    OPERATIONS: "providers.operations.registry",
}
# What all surfaces stand on, and that which explains the others.
SHARED = {"base", "bounds", "fields", "settings", "explain"}
# By format, who knows it besides: its vendor's own surface, embeddings and proofs, and what keeps its answers.
ALSO = {
    "responses": {"gateway.proxy.stored"},
    "gemini": {
        "gateway.proxy.surfaces.gemini",
        "providers.formats.embeddings.gemini",
        "providers.formats.proofs",
    },
}


@cache
def importers() -> Mapping[str, frozenset[str]]:
    """By module, those that import it or something of it."""
    found: dict[str, set[str]] = {}
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            for name in _imported(ast.parse(file.read_text("utf-8"))):
                found.setdefault(name, set()).add(module)
    return {name: frozenset(modules) for name, modules in found.items()}


def _imported(tree: ast.AST) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{each.name}" for each in node.names))
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)


def who_knows(module: str) -> set[str]:
    """Outside of it."""
    inner = f"{module}."
    known = (by for name, by in importers().items() if name == module or name.startswith(inner))
    return {each for by in known for each in by if each != module and not each.startswith(inner)}


def modules_in(room: str) -> set[str]:
    return {file.stem for file in (ROOT / room.replace(".", "/")).glob("*.py")} - {"__init__"}


@pytest.mark.parametrize("name", sorted(modules_in(SURFACES) - SHARED))
def test_a_surface_is_its_module_and_a_line_of_their_list(name: str) -> None:
    assert who_knows(f"{SURFACES}.{name}") == {LISTS[SURFACES]}


@pytest.mark.parametrize("name", ["anthropic", "gemini", "responses"])
def test_a_wire_format_is_its_folder_and_a_line_of_their_list(name: str) -> None:
    """Chat is what several stand on: Responses, completions, and embeddings of its vendors."""
    assert who_knows(f"{FORMATS}.{name}") == {LISTS[FORMATS]} | ALSO.get(name, set())


@pytest.mark.parametrize("name", ["embed", "generate"])
def test_a_kind_of_call_is_its_module_and_a_line_of_their_list(name: str) -> None:
    assert who_knows(f"{OPERATIONS}.{name}") == {LISTS[OPERATIONS]}
