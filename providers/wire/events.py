"""An answer as it comes, in one form for every wire format. Pure values.

An answer is a row of events, whether it was streamed or came whole: Started first, Finished once and near the end,
UsageSeen at most once, with the last numbers. Deltas of one block come without those of another in between: readers
see to that, and number tool calls from 0. What only the provider's format knows is a Native, as in a conversation.

Nobody changes one. They are not frozen all the same: each chunk has some, and a frozen value takes several times as
long to build.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from providers.wire.conversation import Native
from providers.wire.usage import Usage

__all__ = [
    "CitationAdded",
    "Event",
    "FileGenerated",
    "FinishReason",
    "Finished",
    "Native",
    "Rare",
    "ReasoningDelta",
    "ReasoningSigned",
    "RefusalDelta",
    "Started",
    "TextDelta",
    "ToolArguments",
    "ToolCallStarted",
    "UsageSeen",
]


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    PAUSE = "pause"
    """The provider wants to be asked to go on (Anthropic's pause_turn)."""


@dataclass(slots=True)
class Started:
    """`id` is the provider's own for this answer, empty where it gave none."""

    id: str = ""
    service_tier: str | None = None


@dataclass(slots=True)
class TextDelta:
    text: str
    logprobs: tuple[Any, ...] = ()
    """Entries as OpenAI's chat writes them, for the tokens of this text."""


@dataclass(slots=True)
class RefusalDelta:
    text: str


@dataclass(slots=True)
class CitationAdded:
    """Where the text so far comes from: a page by `url`, or a place in a document that was sent (`cited_text`)."""

    url: str | None = None
    title: str | None = None
    cited_text: str | None = None
    native: Any = None
    """As the provider wrote it, for a client of the same format."""


@dataclass(slots=True)
class FileGenerated:
    """A picture or another file that the model made, whole: either `data` (base64) or `url`.

    `is_thought`: a draft among the thoughts, no part of the answer. `native` is what the wire format `origin` wrote,
    for a client of the same one.
    """

    media_type: str | None = None
    data: str | None = field(default=None, repr=False)
    url: str | None = None
    name: str | None = None
    is_thought: bool = False
    origin: str = ""
    native: Any = field(default=None, repr=False)

    @property
    def is_image(self) -> bool:
        """Where nothing tells, it is one: models make little else."""
        return self.media_type is None or self.media_type.startswith("image/")


@dataclass(slots=True)
class ReasoningDelta:
    text: str


@dataclass(slots=True)
class ReasoningSigned:
    """Ends a block of thoughts, with what has to be given back with it; see conversation.Reasoning."""

    signature: str | None = None
    encrypted: str | None = None
    origin: str = ""
    id: str | None = None


@dataclass(slots=True)
class ToolCallStarted:
    index: int
    id: str
    name: str
    signature: str | None = None
    origin: str = ""


@dataclass(slots=True)
class ToolArguments:
    """A piece of the JSON text; the pieces of one call make the whole, `{}` where it has none."""

    index: int
    text: str


@dataclass(slots=True)
class Finished:
    """`native` is the provider's own word; `stop_sequence` the text at which it stopped, where it tells."""

    reason: FinishReason
    native: str = ""
    stop_sequence: str | None = None


@dataclass(slots=True)
class UsageSeen:
    usage: Usage


Rare = CitationAdded | FileGenerated | Native
"""What not every wire format has a place for: see formats.base.Format.can_tell."""

Event = (
    Started
    | TextDelta
    | RefusalDelta
    | CitationAdded
    | FileGenerated
    | Native
    | ReasoningDelta
    | ReasoningSigned
    | ToolCallStarted
    | ToolArguments
    | Finished
    | UsageSeen
)
