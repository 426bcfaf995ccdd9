"""All wire formats, by the key that providers' rows and surfaces use: the one place that a further one is added to."""

from collections.abc import Collection

from providers.formats.anthropic.format import AnthropicFormat
from providers.formats.base import Format
from providers.formats.completions import CompletionsFormat
from providers.formats.embeddings.base import EmbeddingFormat
from providers.formats.embeddings.cohere import CohereEmbeddings
from providers.formats.embeddings.gemini import GeminiEmbeddings
from providers.formats.embeddings.openai import OpenAIEmbeddings
from providers.formats.embeddings.voyage import VoyageEmbeddings
from providers.formats.gemini.format import GeminiFormat
from providers.formats.openai.format import OpenAIFormat
from providers.formats.responses.format import ResponsesFormat
from providers.wire.access import Access

OPENAI = OpenAIFormat()
RESPONSES = ResponsesFormat()
ANTHROPIC = AnthropicFormat()
GEMINI = GeminiFormat()
COMPLETIONS = CompletionsFormat()
OPENAI_EMBEDDINGS = OpenAIEmbeddings()

FORMATS: dict[str, Format] = {each.name: each for each in (OPENAI, RESPONSES, ANTHROPIC, GEMINI)}
"""What providers speak that generate text. Clients speak all of it, too."""
CLIENT_FORMATS: dict[str, Format] = {**FORMATS, COMPLETIONS.name: COMPLETIONS}
"""What clients speak."""
EMBEDDING_FORMATS: dict[str, EmbeddingFormat] = {
    **{
        each.name: each
        for each in (OPENAI_EMBEDDINGS, VoyageEmbeddings(), CohereEmbeddings(), GeminiEmbeddings())
    },
    RESPONSES.name: OPENAI_EMBEDDINGS,
}
"""Whoever speaks Responses speaks OpenAI's embeddings beside them."""


def access_to(wire_format: str) -> Access:
    """How its providers are reached. Raises KeyError for a format that nobody speaks."""
    spoken = FORMATS.get(wire_format) or EMBEDDING_FORMATS[wire_format]
    return spoken.access


def wire_formats() -> Collection[str]:
    """All that providers speak, for whatever kind of call."""
    return {**FORMATS, **EMBEDDING_FORMATS}.keys()


def formats_with_list() -> list[str]:
    """Those whose providers list their models."""
    return [name for name in wire_formats() if access_to(name).models is not None]
