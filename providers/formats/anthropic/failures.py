"""Whose fault a failed answer in Anthropic's format is."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from gateway.core.envelopes import ANTHROPIC_STATUSES
from providers.wire.failure import (
    ReportedError,
    UpstreamFailure,
    failure_for,
    read_error,
    retry_after_s,
    unclear,
)

# Anthropic answers an empty account with 400, and a contract's limit with 429.
_NO_CREDIT = re.compile(r"credit balance is too low|spend_limit_reached", re.IGNORECASE)
_TOO_LONG = re.compile(
    r"exceed\w* (?:the )?(?:context limit|maximum context)|request_too_large", re.IGNORECASE
)
# Its messages name the parameter first, as in `messages.0.content: Field required`.
_PARAM = re.compile(
    r"((?:messages|system|tools|tool_choice|max_tokens|temperature|top_[kp]|stop_sequences|thinking|metadata|output_config"
    r"|service_tier|container|context_management|mcp_servers)(?:\.[\w-]+)*): "
)
_POLICY = re.compile(r"content filtering policy|usage policy", re.IGNORECASE)


def read_failure(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
    """An answer that is not 2xx. `headers` have lower-case names."""
    error, detail = read_error(body), _detail(body)
    if _NO_CREDIT.search(error.message) or _NO_CREDIT.search(detail):
        return failure_for(402, error, retry_after_s(headers))
    return failure_for(status, _refine(error), retry_after_s(headers))


def read_inner_failure(value: Any) -> UpstreamFailure:
    """An error event of a stream, or an error that came with a status of success."""
    error = value.get("error") if isinstance(value, Mapping) else None
    kind = error.get("type") if isinstance(error, Mapping) else None
    status = ANTHROPIC_STATUSES.get(kind) if isinstance(kind, str) else None
    if status is None:
        return unclear(read_error(orjson.dumps(value)).message)
    return read_failure(status, {}, orjson.dumps(value))


def _refine(error: ReportedError) -> ReportedError:
    named = _PARAM.match(error.message)
    param, code = error.param or (named.group(1) if named else ""), error.code
    if error.says(_TOO_LONG):
        code = "context_length_exceeded"
    elif error.says(_POLICY):
        code = "content_policy_violation"
    return replace(error, param=param, code=code)


def _detail(body: bytes) -> str:
    """`error.details.error_code`, empty where there is none."""
    try:
        code = orjson.loads(body)["error"]["details"]["error_code"]
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
        return ""
    return code if isinstance(code, str) else ""
