"""What clients speak: one module for each surface."""

from gateway.proxy.surfaces.base import Surface
from gateway.proxy.surfaces.chat import CHAT
from gateway.proxy.surfaces.completions import COMPLETIONS
from gateway.proxy.surfaces.embeddings import EMBEDDINGS
from gateway.proxy.surfaces.gemini import find_gemini
from gateway.proxy.surfaces.messages import COUNT_TOKENS, MESSAGES
from gateway.proxy.surfaces.responses import INPUT_TOKENS, RESPONSES

BY_PATH: dict[str, Surface] = {
    surface.path: surface
    for surface in (CHAT, COMPLETIONS, EMBEDDINGS, MESSAGES, COUNT_TOKENS, RESPONSES, INPUT_TOKENS)
}


def surface_at(path: str) -> Surface | None:
    """The one that answers there, whatever the method: it refuses others than its own in its own form."""
    return BY_PATH.get(path) or find_gemini(path)
