"""How messages become turns, and that it costs no more than there are messages."""

from collections.abc import Callable

import pytest

from providers.formats.turns import merge_turns
from providers.wire.conversation import Message, Role, Text, ToolResult
from tests.work import assert_linear

SAID = Message(Role.USER, (Text("a"),))
RESULT = Message(Role.USER, (ToolResult("call", ()),))


@pytest.mark.parametrize("message", [SAID, RESULT], ids=["said", "results"])
def test_merging_costs_what_there_is(message: Message) -> None:
    def make(size: int) -> Callable[[], object]:
        messages = [message] * size
        return lambda: merge_turns(messages)

    assert_linear(make, 200)


def test_a_name_is_kept_from_whichever_message_has_it() -> None:
    named = Message(Role.USER, (Text("b"),), "ann")

    assert merge_turns([RESULT, named, RESULT]) == (
        Message(Role.USER, (*RESULT.parts, *RESULT.parts, Text("b")), "ann"),
    )


def test_speakers_of_different_names_stay_apart() -> None:
    ann, bob = (Message(Role.USER, (Text(name),), name) for name in ("ann", "bob"))

    assert merge_turns([ann, bob, bob]) == (ann, Message(Role.USER, bob.parts * 2, "bob"))
