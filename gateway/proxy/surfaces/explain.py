"""`POST /v1/route/explain`: how a request of another surface would be routed. Its answers are in OpenAI's form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.proxy.errors import InvalidRequest
from gateway.proxy.surfaces.base import Surface

EXPLAIN_PATH = "/v1/route/explain"
PATH = "path"
"""Of the query: the address that the body is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainSurface(Surface):
    """`of` is the surface whose body is sent; None where the query names none, or says something `strange` besides."""

    of: Surface | None
    strange: str = ""

    def read(self, body: bytes) -> Mapping[str, Any]:
        if self.of is None:
            name = self.strange or PATH
            allowed = (
                f"left out: only '{PATH}' may be given"
                if self.strange
                else "the address of an inference call, such as /v1/messages; without it, /v1/chat/completions is meant"
            )
            raise InvalidRequest(f"'{name[:60]}' must be {allowed}.", code="invalid_value", param=name[:60])
        return self.of.read(body)
