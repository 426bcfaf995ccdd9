"""The conversation and the answer that `benchmarks.translation` carries between formats."""

from collections.abc import Sequence

from providers.wire.conversation import (
    Conversation,
    Message,
    Part,
    Role,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from providers.wire.events import Event, Finished, FinishReason, Started, TextDelta, UsageSeen
from providers.wire.usage import Usage, counted

SIZE_BYTES = 16 * 1024
DELTAS = 200
EVENTS: Sequence[Event] = (
    Started("upstream-1"),
    *(TextDelta(f" word{number}") for number in range(DELTAS)),
    Finished(FinishReason.STOP, "stop"),
    UsageSeen(Usage(counted(input_tokens=4000, output_tokens=DELTAS))),
)
_SENTENCE = "The ship leaves the harbour at noon, and nobody knows when it will be back. "
_SCHEMA = {
    "type": "object",
    "properties": {
        "place": {"type": "string", "description": "The name of a town."},
        "days": {"type": "integer", "minimum": 1},
    },
    "required": ["place"],
}


def conversation(text_bytes: int) -> Conversation:
    """Twenty turns and four tools, two of them called; the text is spread over sixteen of the turns."""
    turn = (_SENTENCE * (text_bytes // 16 // len(_SENTENCE) + 1))[: max(1, text_bytes // 16)]
    return Conversation(
        (Message(Role.SYSTEM, (Text("Be brief."),)), *_turns(turn)),
        source="openai",
        max_output_tokens=4096,
        sampling=Sampling(temperature=0.5),
        tools=tuple(Tool(f"look_{number}", "The weather of a place.", _SCHEMA) for number in range(4)),
    )


def _turns(text: str) -> list[Message]:
    turns = []
    for number in range(8):
        said: tuple[Part, ...] = (Text(text),)
        if number in {3, 6}:
            call = ToolCall(f"call_{number}", f"look_{number - 3}", '{"place":"Oslo","days":3}')
            turns.append(Message(Role.USER, (Text("And there?"),)))
            turns.append(Message(Role.ASSISTANT, (call,)))
            said = (ToolResult(call.id, (Text("It rains."),)), *said)
        turns.append(Message(Role.USER, said))
        turns.append(Message(Role.ASSISTANT, (Text(text),)))
    return [*turns, Message(Role.USER, (Text("What now?"),))]
