"""Gemini's embeddings, always as a batch.

Source: https://ai.google.dev/api/embeddings, and the `google-genai` package 3.6 for usageMetadata.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from providers.formats.base import CannotTranslate, WrittenRequest
from providers.formats.embeddings.limits import at_most, refuse_extras, texts_only, write_kind, write_width
from providers.formats.embeddings.vectors import read_vector
from providers.formats.gemini.finish import error_in, read_failure, reported_inside
from providers.formats.gemini.format import GeminiFormat
from providers.wire.embedding import EmbeddingAnswer, EmbeddingKind, EmbeddingRequest, Encoding
from providers.wire.failure import UpstreamFailure, bad_response
from providers.wire.upstream import Upstream
from providers.wire.usage import Usage, read_openai_usage

_MOST_INPUTS = 100
_OWN_WIDTH = "outputDimensionality"
_KINDS = {
    EmbeddingKind.QUERY: "RETRIEVAL_QUERY",
    EmbeddingKind.DOCUMENT: "RETRIEVAL_DOCUMENT",
    EmbeddingKind.CLASSIFICATION: "CLASSIFICATION",
    EmbeddingKind.CLUSTERING: "CLUSTERING",
    EmbeddingKind.SIMILARITY: "SEMANTIC_SIMILARITY",
}


class GeminiEmbeddings:
    """See providers.formats.embeddings.base.EmbeddingFormat."""

    name = "gemini"
    access = GeminiFormat.access

    def write_request(self, request: EmbeddingRequest, upstream: Upstream) -> WrittenRequest:
        at_most(_MOST_INPUTS, request)
        refuse_extras(request, known={_OWN_WIDTH})
        if request.may_truncate is not None:
            raise CannotTranslate("The chosen provider has no 'truncation'.", param="truncation")
        settings = write_kind(request, upstream, _KINDS, "taskType") | write_width(
            request, upstream, _OWN_WIDTH
        )
        model = _resource(upstream.name)
        requests = [
            {"model": model, "content": {"parts": [{"text": text}]}, **settings}
            for text in texts_only(request)
        ]
        path = f"/{quote(model)}:batchEmbedContents"
        return WrittenRequest(path, {"requests": requests}, translated=tuple(_translated(request)))

    def read_answer(self, value: Any) -> EmbeddingAnswer:
        error = error_in(value)
        if error is not None:
            raise reported_inside(error)
        items = value.get("embeddings") if isinstance(value, dict) else None
        if not isinstance(items, list) or not items:
            raise bad_response("The provider's answer has no embeddings.")
        vectors = tuple(read_vector(item.get("values") if isinstance(item, dict) else None) for item in items)
        return EmbeddingAnswer(vectors, _read_usage(value.get("usageMetadata")))

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        return read_failure(status, headers, body)


def _resource(name: str) -> str:
    return name if name.startswith(("models/", "tunedModels/")) else f"models/{name}"


def _translated(request: EmbeddingRequest) -> list[str]:
    names = []
    if request.kind is not None:
        names.append("input_type -> taskType")
    if request.dimensions is not None:
        names.append(f"dimensions -> {_OWN_WIDTH}")
    if request.encoding is Encoding.BASE64:
        names.append("encoding_format -> float")
    return names


def _read_usage(value: Any) -> Usage | None:
    """Nothing is generated, so that either count is the other."""
    told = value if isinstance(value, dict) else {}
    tokens = told.get("promptTokenCount", told.get("totalTokenCount"))
    return read_openai_usage({"total_tokens": tokens})
