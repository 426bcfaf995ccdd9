"""Random conversations that every wire format can say, for the tests of all of them."""

import random
from dataclasses import replace

from providers.wire.conversation import (
    ChoiceMode,
    Conversation,
    Image,
    Message,
    OutputFormat,
    OutputKind,
    Reasoning,
    Role,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_TEXTS = ("Hello.", "Grüße, 世界 🌍", 'a "quoted"\nline', "0")
_IMAGES = (
    Image(data="iVBORw0KGgo=", media_type="image/png"),
    Image(url="https://example.org/cat.jpg", media_type="image/jpeg"),
)
_NAMES = ("get_weather", "find-place")


def random_conversation(chance: random.Random, source: str) -> Conversation:
    """Turns alternate; the last is the user's. Every call is answered in the turn after it, results in front."""
    tools = tuple(map(_tool, chance.sample(_NAMES, chance.randint(0, 2))))
    conversation = Conversation(tuple(_messages(chance, tools, source)), source=source, tools=tools)
    return replace(
        conversation,
        max_output_tokens=chance.choice((None, 4_096)),
        sampling=_sampling(chance),
        tool_choice=_choice(chance, tools),
        output=chance.choice((None, OutputFormat(OutputKind.SCHEMA, "place", SCHEMA))),
    )


def _messages(chance: random.Random, tools: tuple[Tool, ...], source: str) -> list[Message]:
    messages = [Message(Role.SYSTEM, (_text(chance),))] if chance.random() < 0.5 else []
    messages.append(Message(Role.USER, _said(chance)))
    for turn in range(chance.randint(0, 3)):
        calls = _calls(chance, tools, turn)
        messages.append(Message(Role.ASSISTANT, (*_thoughts(chance, source), _text(chance), *calls)))
        results = tuple(ToolResult(call.id, (_text(chance),)) for call in calls)
        messages.append(Message(Role.USER, (*results, *_said(chance))))
    return messages


def _said(chance: random.Random) -> tuple[Text | Image, ...]:
    return (_text(chance), *chance.sample(_IMAGES, chance.randint(0, 2)))


def _text(chance: random.Random) -> Text:
    return Text(chance.choice(_TEXTS))


def _thoughts(chance: random.Random, source: str) -> tuple[Reasoning, ...]:
    return (Reasoning("Let me see.", "c2lnbmVk", origin=source),) if chance.random() < 0.5 else ()


def _calls(chance: random.Random, tools: tuple[Tool, ...], turn: int) -> tuple[ToolCall, ...]:
    chosen = [chance.choice(tools) for _ in range(chance.randint(0, 2))] if tools else []
    return tuple(
        ToolCall(f"call_{turn}_{index}", tool.name, '{"city":"Oslo"}') for index, tool in enumerate(chosen)
    )


def _tool(name: str) -> Tool:
    return Tool(name, f"What {name} does.", SCHEMA)


def _choice(chance: random.Random, tools: tuple[Tool, ...]) -> ToolChoice | None:
    if not tools:
        return None
    named = ToolChoice(ChoiceMode.REQUIRED, (tools[0].name,))
    return chance.choice((None, named, *map(ToolChoice, ChoiceMode)))


def _sampling(chance: random.Random) -> Sampling:
    return Sampling(
        temperature=chance.choice((None, 0.5)),
        top_p=chance.choice((None, 0.9)),
        stop=chance.choice(((), ("END", "STOP"))),
    )
