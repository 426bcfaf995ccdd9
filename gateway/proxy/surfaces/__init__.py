"""What clients speak: one module for each surface."""

from urllib.parse import parse_qs

from gateway.proxy.surfaces.base import Surface
from gateway.proxy.surfaces.chat import CHAT
from gateway.proxy.surfaces.completions import COMPLETIONS
from gateway.proxy.surfaces.embeddings import EMBEDDINGS
from gateway.proxy.surfaces.explain import EXPLAIN_PATH, PATH, ExplainSurface
from gateway.proxy.surfaces.gemini import find_gemini
from gateway.proxy.surfaces.messages import COUNT_TOKENS, MESSAGES
from gateway.proxy.surfaces.responses import INPUT_TOKENS, RESPONSES

BY_PATH: dict[str, Surface] = {
    surface.path: surface
    for surface in (CHAT, COMPLETIONS, EMBEDDINGS, MESSAGES, COUNT_TOKENS, RESPONSES, INPUT_TOKENS)
}


def surface_at(path: str, query: bytes = b"") -> Surface | None:
    """The one that answers there, whatever the method: it refuses others than its own in its own form."""
    if surface := BY_PATH.get(path):
        return surface
    return explaining(query) if path == EXPLAIN_PATH else find_gemini(path)


def explaining(query: bytes) -> ExplainSurface:
    """That which explains the surface that the query names, or says that it names none."""
    named = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    paths = named.pop(PATH, [CHAT.path])
    explained = surface_at(paths[-1]) if len(paths) == 1 and not named else None
    if explained is None or explained.only_counts or isinstance(explained, ExplainSurface):
        return ExplainSurface(
            EXPLAIN_PATH, CHAT.endpoint, CHAT.check, of=None, strange=min(named, default="")
        )
    return ExplainSurface(EXPLAIN_PATH, explained.endpoint, explained.check, of=explained)
