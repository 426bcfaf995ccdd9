"""A request for generated text, in one form for every wire format. Pure values.

Whatever a client speaks is read into a Conversation, and whatever a provider speaks is written from one. Whoever
changes it replaces values by others; what was not replaced keeps its wording, in which a provider of the client's own
format is told it: see formats.wording.

Nobody changes a value in place, but for its wording, which is put in once by whoever reads it. What has one is not
frozen: a request holds many, and a frozen value takes several times as long to build.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = Any
"""A JSON value as orjson reads it."""


@dataclass(slots=True)
class Wording:
    """How a client of the wire format `origin` put something that every format has: `value` is its JSON, word for word.

    `read` are the members of what was read from it, by which a later change is seen: see formats.wording. `own` are
    members, by their path, that only that format knows: a writer of another one refuses them by that path.
    """

    origin: str
    value: Json
    read: tuple[Any, ...]
    own: Mapping[str, Json]


@dataclass(slots=True)
class Native:
    """What only the wire format `origin` has, in its place: `value` is its JSON.

    A writer of that format puts it there again. Of a request, one of another format refuses it by its `path`, which is
    written as the client did; of an answer, a client of another format is told that it was left out.
    """

    origin: str
    value: Json = field(repr=False)
    path: str


class Role(StrEnum):
    SYSTEM = "system"
    """Also what OpenAI calls developer."""
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class CacheMark:
    """The prompt up to and including what carries it may be cached. `ttl` such as `5m`, `1h`; None: the default.

    `name` is the member's in which its client said so, where the format has several.
    """

    ttl: str | None = None
    name: str = field(default="", compare=False)


@dataclass(slots=True)
class Text:
    text: str
    cache: CacheMark | None = None
    wording: Wording | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class Refusal:
    """The assistant's words of refusal, where a format keeps them apart from text."""

    text: str
    wording: Wording | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class Image:
    """Either `url` (https) or `data` (base64) with its `media_type`. `detail`: low, high, auto, original or None."""

    url: str | None = None
    data: str | None = field(default=None, repr=False)
    media_type: str | None = None
    detail: str | None = None
    cache: CacheMark | None = None
    wording: Wording | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class Audio:
    """`data` is base64; `format` such as wav or mp3."""

    data: str = field(repr=False)
    format: str
    wording: Wording | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class File:
    """Exactly one of `data` (base64), `url`, `text` (a plain document) or `file_id` (of `origin` only)."""

    data: str | None = field(default=None, repr=False)
    url: str | None = None
    text: str | None = field(default=None, repr=False)
    file_id: str | None = None
    media_type: str | None = None
    name: str | None = None
    origin: str = ""
    cache: CacheMark | None = None
    wording: Wording | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class Reasoning:
    """Reasoning of an earlier turn, as the client gives it back.

    `signature` proves it to its maker, `encrypted` stands for reasoning that nobody may read. Both mean something
    to the wire format `origin` only, and are never sent to another. `id` is the item's where the format names items.
    """

    text: str = ""
    signature: str | None = field(default=None, repr=False)
    encrypted: str | None = field(default=None, repr=False)
    origin: str = ""
    id: str | None = None
    wording: Wording | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class ToolCall:
    """`arguments` is JSON text, never empty (`{}`). `signature` as in Reasoning, for formats that sign calls."""

    id: str
    name: str
    arguments: str
    signature: str | None = field(default=None, repr=False)
    origin: str = ""
    cache: CacheMark | None = None
    wording: Wording | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class ToolResult:
    """What a tool said: texts, images or files. It stands in a USER message."""

    call_id: str
    parts: tuple["Text | Image | File | Native", ...]
    is_error: bool = False
    cache: CacheMark | None = None
    wording: Wording | None = field(default=None, compare=False, repr=False)


Part = Text | Refusal | Image | Audio | File | Reasoning | ToolCall | ToolResult | Native


@dataclass(slots=True)
class Message:
    """What a client said in one go. Several of one role may follow each other, and SYSTEM ones may stand anywhere."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None
    wording: Wording | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class Tool:
    """A function that the model may call. `parameters` is a JSON schema of an object; None: it takes nothing."""

    name: str
    description: str | None = None
    parameters: Mapping[str, Json] | None = None
    strict: bool | None = None
    cache: CacheMark | None = None
    wording: Wording | None = field(default=None, compare=False, repr=False)


class ChoiceMode(StrEnum):
    AUTO = "auto"
    NONE = "none"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """`names` limits the choice to those tools; with REQUIRED and one name it is a named choice. Empty: all tools."""

    mode: ChoiceMode = ChoiceMode.AUTO
    names: tuple[str, ...] = ()


class OutputKind(StrEnum):
    TEXT = "text"
    JSON = "json"
    SCHEMA = "schema"


@dataclass(slots=True)
class OutputFormat:
    """What the answer has to be. `schema` is given with SCHEMA only."""

    kind: OutputKind = OutputKind.TEXT
    name: str | None = None
    schema: Mapping[str, Json] | None = None
    description: str | None = None
    strict: bool | None = None
    wording: Wording | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ReasoningConfig:
    """How much the model should reason. None: nothing was said.

    `effort`: none, minimal, low, medium, high, xhigh or max. `budget_tokens` is a number instead. `is_included` asks
    for readable reasoning in the answer (True), or none (False). `is_adaptive`: the model decides.
    """

    effort: str | None = None
    budget_tokens: int | None = None
    is_included: bool | None = None
    is_adaptive: bool = False

    @property
    def is_asked(self) -> bool | None:
        """Whether the model is to think; None where only the form of its thoughts was spoken of."""
        if self.effort is None and self.budget_tokens is None:
            return self.is_adaptive or None
        return self.effort != "none" and self.budget_tokens != 0


@dataclass(frozen=True, slots=True)
class Sampling:
    """None: nothing was said. `stop` holds texts at which the answer ends."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    logit_bias: Mapping[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None


@dataclass(slots=True)
class Conversation:
    """The whole request but for model, stream and what is meant for the gateway alone.

    `user_id` is the caller's end user, hashed before it leaves. `source` is the wire format it was read from; `extra`
    holds settings of that format's own which have no place here, by the name or path that the client sent: a writer of
    another format refuses them by that name, unless it knows them to change nothing. What else only that format knows
    is Native in its place, or stands in a wording.
    """

    messages: tuple[Message, ...]
    source: str
    max_output_tokens: int | None = None
    sampling: Sampling = Sampling()
    tools: tuple[Tool | Native, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    output: OutputFormat | None = None
    reasoning: ReasoningConfig | None = None
    verbosity: str | None = None
    service_tier: str | None = None
    user_id: str | None = None
    metadata: Mapping[str, str] | None = None
    extra: Mapping[str, Json] = field(default_factory=dict)
    wording: Wording | None = field(default=None, compare=False, repr=False)

    @property
    def functions(self) -> tuple[Tool, ...]:
        """The tools that every format has."""
        return tuple(tool for tool in self.tools if isinstance(tool, Tool))
