"""Cohere's embeddings, version 2.

Source: https://docs.cohere.com/reference/embed. The base URL ends in /v2.
"""

import re
from collections.abc import Mapping
from typing import Any

from providers.formats.base import WrittenRequest
from providers.formats.embeddings.limits import (
    at_most,
    name_kind,
    refuse_extras,
    texts_only,
    write_kind,
    write_width,
)
from providers.formats.embeddings.vectors import read_vector
from providers.wire.access import Access, ModelList
from providers.wire.embedding import EmbeddingAnswer, EmbeddingKind, EmbeddingRequest, Encoding
from providers.wire.failure import (
    ReportedError,
    UpstreamFailure,
    bad_response,
    classify,
    failure_for,
    read_error,
    retry_after_s,
)
from providers.wire.upstream import Upstream
from providers.wire.usage import Usage, read_openai_usage

_MOST_INPUTS = 96
_OWN = frozenset({"output_dimension"})
_KINDS = {
    EmbeddingKind.QUERY: "search_query",
    EmbeddingKind.DOCUMENT: "search_document",
    EmbeddingKind.CLASSIFICATION: "classification",
    EmbeddingKind.CLUSTERING: "clustering",
}
_OUR_ACCOUNT = re.compile(r"trial key|production key|billing", re.IGNORECASE)


class CohereEmbeddings:
    """See providers.formats.embeddings.base.EmbeddingFormat."""

    name = "cohere"
    # Version 1 for every version of its API: https://docs.cohere.com/reference/list-models.
    access = Access("/v2", models=ModelList("../v1/models?page_size=1000"))

    def write_request(self, request: EmbeddingRequest, upstream: Upstream) -> WrittenRequest:
        at_most(_MOST_INPUTS, request)
        refuse_extras(request, known=_OWN)
        # Cohere demands a kind, and OpenAI's clients know none: what is stored and searched is a document.
        kind = write_kind(request, upstream, _KINDS) or {"input_type": _KINDS[EmbeddingKind.DOCUMENT]}
        body = {
            "model": upstream.name,
            "texts": texts_only(request),
            **kind,
            # The byte order of its base64 is nowhere written down: the gateway encodes.
            "embedding_types": ["float"],
            "truncate": "END" if request.may_truncate else "NONE",
            **write_width(request, upstream, "output_dimension"),
        }
        return WrittenRequest("/embed", body, translated=tuple(_translated(request, body)))

    def read_answer(self, value: Any) -> EmbeddingAnswer:
        vectors = _member(_member(value, "embeddings"), "float")
        if not isinstance(vectors, list) or not vectors:
            raise bad_response("The provider's answer has no embeddings.")
        return EmbeddingAnswer(tuple(map(read_vector, vectors)), _read_usage(value))

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        """What Cohere says of limits may be about our account, which is not for clients."""
        if status == 429 and read_error(body).says(_OUR_ACCOUNT):
            return failure_for(429, ReportedError(), retry_after_s(headers))
        return classify(status, headers, body)


def _translated(request: EmbeddingRequest, body: Mapping[str, Any]) -> list[str]:
    """The kind is named too where the client named none."""
    names = name_kind(request, body["input_type"])
    if request.dimensions is not None:
        names.append("dimensions -> output_dimension")
    if request.may_truncate is not None:
        names.append("truncation -> truncate")
    if request.encoding is Encoding.BASE64:
        names.append("encoding_format -> float")
    return names


def _read_usage(value: Any) -> Usage | None:
    """Only what is billed is told, and as a whole number or a float."""
    billed = _member(_member(value, "meta"), "billed_units")
    return read_openai_usage({"total_tokens": _member(billed, "input_tokens")})


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None
