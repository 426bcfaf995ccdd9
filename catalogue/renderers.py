"""JSON written fast, with parts that are JSON already."""

from collections.abc import Mapping
from typing import Any

import orjson
from rest_framework.renderers import JSONRenderer


class FastJSONRenderer(JSONRenderer):
    """What `orjson.Fragment` wraps goes out as it is."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002  # REST framework's signature
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002  # likewise
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data)
