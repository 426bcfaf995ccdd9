"""OpenAI's embeddings, as most providers speak them: requests go on as they came.

Source: types of the `openai` package 3.54.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from providers.formats.base import WrittenRequest
from providers.formats.embeddings.limits import at_most, is_declared, needs_declared, texts_only
from providers.formats.embeddings.vectors import read_vector
from providers.wire.access import Access
from providers.wire.embedding import EmbeddingAnswer, EmbeddingRequest
from providers.wire.failure import (
    UpstreamFailure,
    bad_response,
    classify,
    failure_for,
    read_error,
    reported_inside,
    retry_after_s,
)
from providers.wire.json_text import read_json
from providers.wire.quirks import quirk
from providers.wire.upstream import Upstream
from providers.wire.usage import Usage, read_openai_usage

_TEXTS_ONLY = quirk("embeds_texts_only", "Embeds texts only, and no token numbers")
_AT_MOST_100 = quirk("embeds_at_most_100", "Embeds at most 100 texts in one call")
_READ_BYTES = 64 * 1024
# A model that is gone comes as 400, and a day's allowance that is used up as any other limit: 3036 as documented,
# 4006 as its users report.
_STATUS = {3042: 404, 5007: 404}
_NO_QUOTA = frozenset({3036, 4006})


class OpenAIEmbeddings:
    """See providers.formats.embeddings.base.EmbeddingFormat."""

    name = "openai"
    access = Access()

    def write_request(self, request: EmbeddingRequest, upstream: Upstream) -> WrittenRequest:
        if _TEXTS_ONLY in upstream.quirks:
            texts_only(request)
        if _AT_MOST_100 in upstream.quirks:
            at_most(100, request)
        if request.dimensions is not None:
            needs_declared(upstream, "dimensions")
        body = {**request.sent, "model": upstream.name}
        # What the provider does not encode, the gateway does.
        if not is_declared(upstream, "encoding_format"):
            body.pop("encoding_format", None)
        return WrittenRequest("/embeddings", body)

    def read_answer(self, value: Any) -> EmbeddingAnswer:
        return read_answer(value)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        return read_cloudflare_failure(status, headers, body) or classify(status, headers, body)


def read_answer(value: Any) -> EmbeddingAnswer:
    """Also of Voyage. An index that is missing is the item's place. Raises UpstreamFailure."""
    if isinstance(value, dict) and value.get("error"):
        raise reported_inside(value["error"])
    data = value.get("data") if isinstance(value, dict) else None
    if not isinstance(data, list) or not data:
        raise bad_response("The provider's answer has no embeddings.")
    vectors = dict(_read_item(item, place) for place, item in enumerate(data))
    if sorted(vectors) != list(range(len(data))):
        raise bad_response("The provider's answer does not say which embedding is whose.")
    return EmbeddingAnswer(
        tuple(vectors[place] for place in range(len(data))), _read_usage(value.get("usage"))
    )


def _read_item(item: Any, place: int) -> tuple[int, Any]:
    if not isinstance(item, dict):
        raise bad_response("The provider's answer has an embedding of the wrong type.")
    index = item.get("index", place)
    return (index if type(index) is int else place), read_vector(item.get("embedding"))


def _read_usage(value: object) -> Usage | None:
    """Of one total the other follows, for nothing is generated."""
    if not isinstance(value, Mapping):
        return None
    return read_openai_usage(value) or read_openai_usage({"total_tokens": value.get("prompt_tokens")})


def read_cloudflare_failure(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure | None:
    """In Cloudflare's envelope, which Workers AI's OpenAI door answers with too. None where the body is none.

    Source: https://developers.cloudflare.com/workers-ai/workers-ai-errors.
    """
    code = _code(body)
    if code is None:
        return None
    error = read_error(body)
    if code in _NO_QUOTA:
        return failure_for(429, replace(error, code="insufficient_quota"))
    return failure_for(_STATUS.get(code, status), error, retry_after_s(headers))


def _code(body: bytes) -> int | None:
    try:
        value, _ = read_json(body[:_READ_BYTES])
    except ValueError:
        return None
    errors = value.get("errors") if isinstance(value, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    code = first.get("code") if isinstance(first, dict) else None
    return code if type(code) is int else None
