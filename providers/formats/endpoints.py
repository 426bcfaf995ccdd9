"""Which endpoints each wire format has. Pure."""

from collections.abc import Collection, Mapping

from providers.formats.embeddings.registry import EMBEDDING_FORMATS
from providers.formats.registry import FORMATS

EMBEDDINGS = "embeddings"
GENERATION = frozenset({"chat.completions", "responses", "messages", "completions", "generate_content"})
"""Endpoints of generated text, in whatever format: whoever answers one answers all, translated."""
_SPEAKERS: Mapping[str, Collection[str]] = {
    EMBEDDINGS: EMBEDDING_FORMATS,
    **dict.fromkeys(GENERATION, FORMATS),
}

WIRE_FORMATS = frozenset(FORMATS.keys() | EMBEDDING_FORMATS.keys())


def serves(wire_format: str, endpoint: str) -> bool:
    """Whether a provider of this format can be asked for that endpoint. False of endpoints without an adapter."""
    return wire_format in _SPEAKERS.get(endpoint, ())


def lacks(wire_format: str, endpoint: str) -> bool:
    """Whether it is known to have none. False of endpoints that this gateway only lists."""
    return endpoint in _SPEAKERS and not serves(wire_format, endpoint)
