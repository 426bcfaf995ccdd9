"""An adapter for each pair of wire formats, and for each endpoint that has its own. A vendor is a row."""

from functools import cache

from providers.adapters.base import Adapter
from providers.adapters.embeddings import EmbeddingsAdapter
from providers.adapters.openai import OpenAIAdapter
from providers.adapters.translated import TranslatingAdapter
from providers.formats.embeddings.registry import EMBEDDING_FORMATS
from providers.formats.endpoints import EMBEDDINGS
from providers.formats.registry import CLIENT_FORMATS, FORMATS


@cache
def adapter_for(endpoint: str, client: str, provider: str) -> Adapter:
    """By the endpoint and the formats that both speak. Chat is relayed untouched where both speak OpenAI's.

    Raises KeyError for a provider's format without that endpoint: see `providers.formats.endpoints.serves`.
    """
    if endpoint == EMBEDDINGS:
        return EmbeddingsAdapter(EMBEDDING_FORMATS[provider])
    if client == provider == "openai":
        return OpenAIAdapter()
    return TranslatingAdapter(FORMATS[provider], CLIENT_FORMATS[client])
