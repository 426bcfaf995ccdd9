"""How a refusal is written: each API's envelope, and its words by status. One place for REST and the edge. Pure.

An error has `message`, `code`, `status` and, where one is to blame, `param`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

CONTEXT_EXCEEDED, OVERLOADED = "context_length_exceeded", "provider_overloaded"
# No part of a name, such as a model's.
_LENGTH = re.compile(r"(?<![\w.,-])\d[\d,]{2,14}(?![\w-])")
_ABOVE = re.compile(r"> ?(\d[\d,]{2,14})")
_MOST = re.compile(
    r"(?:maximum|at most|limit|allowed|available|window|context (?:size|length))\D{0,40}?(\d[\d,]{2,14})",
    re.IGNORECASE,
)
# What each vendor says of a prompt that is too long: its clients look for these very words, and make room.
# Sources: the three vendors' own answers (November 2026); Claude Code compacts where it reads `prompt is too long`.
_TOO_LONG = {
    "openai": "This model's maximum context length is {most} tokens. "
    "However, your messages resulted in {asked} tokens.",
    "anthropic": "prompt is too long: {asked} tokens > {most} maximum",
    "google": "The input token count ({asked}) exceeds the maximum number of tokens allowed ({most}).",
}
# A prompt that is not too long by itself, but with what its answer may have: vLLM, and OpenAI's older models.
_WITH_ANSWER = re.compile(
    r"too large: (?P<answer>\d{1,15}).{0,80}?length is (?P<most>\d{1,15}).{0,80}?has (?P<prompt>\d{1,15}) input"
    r"|length is (?P<most_>\d{1,15}).{0,80}?"
    r"\((?P<prompt_>\d{1,15}) in the (?:messages|prompt)\D{0,9}(?P<answer_>\d{1,15}) in the completion"
)
_TOO_LONG_WITH_ANSWER = (
    "input length and `max_tokens` exceed context limit: {prompt} + {answer} > {most}, "
    "decrease input length or `max_tokens` and try again"
)
"""Anthropic's words, by which its clients ask for less."""
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
_GOOGLE_STATUSES: Mapping[int, str] = {
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
_SCIM_TYPES = frozenset(
    {
        "invalidFilter",
        "invalidValue",
        "tooMany",
        "uniqueness",
        "mutability",
        "invalidSyntax",
        "invalidPath",
        "noTarget",
    }
)
_GOOGLE_TYPES = "type.googleapis.com/google.rpc."


def spoken_form(has_header: Callable[[str], bool]) -> str:
    """Whose form a client reads at an address that all of them ask: openai, anthropic or google.

    Source: the SDKs, which send these headers with every request.
    """
    if has_header("anthropic-version"):
        return "anthropic"
    return "google" if has_header("x-goog-api-key") or has_header("x-goog-api-client") else "openai"


def openai_type(status: int) -> str:
    return _OPENAI_TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")


def read_lengths(message: str) -> tuple[int, int] | None:
    """How many tokens a prompt has, and how many are taken at most, in the words of any vendor."""
    if (found := _ABOVE.search(message) or _MOST.search(message)) is None:
        return None
    most = _whole(found.group(1))
    longer = [length for length in map(_whole, _LENGTH.findall(message)) if length > most]
    return (longer[0], most) if longer else None


def _read_with_answer(message: str) -> dict[str, int] | None:
    found = _WITH_ANSWER.search(message)
    if found is None:
        return None
    lengths = {name.rstrip("_"): int(digits) for name, digits in found.groupdict().items() if digits}
    return lengths if lengths["prompt"] <= lengths["most"] else None


def _whole(digits: str) -> int:
    return int(digits.replace(",", ""))


def _message(error: Mapping[str, Any], form: str) -> str:
    """In the form's own words where its clients look for them."""
    message: str = error.get("message") or "The request failed."
    if error.get("code") != CONTEXT_EXCEEDED:
        return message
    if found := _read_with_answer(message):
        return _TOO_LONG_WITH_ANSWER.format(**found) if form == "anthropic" else message
    if lengths := read_lengths(message):
        return _TOO_LONG[form].format(asked=lengths[0], most=lengths[1])
    begins = _TOO_LONG["anthropic"].partition(":")[0]
    return message if form != "anthropic" or begins in message else f"{begins}: {message}"


def openai_envelope(error: Mapping[str, Any]) -> dict[str, Any]:
    """All four members always, as OpenAI's SDK documents them."""
    members = {name: error.get(name) for name in ("message", "type", "param", "code")}
    told = {"message": _message(error, "openai"), "type": openai_type(error.get("status") or 500)}
    return {"error": members | told}


def anthropic_envelope(error: Mapping[str, Any], request_id: str | None = None) -> dict[str, Any]:
    """`code` and `param` stand beside Anthropic's own two members, where they are known."""
    status = error.get("status") or 500
    kind = _ANTHROPIC_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    if error.get("code") == OVERLOADED:
        kind = "overloaded_error"
    inner = {"type": kind, "message": _message(error, "anthropic")}
    inner |= {name: error[name] for name in ("code", "param") if error.get(name)}
    envelope: dict[str, Any] = {"type": "error", "error": inner}
    return envelope if request_id is None else envelope | {"request_id": request_id}


def google_envelope(error: Mapping[str, Any], request_id: str = "") -> dict[str, Any]:
    """Its code becomes an ErrorInfo, its parameter a field violation.

    Source: https://cloud.google.com/apis/design/errors.
    """
    status = error.get("status") or 500
    name = _GOOGLE_STATUSES.get(status, "INVALID_ARGUMENT" if status < 500 else "INTERNAL")
    details = [_info(error), *_violation(error), *_request(request_id)]
    return {
        "error": {"code": status, "message": _message(error, "google"), "status": name, "details": details}
    }


def _info(error: Mapping[str, Any]) -> dict[str, Any]:
    reason = str(error.get("code") or error.get("type") or "error")
    return {"@type": _GOOGLE_TYPES + "ErrorInfo", "reason": reason.upper(), "domain": "gatehouse"}


def _violation(error: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not error.get("param"):
        return []
    violation = {"field": error["param"], "description": error["message"]}
    return [{"@type": _GOOGLE_TYPES + "BadRequest", "fieldViolations": [violation]}]


def _request(request_id: str) -> list[dict[str, Any]]:
    return [{"@type": _GOOGLE_TYPES + "RequestInfo", "requestId": request_id}] if request_id else []


def form_at(path: str) -> str:
    """In whose form errors are told at an address where no surface and no view says it: see WRITERS."""
    if path.startswith("/v1/gateway/"):
        return "gateway"
    if path.startswith("/scim/"):
        return "scim"
    return "google" if path.lstrip("/").startswith("v1beta") else "openai"


def listed_envelope(error: Mapping[str, Any]) -> dict[str, Any]:
    """That of the published list of models, `/v1/gateway/…`."""
    status = error.get("status") or 500
    word = _LISTED_WORDS.get(status, "failed" if status >= 500 else "invalid_request")
    told = {"ok": False, "error": word, "code": error["code"], "message": error["message"]}
    return told | ({"param": error["param"]} if error.get("param") else {})


def scim_envelope(error: Mapping[str, Any]) -> dict[str, Any]:
    """Source: RFC 7644, section 3.12."""
    status, code = error.get("status") or 500, error.get("code")
    told: dict[str, Any] = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": str(status)}
    if code in _SCIM_TYPES:
        told["scimType"] = code
    elif status == 400:
        told["scimType"] = "invalidValue"
    return told | {"detail": error["message"]}


WRITERS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "openai": openai_envelope,
    "anthropic": anthropic_envelope,
    "google": google_envelope,
    "gateway": listed_envelope,
    "scim": scim_envelope,
}
"""By whose form it is."""
