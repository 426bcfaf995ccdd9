"""Voyage's embeddings: nearly OpenAI's, in words of its own, and with a total for usage.

Source: https://www.mongodb.com/docs/api/doc/atlas-embedding-and-reranking-api/ (operation createEmbedding).
"""

import re
from collections.abc import Mapping
from typing import Any

from providers.formats.base import CannotTranslate, WrittenRequest
from providers.formats.embeddings import openai
from providers.formats.embeddings.limits import (
    at_most,
    is_declared,
    name_kind,
    needs_declared,
    refuse_extras,
    texts_only,
    write_kind,
    write_width,
)
from providers.wire.access import Access
from providers.wire.embedding import EmbeddingAnswer, EmbeddingKind, EmbeddingRequest, Encoding
from providers.wire.failure import (
    ReportedError,
    UpstreamFailure,
    classify,
    failure_for,
    read_error,
    retry_after_s,
)
from providers.wire.upstream import Upstream

_MOST_INPUTS = 1_000
_OWN = frozenset({"output_dimension", "output_dtype"})
_KINDS = {EmbeddingKind.QUERY: "query", EmbeddingKind.DOCUMENT: "document"}
_OUR_ACCOUNT = re.compile(r"payment|billing", re.IGNORECASE)


class VoyageEmbeddings:
    """See providers.formats.embeddings.base.EmbeddingFormat."""

    name = "voyage"
    # It documents no list of models, and whatever else it answers is billed: https://github.com/voyage-ai/openapi.
    access = Access(models=None)

    def write_request(self, request: EmbeddingRequest, upstream: Upstream) -> WrittenRequest:
        at_most(_MOST_INPUTS, request)
        refuse_extras(request, known=_OWN)
        _refuse_small_numbers(request)
        body = {
            "model": upstream.name,
            "input": texts_only(request),
            **write_width(request, upstream, "output_dimension"),
            **write_kind(request, upstream, _KINDS),
            **_truncation(request, upstream),
            **_encoding(request, upstream),
        }
        return WrittenRequest("/embeddings", body, translated=tuple(_translated(request, body)))

    def read_answer(self, value: Any) -> EmbeddingAnswer:
        return openai.read_answer(value)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        """What Voyage says of limits may be about our account, which is not for clients."""
        if status == 429 and read_error(body).says(_OUR_ACCOUNT):
            return failure_for(429, ReportedError(), retry_after_s(headers))
        return classify(status, headers, body)


def _translated(request: EmbeddingRequest, body: Mapping[str, Any]) -> list[str]:
    names = name_kind(request, body.get("input_type"))
    if request.dimensions is not None:
        names.append("dimensions -> output_dimension")
    if request.encoding is Encoding.BASE64 and "encoding_format" not in body:
        names.append("encoding_format -> float")
    return names


def _truncation(request: EmbeddingRequest, upstream: Upstream) -> dict[str, bool]:
    """Voyage cuts what is too long unless told otherwise; OpenAI's clients expect an error."""
    if request.may_truncate is not None:
        needs_declared(upstream, "truncation")
    return {"truncation": bool(request.may_truncate)} if is_declared(upstream, "truncation") else {}


def _encoding(request: EmbeddingRequest, upstream: Upstream) -> dict[str, str]:
    """Floats have no name here."""
    is_wanted = request.encoding is Encoding.BASE64 and is_declared(upstream, "encoding_format")
    return {"encoding_format": "base64"} if is_wanted else {}


def _refuse_small_numbers(request: EmbeddingRequest) -> None:
    if request.extra.get("output_dtype", "float") != "float":
        raise CannotTranslate("Embeddings are answered in 32-bit floats only.", param="output_dtype")
