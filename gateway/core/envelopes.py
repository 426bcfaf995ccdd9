"""How a refusal is written: each API's envelope, and its words by status. One place for REST and the edge. Pure.

An error has `message`, `code`, `status` and, where one is to blame, `param`. Google's envelope, which only the edge
writes, stands with its format.
"""

from collections.abc import Mapping
from typing import Any

_OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
ANTHROPIC_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""By the type of an error, as Anthropic's documents have it."""
_ANTHROPIC_TYPES = {
    **{status: kind for kind, status in ANTHROPIC_STATUSES.items()},
    # Its SDK's types have no `request_too_large` (2.13, November 2026).
    413: "invalid_request_error",
    410: "not_found_error",
}
_LISTED_WORDS = {
    401: "unauthorised",
    403: "forbidden",
    404: "not_found",
    429: "rate_limited",
    501: "not_implemented",
}


def openai_type(status: int) -> str:
    return _OPENAI_TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")


def openai_envelope(error: Mapping[str, Any]) -> dict[str, Any]:
    """All four members always, as OpenAI's SDK documents them."""
    members = {name: error.get(name) for name in ("message", "type", "param", "code")}
    return {"error": members | {"type": openai_type(error.get("status") or 500)}}


def anthropic_envelope(error: Mapping[str, Any], request_id: str | None = None) -> dict[str, Any]:
    """`code` and `param` stand beside Anthropic's own two members, where they are known."""
    status = error.get("status") or 500
    kind = _ANTHROPIC_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    inner = {"type": kind, "message": error.get("message") or "The request failed."}
    inner |= {name: error[name] for name in ("code", "param") if error.get(name)}
    envelope: dict[str, Any] = {"type": "error", "error": inner}
    return envelope if request_id is None else envelope | {"request_id": request_id}


def listed_envelope(error: Mapping[str, Any]) -> dict[str, Any]:
    """That of the published list of models, `/v1/gateway/…`."""
    status = error.get("status") or 500
    word = _LISTED_WORDS.get(status, "failed" if status >= 500 else "invalid_request")
    told = {"ok": False, "error": word, "code": error["code"], "message": error["message"]}
    return told | ({"param": error["param"]} if error.get("param") else {})
