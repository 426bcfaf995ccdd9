"""Writes the gateway's errors in Google's envelope.

Source: https://cloud.google.com/apis/design/errors.
"""

from collections.abc import Mapping
from typing import Any

from gateway.core.envelopes import google_status

_TYPES = "type.googleapis.com/google.rpc."


def write_error(error: Mapping[str, Any], request_id: str = "") -> dict[str, Any]:
    """`error` as in formats.base.AnswerWriter.fail. Its code becomes an ErrorInfo, its parameter a field violation."""
    status = error.get("status") or 500
    details = [_info(error), *_violation(error), *_request(request_id)]
    return {
        "error": {
            "code": status,
            "message": error["message"],
            "status": google_status(status),
            "details": details,
        }
    }


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
