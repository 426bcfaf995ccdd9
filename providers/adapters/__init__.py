"""How a client's call is made at a provider: an adapter for each pair of wire formats. A vendor is a row."""

from functools import cache

from providers.adapters.base import Adapter
from providers.adapters.openai import OpenAIAdapter
from providers.adapters.translated import TranslatingAdapter
from providers.formats.registry import CLIENT_FORMATS, FORMATS


@cache
def adapter_for(client: str, provider: str) -> Adapter:
    """By the formats that both speak. OpenAI's chat and embeddings are relayed untouched where both speak them."""
    if client == provider == "openai":
        return OpenAIAdapter()
    return TranslatingAdapter(FORMATS[provider], CLIENT_FORMATS[client])
