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

from gateway.plane import runtime  # noqa: E402  (models need the apps that setup loads)
from gateway.proxy.client import Receive, Send  # noqa: E402
from gateway.proxy.ids import identified  # noqa: E402
from gateway.proxy.surfaces import surface_at  # noqa: E402
from gateway.server.behind import Behind, Bounded  # noqa: E402
from gateway.server.cors import Cors  # noqa: E402
from gateway.server.front import Front  # noqa: E402
from gateway.server.http_cache import Application, is_cacheable  # noqa: E402

logger = logging.getLogger(__name__)

_front = Front(settings.PUBLIC_URL.base_path, settings.TRUSTED_PROXIES)
_django = Behind()


async def _in_django(scope: Any, receive: Receive, send: Send) -> None:
    await _django(_front.outer(scope), receive, send)


behind: Application = Bounded(
    _in_django, form_bytes=settings.FORM_LIMIT_BYTES, import_bytes=settings.IMPORT_LIMIT_BYTES
)
"""Django, which answers whatever the edge does not."""


async def application(scope: Any, receive: Receive, send: Send) -> None:
    """Raises nothing of its own but what Django raises."""
    if scope["type"] == "lifespan":
        return await _live(receive, send)
    if _front.base_path:
        scope = _front.inner(scope)
    surface = surface_at(scope["path"], scope["query_string"])
    running = runtime.current()
    if surface is not None and running is not None and running.edge is not None:
        return await running.edge.answer(surface, scope, receive, send)
    scope = _front.believed(scope)
    if running is not None and is_cacheable(scope):
        return await running.response_cache.answer(scope, receive, send)
    identified_scope, identified_send = identified(scope, send)
    return await behind(identified_scope, receive, identified_send)


if settings.CORS_ORIGINS:
    application = Cors(application, settings.CORS_ORIGINS, settings.PUBLIC_URL.base_path)


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
