"""Each call of a conversation has an id of its own, within the limits of whoever hears of it."""

import pytest

from providers.formats.base import SaidTools
from providers.formats.limits import LIMITS, shortened
from providers.formats.notes import Notes
from providers.formats.registry import FORMATS
from providers.formats.said_tools import RestoredCalls, fit_ids
from providers.wire.conversation import Conversation, Message, Role, Text, ToolCall, ToolResult
from providers.wire.events import ToolCallStarted


@pytest.mark.parametrize("client", FORMATS)
@pytest.mark.parametrize(
    "call_id", ["call_0", "a.b", *("i" * length for length in (40, 41, 64, 65)), "ü", "x" * 200, ""]
)
def test_ids_are_told_within_the_clients_limits(client: str, call_id: str) -> None:
    restored = RestoredCalls(SaidTools(), LIMITS[client], "seed")
    (event,) = restored.repair(ToolCallStarted(0, call_id, "f"))
    assert LIMITS[client].take_id(event.id)
    assert (event.id == call_id) is LIMITS[client].take_id(call_id)


@pytest.mark.parametrize(
    ("name", "longest"), [("openai", 40), ("responses", 64), ("anthropic", 64), ("gemini", 128)]
)
def test_the_longest_id_is_taken(name: str, longest: int) -> None:
    assert (LIMITS[name].take_id("i" * longest), LIMITS[name].take_id("i" * (longest + 1))) == (True, False)
    assert LIMITS[name].longest_id == longest


def fitted_ids(said: str) -> list[str]:
    """What is said to chat for calls (`!x`), results (`=x`) and turns of the user's (`u`)."""
    made = {"!": lambda x: ToolCall(x, "f", "{}"), "=": lambda x: ToolResult(x, ()), "u": Text}
    parts = [made[word[0]](word[1:]) for word in said.split()]
    roles = [Role.ASSISTANT if isinstance(part, ToolCall) else Role.USER for part in parts]
    messages = tuple(Message(role, (part,)) for role, part in zip(roles, parts, strict=True))
    fitted = fit_ids(Conversation(messages, source="openai"), LIMITS["openai"], Notes("openai"))
    return [
        getattr(part, "id", "") or getattr(part, "call_id", "")
        for each in fitted.messages
        for part in each.parts
    ]


def test_a_result_is_of_the_nearest_call_of_its_id() -> None:
    first, second = "c", shortened("c", "c\n0", 40)
    assert fitted_ids("!c !c =c =c") == [first, second, first, second]
    assert fitted_ids("!c u !c =c") == [first, "", second, second]
    assert fitted_ids("!c =c !c =c =c") == [first, first, second, second, second]
    third = shortened("c", "c\n1", 40)
    assert fitted_ids("!c =c !c =c !c =c")[::2] == [first, second, third]


def test_a_result_whose_call_somebody_else_keeps_is_said_alike_each_time() -> None:
    long = "x" * 70
    assert fitted_ids(f"=c ={long} ={long}") == ["c", *[shortened(long, f"{long}\n0", 40)] * 2]


def test_what_is_said_for_an_id_stays_when_the_history_grows() -> None:
    few, many = (fitted_ids("!c =c " * count) for count in (3, 6))
    assert many[:6] == few
    assert len(set(many)) == 6


def test_nothing_is_told_of_ids_that_stay() -> None:
    notes, said = Notes("openai"), Message(Role.ASSISTANT, (ToolCall("c", "f", "{}"),))
    asked = Conversation((said,), source="openai")
    assert fit_ids(asked, LIMITS["openai"], notes) is asked
    assert notes.translated == []
    fit_ids(Conversation((said, said), source="openai"), LIMITS["openai"], notes)
    assert notes.translated == ["messages.tool_call_id -> ids that the provider takes"]
