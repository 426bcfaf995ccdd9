"""Why an answer ended, both ways; whose fault a failed one is."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from providers.formats import finishes
from providers.wire.events import Finished, FinishReason
from providers.wire.failure import (
    ReportedError,
    UpstreamFailure,
    failure_for,
    param_in,
    read_error,
    retry_after_s,
    unclear,
)
from providers.wire.json_text import read_json

UNSAID = "FINISH_REASON_UNSPECIFIED"
_READ_BYTES = 64 * 1024
_TYPES = "type.googleapis.com/google.rpc."
_TOO_LONG = re.compile(
    r"input token count .* exceeds|exceeds the maximum number of tokens|context length", re.IGNORECASE
)
_POLICY = re.compile(r"prohibited content|content polic|usage guidelines|safety polic", re.IGNORECASE)
_OUR_ACCOUNT = re.compile(r"billing|location is not supported|not available in your country", re.IGNORECASE)
_OUR_KEY = frozenset({"API_KEY_INVALID", "API_KEY_SERVICE_BLOCKED", "CONSUMER_SUSPENDED", "SERVICE_DISABLED"})
_BY_NAME = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 503,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_CANCELLED = 499


def read_finish(word: str, *, has_calls: bool) -> Finished:
    reason = finishes.read_reason("gemini", word)
    if reason is FinishReason.STOP and has_calls:
        reason = FinishReason.TOOL_CALLS
    return Finished(reason, word)


def write_finish(finished: Finished) -> str:
    if finishes.READ["gemini"].get(finished.native) is finished.reason:
        return finished.native
    return finishes.WRITTEN["gemini"][finished.reason]


def read_failure(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
    """An answer that is not 2xx. `headers` have lower-case names."""
    try:
        value, _ = read_json(body[:_READ_BYTES])
    except ValueError:
        value = None
    error = error_in(value)
    if error is None:
        return failure_for(_status(status), read_error(body), retry_after_s(headers))
    return _classified(_status(status), error, retry_after_s(headers))


def reported_inside(error: Mapping[str, Any]) -> UpstreamFailure:
    """An error that came with a status of success."""
    code = error.get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else _BY_NAME.get(_text(error, "status"))
    if status is None:
        return unclear(_text(error, "message"))
    return _classified(_status(status), error, None)


def error_in(value: object) -> Mapping[str, Any] | None:
    """The `error` of an envelope, which may stand in an array."""
    while isinstance(value, list) and value:
        value = value[0]
    error = value.get("error") if isinstance(value, Mapping) else None
    return error if isinstance(error, Mapping) else None


def _classified(status: int, error: Mapping[str, Any], wait_s: float | None) -> UpstreamFailure:
    reported = _reported(error)
    if status == 429:
        return _limited(error, reported, _retry_delay(error) or wait_s)
    if status in {400, 403} and _is_about_us(error, reported):
        return failure_for(401, replace(reported, code=""))
    if status in {400, 413, 422}:
        reported = replace(reported, code=_callers_code(reported))
    return failure_for(status, reported, _retry_delay(error) or wait_s)


def _limited(error: Mapping[str, Any], reported: ReportedError, wait_s: float | None) -> UpstreamFailure:
    """Google says `quota` of every limit: only one that counts by the day is not over in a minute."""
    if "PerDay" in str(_detail(error, "QuotaFailure")):
        return failure_for(429, replace(reported, code="insufficient_quota"))
    return failure_for(429, ReportedError(), wait_s)


def _is_about_us(error: Mapping[str, Any], reported: ReportedError) -> bool:
    is_precondition = error.get("status") == "FAILED_PRECONDITION"
    return reported.code in _OUR_KEY or (is_precondition and bool(_OUR_ACCOUNT.search(reported.message)))


def _callers_code(reported: ReportedError) -> str:
    if _TOO_LONG.search(reported.message):
        return "context_length_exceeded"
    return "content_policy_violation" if _POLICY.search(reported.message) else reported.code.lower()


def _reported(error: Mapping[str, Any]) -> ReportedError:
    violations = _detail(error, "BadRequest").get("fieldViolations")
    first = violations[0] if isinstance(violations, list) and violations else None
    return ReportedError(
        message=_text(error, "message"),
        code=re.sub(r"\W", "", _text(_detail(error, "ErrorInfo"), "reason"))[:64],
        type=_text(error, "status")[:64],
        param=param_in(first, "field") if isinstance(first, Mapping) else "",
    )


def _retry_delay(error: Mapping[str, Any]) -> float | None:
    delay = _text(_detail(error, "RetryInfo"), "retryDelay")
    return retry_after_s({"retry-after": delay.removesuffix("s")})


def _detail(error: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    details = error.get("details")
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, Mapping) and detail.get("@type") == _TYPES + name:
            return detail
    return {}


def _text(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name)
    return text if isinstance(text, str) else ""


def _status(status: int) -> int:
    return 503 if status == _CANCELLED else status
