"""What a request has to know of where it goes. Pure values."""

from dataclasses import dataclass

from providers.wire.quirks import quirk

THINKING_BUDGET = quirk(
    "thinking_budget", "All its models take thinking as a budget of tokens, not as an effort"
)


@dataclass(slots=True)
class Upstream:
    """What a writer has to know of where a request goes.

    `params` are the offering's declared parameters (empty: unknown). `user_id` is the end user's, already hashed.
    `max_output_tokens` is the catalogue's limit, for formats that demand one.
    """

    name: str
    is_streamed: bool
    params: frozenset[str] = frozenset()
    max_output_tokens: int | None = None
    user_id: str | None = None
    quirks: frozenset[str] = frozenset()
    drops_proofs: bool = False
    """The provider has just refused what proves reasoning, so that nothing of it is said."""

    searches: bool = False
    """Its own web search may stand in for another vendor's: the key allows that, and it has a price."""

    @property
    def takes_thinking_budget(self) -> bool:
        """Reasoning is told as a budget of tokens: all of the provider's models are so, or this offering says it."""
        return THINKING_BUDGET in self.quirks or THINKING_BUDGET in self.params
