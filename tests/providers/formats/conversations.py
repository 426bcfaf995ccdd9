"""Makes random conversations, always the same for a seed, of what a wire format can say."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from providers.wire.conversation import (
    Audio,
    CacheMark,
    ChoiceMode,
    Conversation,
    File,
    Image,
    Message,
    OutputFormat,
    OutputKind,
    Part,
    Reasoning,
    ReasoningConfig,
    Role,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

T = TypeVar("T")
WORDS = ("sea", "ship", "Überfahrt", "北京", "🚢", 'a "quoted" word', "line\nbreak", "{", "\\")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
SAMPLING = {
    "temperature": 0.25,
    "top_p": 0.5,
    "top_k": 40,
    "frequency_penalty": 0.5,
    "presence_penalty": -0.5,
    "seed": 7,
    "stop": ("END", "\n\n"),
    "logit_bias": {"50256": -100},
    "logprobs": True,
    "top_logprobs": 3,
}


@dataclass(frozen=True)
class Ability:
    """What a format can say, so that nothing else is made. `origin` is its name.

    `sampling` names fields of Sampling. `results` are the kinds of part that a tool's result may have.
    """

    origin: str
    parts: frozenset[type] = frozenset({Text, Image, Audio, File})
    results: frozenset[type] = frozenset({Text})
    sampling: frozenset[str] = frozenset(SAMPLING)
    has_errors: bool = False
    has_marks: bool = True
    has_signatures: bool = True
    has_encrypted: bool = True
    has_plain_thoughts: bool = True
    has_ids: bool = False
    efforts: Sequence[str] = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
    has_budgets: bool = False
    outputs: frozenset[OutputKind] = frozenset(OutputKind)
    has_verbosity: bool = True
    mark_ttls: Sequence[str | None] = (None, "5m", "1h")


def make_conversation(seed: int, can: Ability) -> Conversation:
    return _Maker(Random(seed), can).conversation()


class _Maker:
    def __init__(self, random: Random, can: Ability) -> None:
        self.random = random
        self.can = can
        self._calls = 0

    def conversation(self) -> Conversation:
        tools = tuple(self.tool(i) for i in range(self.random.randrange(4)))
        return Conversation(
            messages=self.messages(tools),
            source=self.can.origin,
            max_output_tokens=self.maybe(1000),
            sampling=self.sampling(),
            tools=tools,
            tool_choice=self.choice(tools) if tools else None,
            parallel_tool_calls=self.maybe(False) if tools else None,
            output=self.output(),
            reasoning=self.reasoning(),
            verbosity=self.maybe("low") if self.can.has_verbosity else None,
        )

    def messages(self, tools: Sequence[Tool]) -> tuple[Message, ...]:
        messages = [Message(Role.SYSTEM, tuple(self.some(self.text)))] if self.happens() else []
        messages.append(Message(Role.USER, tuple(self.some(self.said))))
        for _ in range(self.random.randrange(3)):
            calls = self.some(lambda: self.call(tools)) if tools and self.happens() else []
            messages.append(Message(Role.ASSISTANT, (*self.thoughts(), *self.answer_text(calls), *calls)))
            results = tuple(self.result(call) for call in calls)
            others = self.some(self.said) if not results or self.happens() else []
            messages.append(Message(Role.USER, (*results, *others)))
        return tuple(messages)

    def thoughts(self) -> list[Reasoning]:
        return self.some(self.thought) if self.happens() else []

    def answer_text(self, calls: Sequence[ToolCall]) -> list[Text]:
        return [] if calls and self.happens() else [Text(self.words())]

    def said(self) -> Part:
        kinds = sorted(self.can.parts, key=lambda kind: kind.__name__)
        return self.make(self.random.choice(kinds))

    def make(self, kind: type) -> Part:
        made: dict[type, Part] = {
            Text: self.text(),
            Image: self.image(),
            Audio: Audio("UklGRg==", "wav"),
            File: File(data="JVBERi0=", media_type="application/pdf", name="a.pdf", cache=self.mark()),
        }
        return made[kind]

    def text(self) -> Text:
        return Text(self.words(), self.mark())

    def image(self) -> Image:
        if self.happens():
            return Image(url="https://example.com/a.png", cache=self.mark())
        return Image(data="iVBORw==", media_type="image/png", cache=self.mark())

    def thought(self) -> Reasoning:
        self._calls += 1
        text, thought_id = self.words(), f"rs_{self._calls}" if self.can.has_ids else None
        if self.can.has_encrypted and (self.happens() or not self.can.has_plain_thoughts):
            return Reasoning(text, encrypted=f"enc{self._calls}", origin=self.can.origin, id=thought_id)
        if self.can.has_signatures and self.happens():
            return Reasoning(text, signature=f"sig{self._calls}", origin=self.can.origin, id=thought_id)
        return Reasoning(text, origin=self.can.origin, id=thought_id)

    def call(self, tools: Sequence[Tool]) -> ToolCall:
        self._calls += 1
        return ToolCall(f"call_{self._calls}", self.random.choice(tools).name, '{"city":"Köln"}')

    def result(self, call: ToolCall) -> ToolResult:
        kinds = sorted(self.can.results, key=lambda kind: kind.__name__)
        parts = tuple(self.some(lambda: self.make(self.random.choice(kinds))))
        return ToolResult(call.id, parts, is_error=self.can.has_errors and self.happens())

    def tool(self, number: int) -> Tool:
        return Tool(
            f"tool_{number}", self.maybe(self.words()), self.random.choice((SCHEMA, {})), self.maybe(True)
        )

    def choice(self, tools: Sequence[Tool]) -> ToolChoice | None:
        named = ToolChoice(ChoiceMode.REQUIRED, (tools[0].name,))
        return self.random.choice((None, named, *map(ToolChoice, ChoiceMode)))

    def output(self) -> OutputFormat | None:
        kind = self.random.choice(sorted(self.can.outputs))
        if kind is OutputKind.SCHEMA:
            return OutputFormat(kind, name="place", schema=SCHEMA, strict=self.maybe(True))
        return self.maybe(OutputFormat(kind))

    def reasoning(self) -> ReasoningConfig | None:
        if self.can.has_budgets and self.happens():
            return ReasoningConfig(budget_tokens=2048)
        return self.maybe(ReasoningConfig(effort=self.random.choice(self.can.efforts)))

    def sampling(self) -> Sampling:
        return Sampling(**{name: SAMPLING[name] for name in sorted(self.can.sampling) if self.happens()})

    def mark(self) -> CacheMark | None:
        if not self.can.has_marks or self.random.random() < 0.8:
            return None
        return CacheMark(self.random.choice(self.can.mark_ttls))

    def words(self) -> str:
        return " ".join(self.random.choices(WORDS, k=self.random.randrange(1, 5)))

    def some(self, make) -> list:
        return [make() for _ in range(self.random.randrange(1, 4))]

    def maybe(self, value: T) -> T | None:
        return value if self.happens() else None

    def happens(self) -> bool:
        return self.random.random() < 0.5
