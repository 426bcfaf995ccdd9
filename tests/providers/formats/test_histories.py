"""Calls and what they gave stand together in every format, whatever was said in between."""

from itertools import product

import pytest

from providers.formats import histories
from providers.formats.base import CannotTranslate
from providers.formats.histories import results_behind_calls
from providers.formats.notes import Notes
from providers.formats.registry import ANTHROPIC, FORMATS, OPENAI, RESPONSES
from providers.formats.translation import write_for
from providers.wire.conversation import Message, Role, Text, ToolCall, ToolResult
from providers.wire.upstream import Upstream
from tests.work import assert_linear

UPSTREAM = Upstream("m", is_streamed=False, max_output_tokens=9)
ROLES = {"u": Role.USER, "s": Role.SYSTEM, "a": Role.ASSISTANT}


def message(word: str) -> Message:
    """`u`, `s` or `a` say something, `!x` calls and `=x` gives what x was called for; `+` joins them."""
    kinds = word.split("+")
    parts = tuple(
        ToolCall(kind[1:], "f", "{}")
        if kind[0] == "!"
        else ToolResult(kind[1:], (Text(kind),))
        if kind[0] == "="
        else Text(kind)
        for kind in kinds
    )
    role = Role.ASSISTANT if "!" in word else Role.USER if "=" in word else ROLES[word[0]]
    return Message(role, parts)


def words(messages: tuple[Message, ...]) -> str:
    return " ".join("+".join(map(word, message.parts)) for message in messages)


def word(part) -> str:
    match part:
        case ToolCall():
            return f"!{part.id}"
        case ToolResult():
            return f"={part.call_id}"
    return part.text


@pytest.mark.parametrize(
    ("said", "ordered"),
    [
        # As every format has it.
        ("u !x =x a u", None),
        ("u !x !y =x =y", None),
        ("u !x+!y =y+=x u", None),
        ("u !x =x+u a", None),
        ("u !x =x !x =x", None),
        # A developer's word, a turn of the user's or an answer comes in between.
        ("u !x s =x a", "u !x =x s a"),
        ("u !x u =x", "u !x =x u"),
        ("u !x u a =x", "u !x =x u a"),
        ("u !x u =x+u2 a", "u !x =x u u2 a"),
        # Said beside the calls, and not behind them.
        ("u !x a =x u", "u a !x =x u"),
        ("u a1 !x !y a2 =x =y", "u a1 a2 !x !y =x+=y"),
        ("!x !y a =x =y", "a !x !y =x+=y"),
        # Calls side by side stay so.
        ("u !x s !y =x =y", "u !x =x s !y =y"),
        ("u !x !y s =y =x a", "u !x !y =y+=x s a"),
        # Of one id, each has its own result.
        ("u !x s =x !x s =x", "u !x =x s !x =x s"),
        ("u !x s !x =x =x", "u !x =x s !x =x"),
        ("u !x s !x+!x =x =x =x", "u !x =x s !x+!x =x+=x"),
    ],
)
def test_results_stand_behind_their_calls(said: str, ordered: str | None) -> None:
    messages, notes = tuple(map(message, said.split())), Notes("openai")
    result = results_behind_calls(messages, notes)
    assert words(result) == (ordered or said)
    assert (result is messages) is (ordered is None)
    assert notes.translated == (
        [] if ordered is None else ["messages.tool_call_id -> right behind the calls"]
    )


def test_a_result_without_a_call_is_refused_by_its_id() -> None:
    for said in ("u =x", "u !y =x", "u =x !x"):
        with pytest.raises(CannotTranslate, match="'x'") as refused:
            results_behind_calls(tuple(map(message, said.split())), Notes("responses"))
        assert (refused.value.param, refused.value.code) == ("input.call_id", "invalid_value")


def test_a_long_id_is_named_by_its_beginning() -> None:
    with pytest.raises(CannotTranslate, match=r"'y{80}'"):
        results_behind_calls((message("=" + "y" * 90),), Notes("openai"))


def test_ordering_costs_what_there_is() -> None:
    def make(size: int):
        messages = tuple(map(message, ("!x s " * size + "=x " * size).split()))
        return lambda: results_behind_calls(messages, Notes("openai"))

    assert_linear(make, 100)


ITEMS = [
    {"role": "user", "content": "u"},
    {"type": "function_call", "call_id": "x", "name": "f", "arguments": "{}"},
    {"role": "developer", "content": "d"},
    {"role": "assistant", "content": "a"},
    {"type": "function_call_output", "call_id": "x", "output": "r"},
]


@pytest.mark.parametrize("name", ["openai", "anthropic", "gemini"])
def test_what_responses_says_in_between_reaches_every_provider(name: str) -> None:
    asked = RESPONSES.read_request({"model": "m", "input": ITEMS})
    written = write_for(FORMATS[name], RESPONSES, asked, UPSTREAM)
    assert "input.call_id -> right behind the calls" in written.translated
    again = FORMATS[name].read_request(written.body)
    kinds = [type(part).__name__ for message in again.messages for part in message.parts]
    assert kinds == ["Text", "ToolCall", "ToolResult", "Text", "Text"]


def test_responses_own_clients_are_passed_on_as_they_say_it() -> None:
    asked = RESPONSES.read_request({"model": "m", "input": ITEMS})
    assert write_for(RESPONSES, RESPONSES, asked, UPSTREAM).body["input"] == ITEMS


BLANK = [
    {"role": "system", "content": " "},
    {"role": "user", "content": "u"},
    {"role": "assistant", "content": " \n"},
    {"role": "user", "content": [{"type": "text", "text": "\t"}, {"type": "text", "text": " u "}]},
    {"role": "assistant", "content": "go on \n"},
]


def test_anthropic_gets_no_texts_of_white_space() -> None:
    asked = OPENAI.read_request({"model": "m", "messages": BLANK})
    written = write_for(ANTHROPIC, OPENAI, asked, UPSTREAM)
    text = [[block["text"] for block in turn["content"]] for turn in written.body["messages"]]
    assert ("system" in written.body, text) == (False, [["u", " u "], ["go on"]])
    assert written.translated == ("messages -> without texts of white space",)


def test_anthropics_own_clients_are_helped_too() -> None:
    said = [
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": [{"type": "text", "text": " "}, {"type": "text", "text": "a"}]},
        {"role": "user", "content": "\n"},
    ]
    body = {"model": "m", "max_tokens": 9, "system": " ", "messages": said}
    written = ANTHROPIC.write_request(ANTHROPIC.read_request(body), UPSTREAM)
    assert "system" not in written.body
    assert written.body["messages"] == [
        said[0],
        {"role": "assistant", "content": [{"type": "text", "text": "a"}]},
    ]


def outcome(history: tuple[str, ...]) -> str:
    try:
        return words(results_behind_calls(tuple(map(message, history)), Notes("openai")))
    except CannotTranslate as refusal:
        return f"refused: {refusal}"


def test_histories_that_are_left_as_they_are_would_come_out_the_same(monkeypatch):
    kinds = ("u", "s", "a", "!x", "!y", "!x+!y", "!x+!x", "=x", "=y", "=x+=y", "=y+=x")
    every = [history for length in range(1, 5) for history in product(kinds, repeat=length)]
    quick = list(map(outcome, every))
    monkeypatch.setattr(histories, "_stand_behind_calls", lambda messages: False)
    slow = list(map(outcome, every))
    different = [
        (history, *both) for history, *both in zip(every, quick, slow, strict=True) if both[0] != both[1]
    ]
    assert different == []


@pytest.mark.parametrize(
    "said",
    [
        "",
        "u a u",
        "u !x =x a",
        "u !x =x !y =y",
        "!x+!y =y+=x u",
        "!x !y =x =y u",
        "!x+!x =x =x",
        "a+!x =x+u !x =x",
    ],
)
def test_most_histories_are_seen_to_be_in_order_without_taking_them_apart(said):
    assert histories._stand_behind_calls(tuple(map(message, said.split())))


@pytest.mark.parametrize(
    "said",
    [
        "=x",
        "!x u =x",
        "!x =x u =x",
        "!x =x =x",
        "!x =y",
        "!x !y =x u =y",
        "!x =x u !y =x",
        "!x u !y =x",
        "!x+=x",
    ],
)
def test_histories_that_are_not_surely_in_order_are_taken_apart(said):
    assert not histories._stand_behind_calls(tuple(map(message, said.split())))
