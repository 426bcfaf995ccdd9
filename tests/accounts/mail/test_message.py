"""What a mail says, as text and as HTML."""

import pytest

from accounts.mail.message import (
    SUBJECT_LENGTH,
    Button,
    Facts,
    Heading,
    Listing,
    Message,
    Part,
    Table,
    keep_parts,
    kept_parts,
    read_parts,
)
from accounts.mail.writing import write_html, write_text

PARTS: list[Part] = [
    Heading("Atlas"),
    "Two lines\nof one paragraph.",
    Facts([("Key", "billing"), ("Team", "Atlas")]),
    Table(
        "Models", ("Model", "Spent", "Calls"), [("acme/large", "$12.00", "1,200"), ("acme/s", "< $0.01", "3")]
    ),
    Listing("Keys that end", ["nightly, on 7 Dec 2026"]),
]
ODD = [
    "<script>alert(1)</script>",
    "\u202eevil",
    'a" onload="x',
    "עברית",
    "x" * 300,
    "a\r\nBcc: eve@example.com",
]


def message(**given: object) -> Message:
    said = {"kind": "key.created", "subject": "A key was made", "parts": PARTS, "why": "Why.", "stop": "How."}
    return Message(**(said | given))  # type: ignore[arg-type]


def test_text_says_all_in_order() -> None:
    assert write_text(message(button=Button("Look", "https://gw.example/x"))) == (
        "A key was made\n\n"
        "Atlas\n=====\n\n"
        "Two lines\nof one paragraph.\n\n"
        "Key: billing\nTeam: Atlas\n\n"
        "Models\n"
        "Model         Spent  Calls\n"
        "acme/large   $12.00  1,200\n"
        "acme/s      < $0.01      3\n\n"
        "Keys that end\n- nightly, on 7 Dec 2026\n\n"
        "Look:\nhttps://gw.example/x\n\n"
        "-- \nWhy.\nHow.\n"
    )


@pytest.mark.parametrize("word", ODD)
def test_what_people_typed_is_text_and_begins_no_header(word: str) -> None:
    parts = [
        Heading(word),
        word,
        Facts([(word, word)]),
        Table(word, (word,), [(word,)]),
        Listing(word, [word]),
    ]
    said = message(subject=f"A key was made: {word}", parts=parts, why=word, stop=word)
    html = write_html(said)
    assert "<script" not in html
    assert ' onload="x' not in html
    assert "\n" not in said.first_line
    assert "\r" not in said.first_line
    assert "\u202e" not in said.first_line
    assert len(said.first_line) <= SUBJECT_LENGTH


def test_html_asks_no_other_host_and_wraps_long_words() -> None:
    html = write_html(message(button=Button("Look", "https://gw.example/x")))
    assert "src=" not in html
    assert "url(" not in html
    assert "@import" not in html
    assert 'href="https://gw.example/x"' in html
    assert "overflow-wrap: anywhere" in html
    assert "prefers-color-scheme: dark" in html


def test_parts_are_kept_as_json_and_come_back() -> None:
    assert write_text(message(parts=list(kept_parts(keep_parts(PARTS))))) == write_text(message())


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Key: a\nTeam: b", [Facts([("Key", "a"), ("Team", "b")])]),
        ("Key: a\n\nRotate it: now", [Facts([("Key", "a")]), Facts([("Rotate it", "now")])]),
        ("A sentence.\nAnother one: here.", ["A sentence.\nAnother one: here."]),
        ("Why: first\nsecond line\nTeam: b", [Facts([("Why", "first\nsecond line"), ("Team", "b")])]),
        ("\n\n", []),
        ("Found at: https://x.example/a?b=c: d", [Facts([("Found at", "https://x.example/a?b=c: d")])]),
    ],
)
def test_facts_are_found_in_a_text(text: str, parts: list[Part]) -> None:
    assert read_parts(text) == parts
