"""All wire formats of embeddings, by the name that providers' rows use."""

from collections.abc import Mapping

from providers.formats.embeddings.base import EmbeddingFormat
from providers.formats.embeddings.cohere import CohereEmbeddings
from providers.formats.embeddings.gemini import GeminiEmbeddings
from providers.formats.embeddings.openai import OpenAIEmbeddings
from providers.formats.embeddings.voyage import VoyageEmbeddings

OPENAI = OpenAIEmbeddings()
EMBEDDING_FORMATS: Mapping[str, EmbeddingFormat] = {
    each.name: each for each in (OPENAI, VoyageEmbeddings(), CohereEmbeddings(), GeminiEmbeddings())
} | {"responses": OPENAI}
"""Whoever speaks Responses speaks OpenAI's embeddings beside them."""
