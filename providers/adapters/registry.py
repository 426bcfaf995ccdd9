"""An adapter for each pair of wire formats, and for each endpoint that has its own. A vendor is a row."""

from functools import cache

from providers.adapters.base import Adapter
from providers.adapters.embeddings import EmbeddingsAdapter
from providers.adapters.mending import MENDERS, menders_for
from providers.adapters.openai import OpenAIAdapter
from providers.adapters.translated import TranslatingAdapter
from providers.facts import ProviderFacts
from providers.formats.embeddings.registry import EMBEDDING_FORMATS
from providers.formats.endpoints import EMBEDDINGS
from providers.formats.registry import CLIENT_FORMATS, FORMATS
from providers.wire.call import InferenceCall

_MENDED = frozenset(MENDERS)
# Where a request of each format asks for a form of the answer.
_FORM_FIELDS = frozenset(
    {"response_format", "text", "output_config", "generationConfig", "generation_config"}
)


def choose_adapter(call: InferenceCall, provider: ProviderFacts) -> Adapter:
    """By the formats that both speak, and by what of the provider's answers has to be mended for this call.

    Raises KeyError for a provider's format without that endpoint: see `providers.formats.endpoints.serves`.
    """
    quirks = provider.quirks & _MENDED
    if quirks and _FORM_FIELDS.isdisjoint(call.body):
        quirks -= {"schema_by_tool"}
    return adapter_for(call.endpoint, call.format, _spoken_format(call, provider), quirks)


def _spoken_format(call: InferenceCall, provider: ProviderFacts) -> str:
    """The client's, where the provider speaks that too at the same address."""
    speaks_both = call.format == "responses" and "speaks_responses" in provider.quirks
    return call.format if speaks_both else provider.wire_format


@cache
def adapter_for(endpoint: str, client: str, provider: str, quirks: frozenset[str] = frozenset()) -> Adapter:
    """`quirks` to mend. OpenAI's chat is relayed untouched where both speak it and none is."""
    if endpoint == EMBEDDINGS:
        return EmbeddingsAdapter(EMBEDDING_FORMATS[provider])
    if client == provider == "openai" and not quirks:
        return OpenAIAdapter()
    return TranslatingAdapter(FORMATS[provider], CLIENT_FORMATS[client], menders_for(quirks))
