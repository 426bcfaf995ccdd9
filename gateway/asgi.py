"""The ASGI application: the edge in front of Django, with the data plane's life in lifespan."""

import logging
import os
import warnings
from typing import Any

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
django.setup(set_prefix=False)
# WhiteNoise reads files synchronously; Django drains them in a thread, which is what they need.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

from gateway import runtime  # noqa: E402  (models need the apps that setup loads)
from gateway.behind import Behind  # noqa: E402
from gateway.bounded import Bounded  # noqa: E402
from gateway.proxy.client import Receive, Send  # noqa: E402
from gateway.proxy.edge import find_surface  # noqa: E402
from gateway.proxy.repeat import Application, is_repeatable  # noqa: E402
from gateway.proxy.request_id import identified  # noqa: E402

logger = logging.getLogger(__name__)

behind: Application = Bounded(
    Behind(), form_bytes=settings.FORM_LIMIT_BYTES, import_bytes=settings.IMPORT_LIMIT_BYTES
)
"""Django, which answers whatever the edge does not."""


async def application(scope: Any, receive: Receive, send: Send) -> None:
    """Raises nothing of its own but what Django raises."""
    if scope["type"] == "lifespan":
        return await _live(receive, send)
    surface = find_surface(scope)
    running = runtime.current()
    if surface is None and running is not None and is_repeatable(scope):
        return await running.repeater.answer(scope, receive, send)
    if surface is None or running is None or running.edge is None:
        identified_scope, identified_send = identified(scope, send)
        return await behind(identified_scope, receive, identified_send)
    return await running.edge.answer(surface, scope, receive, send)


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    try:
        await runtime.start(behind)
    except Exception as error:
        logger.exception("The data plane could not start.")
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await runtime.stop()
    await send({"type": "lifespan.shutdown.complete"})
