"""Failures in Cloudflare's envelope, which Workers AI's OpenAI door answers with too.

Source: https://developers.cloudflare.com/workers-ai/workers-ai-errors.
"""

from collections.abc import Mapping
from dataclasses import replace

from providers.wire.failure import UpstreamFailure, failure_for, read_error, retry_after_s
from providers.wire.json_text import read_json

_READ_BYTES = 64 * 1024
# A model that is gone comes as 400, and a day's allowance that is used up as any other limit: 3036 as documented,
# 4006 as its users report.
_STATUS = {3042: 404, 5007: 404}
_NO_QUOTA = frozenset({3036, 4006})


def read_failure(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure | None:
    """None where the body is no such envelope."""
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
