"""The shape of an operation: a kind of call, such as generating text or embedding it. Pure."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from providers.adapters.base import Adapter
from providers.facts import ProviderFacts
from providers.formats.base import TranslationError
from providers.formats.losses import Kind
from providers.wire.body import BodyKind
from providers.wire.call import Call, ParsedRequest
from providers.wire.conversation import Conversation
from providers.wire.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an offering would lose of a request: the worst kind of it, and by the client's names what.

    `refusal` is what it cannot do at all.
    """

    worst: Kind = Kind.NOTHING
    refusal: TranslationError | None = None
    lost: tuple[str, ...] = ()


@dataclass(slots=True)
class Requirements:
    """What a request requires of an offering. `params` are those without which the answer would be another one.

    `field_names` tells how the client writes parameters, where that is otherwise than their names in the catalogue.
    """

    endpoint: str
    is_streamed: bool = False
    params: frozenset[str] = frozenset()
    input_types: frozenset[str] = frozenset()
    input_tokens: int = 0
    """A rough count, for context windows."""
    asks_reasoning: bool | None = field(default=None, compare=False)
    """Whether the model is to think before it answers; None where nothing is said of it."""
    requires_all: bool = False
    """An offering has to declare all of `params`: one that declares nothing does not do."""
    field_names: Mapping[str, str] = field(default_factory=dict, compare=False)
    request: ParsedRequest | None = field(default=None, compare=False, repr=False)
    """The request itself, where it has been read by now."""
    sketch: tuple[Conversation | None, dict[object, Verdict]] | None = field(
        default=None, compare=False, repr=False
    )
    """What of the request an offering may lose, and what each kind of them would, once that was asked."""
    verdicts: dict[object, Verdict] = field(default_factory=dict, compare=False, repr=False)
    """The same of offerings to which the request is relayed as it is."""
    call: Call | None = field(default=None, compare=False, repr=False)
    """Where some offerings lose more of the request than others."""

    def requiring(self, used: Mapping[str, str]) -> "Requirements":
        """The same with every parameter that is used: the catalogue's name → the client's."""
        return replace(
            self, params=frozenset(used), field_names={**self.field_names, **used}, requires_all=True
        )


class Operation(Protocol):
    """One kind of call, whichever surface it comes by and whatever the provider speaks. No I/O."""

    name: str
    """A verb; offerings that cannot do a request are dropped with `cannot_<name>:<param>`."""
    endpoints: frozenset[str]
    """Of the published vocabulary. A provider that serves one of them serves all."""
    wire_formats: Container[str]
    """Those in which a provider can be asked."""
    body_kind: BodyKind
    """Of a client's request."""
    can_stream: bool
    """Its answers come as events where the client wishes so; else whole, of what kind the adapter says."""
    why_named: str
    """Why only the model that is named may answer; empty where `auto` may choose, and a successor stand in."""

    def requirements(self, call: Call) -> Requirements:
        """Raises TranslationError."""

    def parameters(self, call: Call, requirements: Requirements) -> Mapping[str, str]:
        """All that the request uses: the catalogue's name → the client's."""

    def most_output_tokens(self, call: Call) -> int | None:
        """How many the client allows its whole answer; None where it does not say."""

    def may_lose(self, requirements: Requirements) -> bool:
        """Whether some offering might lose something of the request. Asked where it is there as a call."""

    def verdict(self, requirements: Requirements, provider: ProviderFacts, upstream: Upstream) -> Verdict:
        """What an offering loses of the request itself, or cannot do."""

    def adapter(self, call: Call, provider: ProviderFacts) -> Adapter:
        """Raises KeyError for a provider of another wire format than `wire_formats`."""
