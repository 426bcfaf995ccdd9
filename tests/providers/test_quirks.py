"""A vendor's habit is one file: the quirk is declared where it is obeyed."""

import re
from pathlib import Path

import pytest

from providers.operations.registry import KNOWN_QUIRKS
from providers.wire.quirks import declared_quirks, quirk

PROVIDERS = Path(__file__).resolve().parents[2] / "providers"
DECLARED = re.compile(r'(\w+) = quirk\(\s*"(\w+)"')
FILES = {
    name: (constant, path.read_text("utf-8"))
    for path in PROVIDERS.rglob("*.py")
    for constant, name in DECLARED.findall(path.read_text("utf-8"))
}


def test_every_quirk_that_staff_can_choose_is_declared_in_a_file_that_was_read() -> None:
    assert FILES.keys() == KNOWN_QUIRKS.keys()
    assert declared_quirks() == KNOWN_QUIRKS


@pytest.mark.parametrize("name", FILES)
def test_a_quirk_is_obeyed_where_it_is_declared(name: str) -> None:
    constant, text = FILES[name]
    assert len(re.findall(rf"\b{constant}\b", text)) > 1


@pytest.mark.parametrize("name", FILES)
def test_no_other_file_spells_a_quirk_that_it_obeys(name: str) -> None:
    """So that a search for the constant finds all of them."""
    spelt = re.compile(rf'"{name}"( not)? in (\w+\.)*quirks\b')
    assert [str(path) for path in PROVIDERS.rglob("*.py") if spelt.search(path.read_text("utf-8"))] == []


def test_a_quirk_is_declared_once() -> None:
    with pytest.raises(ValueError, match="The quirk 'think_tags' is declared twice"):
        quirk("think_tags", "Something else")
    assert declared_quirks()["think_tags"] != "Something else"


def test_staff_read_quirks_in_the_order_of_their_meanings() -> None:
    meanings = list(KNOWN_QUIRKS.values())
    assert meanings == sorted(meanings)
    assert len({*meanings}) == len(meanings)
