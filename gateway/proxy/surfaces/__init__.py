"""What clients speak: one module for each surface."""

from gateway.proxy.surfaces.base import Surface
from gateway.proxy.surfaces.chat import CHAT
from gateway.proxy.surfaces.embeddings import EMBEDDINGS

BY_PATH: dict[str, Surface] = {surface.path: surface for surface in (CHAT, EMBEDDINGS)}
BY_ENDPOINT: dict[str, Surface] = {surface.endpoint: surface for surface in BY_PATH.values()}
