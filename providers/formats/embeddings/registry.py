"""All wire formats of embeddings, by the name that providers' rows use."""

from collections.abc import Mapping

from providers.formats.base import TranslationError
from providers.formats.embeddings.base import EmbeddingFormat
from providers.formats.embeddings.cohere import CohereEmbeddings
from providers.formats.embeddings.gemini import GeminiEmbeddings
from providers.formats.embeddings.openai import OpenAIEmbeddings
from providers.formats.embeddings.voyage import VoyageEmbeddings
from providers.wire.embedding import EmbeddingRequest
from providers.wire.upstream import Upstream

OPENAI = OpenAIEmbeddings()
EMBEDDING_FORMATS: Mapping[str, EmbeddingFormat] = {
    each.name: each for each in (OPENAI, VoyageEmbeddings(), CohereEmbeddings(), GeminiEmbeddings())
} | {"responses": OPENAI}
"""Whoever speaks Responses speaks OpenAI's embeddings beside them."""


def refusal_of(request: EmbeddingRequest, wire_format: str, upstream: Upstream) -> TranslationError | None:
    """Why a provider of this format cannot be asked so; None if it can. Raises KeyError for one without embeddings."""
    try:
        EMBEDDING_FORMATS[wire_format].write_request(request, upstream)
    except TranslationError as refusal:
        return refusal
    return None
