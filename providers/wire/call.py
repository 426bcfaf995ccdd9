"""One inference call, as the client asked for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from providers.wire.conversation import Conversation
from providers.wire.embedding import EmbeddingRequest

ParsedRequest = Conversation | EmbeddingRequest
"""A client's request as its operation reads it."""


@dataclass(slots=True)
class InferenceCall:
    """`body` is the client's request in the wire format `format`, with every unknown field kept.

    `endpoint` is of the published vocabulary, such as `chat.completions` or `embeddings`. `id` and `created` (Unix
    seconds) name an answer that is written anew.
    """

    endpoint: str
    body: Mapping[str, Any]
    is_streamed: bool = False
    wants_usage: bool = False
    """The client asked for a usage chunk in its stream; else it is asked for all the same, and hidden."""
    format: str = "openai"
    id: str = ""
    created: int = 0
    team: str = ""
    """Whose call it is: ids of end users are hashed with it before they leave."""
    betas: str = ""
    """What the client asks of Anthropic's beta features; a list with commas, as its header has it."""
    request: ParsedRequest | None = None
    """`body` as its operation reads it, where that was done already."""
