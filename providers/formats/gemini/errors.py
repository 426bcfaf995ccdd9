"""Writes the gateway's errors in Google's envelope.

Source: https://cloud.google.com/apis/design/errors.
"""

from collections.abc import Mapping
from typing import Any

_TYPES = "type.googleapis.com/google.rpc."
_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    410: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def write_error(error: Mapping[str, Any], request_id: str = "") -> dict[str, Any]:
    """`error` as in formats.base.AnswerWriter.fail. Its code becomes an ErrorInfo, its parameter a field violation."""
    status = error.get("status") or 500
    details = [_info(error), *_violation(error), *_request(request_id)]
    name = _NAMES.get(status, "INVALID_ARGUMENT" if status < 500 else "INTERNAL")
    return {"error": {"code": status, "message": error["message"], "status": name, "details": details}}


def _info(error: Mapping[str, Any]) -> dict[str, Any]:
    reason = str(error.get("code") or error.get("type") or "error")
    return {"@type": _TYPES + "ErrorInfo", "reason": reason.upper(), "domain": "gatehouse"}


def _violation(error: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not error.get("param"):
        return []
    violation = {"field": error["param"], "description": error["message"]}
    return [{"@type": _TYPES + "BadRequest", "fieldViolations": [violation]}]


def _request(request_id: str) -> list[dict[str, Any]]:
    return [{"@type": _TYPES + "RequestInfo", "requestId": request_id}] if request_id else []
