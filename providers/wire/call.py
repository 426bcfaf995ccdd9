"""One inference call: what a client asked for, on its way from the edge to the ledger."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from accounts.attempts import hash_end_user
from providers.wire.conversation import Conversation
from providers.wire.embedding import EmbeddingRequest

ParsedRequest = Conversation | EmbeddingRequest
"""A client's request as its operation reads it."""


@dataclass(slots=True)
class Call:
    """Made once by the edge, and filled in at its stops. Holds no secret.

    `body` is the client's request in the wire format `format`, with every unknown field kept, and without those that
    are meant for the gateway. `endpoint` is of the published vocabulary, such as `chat.completions` or `embeddings`.
    Ids are UUID hex. `id` and `created` (Unix seconds) name an answer that is written anew.
    """

    endpoint: str
    body: Mapping[str, Any]
    is_streamed: bool = False
    wants_usage: bool = False
    """The client asked for a usage chunk in its stream; else it is asked for all the same, and hidden."""
    format: str = "openai"
    id: str = ""
    created: int = 0
    betas: str = ""
    """What the client asks of Anthropic's beta features; a list with commas, as its header has it."""
    shows_translated: bool = False
    """The client wants to hear what was said to the provider in other words."""

    # Whose it is, and how the ledger tells of it.
    request_id: str = ""
    team_id: int = 0
    key_id: int = 0
    owners: Mapping[str, int] = field(default_factory=dict)
    """By the names of accounts.attempts.OWNERS; 0 or missing: there is none."""
    charge_factor: str = "1"
    """By which what it costs is multiplied to what its team is charged; a plain decimal."""
    project: str = ""
    end_user: str = ""
    """Whose request it is, hashed; empty where the client does not say."""
    requested_model: str = ""
    redirected_from: str = ""
    """The retired model that was asked for, where its successor answers; else empty."""
    redirects: Mapping[str, str] = field(default_factory=dict)
    """The same by the answering model, where several may."""
    input_tokens: int = 0
    """A rough count, for what nobody lives to tell."""
    is_plain: bool = False
    """Each of its messages was found to be one text and the role of who says it."""
    asks_reasoning: bool | None = None
    """Whether the model is to think before it answers; None where the client says nothing of it."""
    may_search_elsewhere: bool = False
    """Another vendor's web search may stand in for the one that is asked for."""
    client_waits_s: float = 0.0
    """For a whole answer, or until a stream begins; 0 where the client does not say."""

    fallback_on: Collection[str] = ()
    """For which troubles of the request itself the next model may be tried: see gateway.proxy.fallbacks."""
    waited_s: float = 0.0
    """Before its first attempt: for room in its process, for what budgets hold for others, and for what another call
    finds out about its offering.
    """

    # Its plan: best first, chosen from the snapshot of `revision` or later.
    offering_ids: tuple[int | str, ...] = ()
    """A text where another credential than the provider's main one opens it: see providers.facts.Way."""
    revision: int = 0
    reserved_at: float = 0.0
    """When tokens were reserved for it, in Unix seconds; 0.0: none were."""
    reserved: tuple[int, int, bool] | None = field(default=None, repr=False)
    """Input and output tokens that were reserved for it, and whether that is our guess. Worked out again elsewhere."""
    held_output_tokens: int = 0
    """So long an answer is covered by what budgets hold for it; 0: they hold nothing, or the most it may cost."""
    has_room_at: int | str = 0
    """The way of which the quotas were taken when it was admitted; 0: no quotas had to be."""

    raw: bytes = field(default=b"", repr=False)
    """The client's body, byte for byte."""
    request: ParsedRequest | None = field(default=None, repr=False)
    """`body` as its operation reads it, where that was done already."""

    def hashed(self, user_id: str | None) -> str | None:
        """Who an end user is, as a provider sees it. None where nothing was said."""
        return hash_end_user(self.team_id, user_id) if user_id else None
