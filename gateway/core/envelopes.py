"""What the vendors' clients are known by, and what they read an error from, whoever answers."""

from collections.abc import Callable, Mapping

_GOOGLE: Mapping[int, str] = {
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


def google_status(http_status: int) -> str:
    """Source: https://cloud.google.com/apis/design/errors."""
    return _GOOGLE.get(http_status, "INVALID_ARGUMENT" if http_status < 500 else "INTERNAL")


def spoken_form(has_header: Callable[[str], bool]) -> str:
    """Whose form a client reads at an address that all of them ask: openai, anthropic or google.

    Source: the SDKs, which send these headers with every request.
    """
    if has_header("anthropic-version"):
        return "anthropic"
    return "google" if has_header("x-goog-api-key") or has_header("x-goog-api-client") else "openai"
