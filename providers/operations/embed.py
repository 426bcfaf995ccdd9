"""Embedding texts: one form for clients, OpenAI's, and one for each provider's format. Pure."""

from collections.abc import Container, Mapping
from functools import cache

from providers.adapters.base import Adapter
from providers.adapters.embeddings import EmbeddingsAdapter
from providers.facts import ProviderFacts
from providers.formats.base import TranslationError
from providers.formats.embeddings.client import read_request
from providers.formats.losses import Kind
from providers.formats.registry import EMBEDDING_FORMATS
from providers.operations.base import Requirements, Verdict
from providers.operations.parameters import used_in_chat
from providers.wire.body import BodyKind
from providers.wire.call import Call
from providers.wire.embedding import EmbeddingRequest
from providers.wire.upstream import Upstream


class Embed:
    """See providers.operations.base.Operation.

    Token numbers, dimensions, kinds and counts of inputs differ so much that each format says itself what it cannot do.
    """

    name = "embed"
    endpoints = frozenset({"embeddings"})
    wire_formats: Container[str] = EMBEDDING_FORMATS
    body_kind = BodyKind.JSON
    can_stream = False
    why_named = "vectors of different models are not comparable"

    def requirements(self, call: Call) -> Requirements:
        return Requirements(call.endpoint, request=read_request(call.body))

    def parameters(self, call: Call, requirements: Requirements) -> Mapping[str, str]:  # noqa: ARG002
        return used_in_chat(call.body)

    def most_output_tokens(self, call: Call) -> int | None:  # noqa: ARG002
        return 0

    def may_lose(self, requirements: Requirements) -> bool:  # noqa: ARG002  # vectors are as asked for, or not made
        return False

    def verdict(self, requirements: Requirements, provider: ProviderFacts, upstream: Upstream) -> Verdict:
        request = requirements.request
        assert isinstance(request, EmbeddingRequest), "of this operation's own requirements"  # noqa: S101
        try:
            EMBEDDING_FORMATS[provider.wire_format].write_request(request, upstream)
        except TranslationError as refusal:
            return Verdict(Kind.RELIED_ON, refusal)
        return Verdict()

    def adapter(self, call: Call, provider: ProviderFacts) -> Adapter:  # noqa: ARG002
        return embeddings_adapter(provider.wire_format)


EMBED = Embed()


@cache
def embeddings_adapter(wire_format: str) -> Adapter:
    return EmbeddingsAdapter(EMBEDDING_FORMATS[wire_format])
