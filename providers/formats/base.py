"""What every wire format can do. Pure: no I/O, settings, clocks or logging; what changes with a call is passed in.

client ── read_request ──▶ Conversation ── write_request ──▶ provider
client ◀── write_answer, AnswerWriter ── events ◀── read_answer, EventReader ── provider

TranslationError
├── BadRequest        the client's request is not of this format; names the parameter
└── CannotTranslate   it is, and this provider's format cannot say it; names the parameter
"""

from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from providers.formats.field_names import FieldNames
from providers.formats.losses import Kind
from providers.wire.access import Access
from providers.wire.bounds import MOST_LEVELS
from providers.wire.conversation import Conversation
from providers.wire.events import Event, Rare
from providers.wire.failure import UpstreamFailure
from providers.wire.upstream import Upstream
from providers.wire.usage import Costing, Usage

__all__ = [
    "AnswerFacts",
    "AnswerWriter",
    "BadRequest",
    "CannotTranslate",
    "EventReader",
    "Format",
    "SaidTools",
    "TranslationError",
    "Upstream",
    "WrittenRequest",
]


class TranslationError(Exception):
    """`param` is named as the client's format spells it, such as `messages[2].content[0].image_url`."""

    def __init__(self, message: str, *, param: str, code: str = "invalid_value") -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code


COMMENT = b": keep-alive\n\n"


def remark(left_out: Sequence[str]) -> bytes:
    """What a stream's client was not told, as a comment that no SDK reads: the headers have long left."""
    return f": left out: {', '.join(left_out)}\n\n".encode("ascii", "replace") if left_out else b""


class BadRequest(TranslationError):
    pass


class CannotTranslate(TranslationError):
    def __init__(self, message: str, *, param: str, code: str = "unsupported_parameter") -> None:
        super().__init__(message, param=param, code=code)


def no_object(call_id: str) -> str:
    """For CannotTranslate: of a tool call's arguments that providers.wire.json_text.read_object does not take."""
    whose = f"The arguments of the call '{call_id[:80]}'"
    return f"{whose} are no object of JSON, or one of more than {MOST_LEVELS} levels."


@dataclass(frozen=True, slots=True)
class SaidTools:
    """`names` are the client's, by what the provider was told; `wrapped` such names of which arguments are one member.

    `ids` are those that calls have in the client's history.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    wrapped: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WrittenRequest:
    """`path` comes after the base URL; `headers` are those of the format beside credential and content type.

    `tools` tells how to read calls of tools back: None where they were said as they are.
    `translated` tells, by the client's names, which parameters were said in other words, such as
    `reasoning_effort -> thinking.budget_tokens`; `lost` what of that is a loss, the worst first, and `worst`
    its worst kind; `told` what is none, and clients hear of without asking all the same.
    """

    path: str
    body: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    translated: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    worst: Kind = Kind.NOTHING
    tools: SaidTools | None = None
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """What the gateway tells in an answer. `created` in Unix seconds; `model` is the public id that answered.

    `request` is the client's own, for formats that repeat its settings. `wants_usage`: also in a stream;
    `cost_usd`: with its cost, in formats that ask for usage by a parameter. `sent` are the last bytes of a stream that
    somebody else has begun. `clock` tells Unix seconds, for formats that say when an answer was complete.
    """

    id: str
    created: int
    model: str
    wants_usage: bool = True
    cost_usd: Costing | None = None
    request: Mapping[str, Any] = field(default_factory=dict)
    sent: bytes = field(default=b"", repr=False)
    input_tokens: int = 0
    """A rough count of what was asked, for formats that begin an answer with it."""
    clock: Callable[[], float] | None = None

    @property
    def ended(self) -> int:
        """Unix seconds, asked for when the answer ends."""
        return int(self.clock()) if self.clock else self.created


class Telling(Protocol):
    """Whoever collects what is to be told of a translation: see formats.notes."""

    def note_path(self, path: str, words: str) -> None: ...

    def lose_path(self, path: str, kind: Kind, words: str = ...) -> None: ...


class EventReader(Protocol):
    """Reads one streamed answer of a provider, split in any places."""

    is_relayed: bool
    """Set before anything is read: False where nobody will ask for `untouched`."""

    @property
    def is_done(self) -> bool:
        """The terminator has been seen; whatever follows is ignored."""

    @property
    def has_told_end(self) -> bool:
        """An end was told which becomes an event only once nothing more comes, since some tell one with every piece."""

    @property
    def has_begun(self) -> bool:
        """Something was told that only clients of the same format understand, such as what a vendor's own tool does."""

    @property
    def untouched(self) -> Sequence[tuple[Mapping[str, Any], bytes]]:
        """The objects of the last read, each with its JSON, for clients of the same format."""

    @property
    def reported(self) -> Usage | None:
        """What the provider told of its usage so far."""

    @property
    def reported_after(self) -> int | None:
        """How many events of the last read came before it told that; None where it told nothing in it."""

    def feed(self, data: bytes) -> list[Event]:
        """Raises UpstreamFailure for an error event, a second unreadable frame or an oversized line."""

    def finish(self) -> list[Event]:
        """The body has ended. Raises UpstreamFailure where there was no event at all."""


class AnswerWriter(Protocol):
    """Writes one streamed answer for a client."""

    def write(self, events: Sequence[Event]) -> bytes: ...

    def finish(self, left_out: Sequence[str] = ()) -> bytes:
        """The tidy end; only after Finished. `left_out` names what of the provider's answer could not be told."""

    def fail(self, error: Mapping[str, Any]) -> bytes:
        """The untidy end: an error event in this format's form, and nothing that looks like an end.

        `error` has `message`, `type`, `code`, `param` and `status` as the gateway's errors do.
        """


class Format(Protocol):
    """One wire format for generated text."""

    name: str
    access: Access
    field_names: FieldNames
    endpoint: str
    """Of the published vocabulary: chat.completions, responses, messages, generate_content."""
    usage_name: str
    """The member of a whole answer that holds its usage."""
    usage_details: Collection[str]
    """The members of a usage that the SDKs read without asking: told where a provider left them out."""
    heartbeat: bytes
    """Between two events of a stream: says nothing, and every client of the format passes over it."""
    end: bytes
    """What ends every stream of the format and says nothing else: given where a provider left it out."""
    end_marks: Collection[bytes]
    """Stand in the event that ends an answer, where that has a place for more; empty where it has none."""
    form_fields: Collection[str]
    """The members of a request in one of which it asks for a form of its answer."""
    can_limit_calls: bool
    """A request can ask for one tool call at a time. Where not, the first call of an answer is kept."""

    def wants_one_call(self, body: Mapping[str, Any]) -> bool:
        """Whether a client's request asks for that."""

    def read_request(self, body: Mapping[str, Any]) -> Conversation:
        """Raises BadRequest."""

    def plainly(self, conversation: Conversation, notes: Telling) -> Conversation:
        """For a writer of another format: what only this one's clients say, as all can say it, where that can be."""

    def write_request(self, conversation: Conversation, upstream: Upstream) -> WrittenRequest:
        """Raises CannotTranslate."""

    def read_answer(self, value: Any) -> list[Event]:
        """Of a whole 2xx body. Raises UpstreamFailure where it is none or reports an error."""

    def write_answer(self, events: Sequence[Event], facts: AnswerFacts) -> Mapping[str, Any]: ...

    def can_tell(self, event: Rare) -> bool:
        """Whether an answer in this format has a place for it."""

    def reader(self) -> EventReader: ...

    def writer(self, facts: AnswerFacts) -> AnswerWriter: ...

    def frame(self, value: Mapping[str, Any], data: bytes) -> bytes:
        """An object of a stream and its JSON as an event that the format's clients can read; nothing where none can."""

    def tell_late(self, value: MutableMapping[str, Any], told: str) -> None:
        """Put what was known only after the stream was opened into an event with one of `end_marks`."""

    def lacks_usage(self, value: Mapping[str, Any]) -> str | None:
        """Where an event of a stream lacks the usage that its clients read there: a member of it, or "" for itself."""

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        """Classify a provider's answer that is not 2xx. `headers` have lower-case names."""

    def error_body(self, error: Mapping[str, Any], request_id: str) -> Mapping[str, Any]:
        """A whole answer that is an error, in this format's envelope. `error` as in AnswerWriter.fail."""

    def usage(self, usage: Usage) -> Mapping[str, Any]:
        """In this format's names and its way of counting."""
