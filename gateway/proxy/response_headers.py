"""What headers say of an answer: its model's life (RFC 9745, 8594 and 8288)."""

from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import quote

from catalogue.facts import ModelFacts

Headers = list[tuple[bytes, bytes]]


def lifecycle_headers(model: ModelFacts, successor: ModelFacts | None, at: datetime) -> Headers:
    """Nothing for a model that is not deprecated at `at`."""
    if model.deprecation_at is None or model.deprecation_at > at:
        return []
    headers = [(b"deprecation", f"@{int(model.deprecation_at.timestamp())}".encode())]
    if model.retirement_at:
        sunset = format_datetime(model.retirement_at.astimezone(UTC), usegmt=True)
        headers.append((b"sunset", sunset.encode()))
    return headers + successor_link(successor.id if successor else None)


def redirect_headers(retired_id: str, successor_id: str) -> Headers:
    """That another model answers than the one that was asked for."""
    return [(b"x-gateway-redirected-from", retired_id.encode()), *successor_link(successor_id)]


def fallback_header(asked: str) -> tuple[bytes, bytes]:
    """That what was named first did not answer."""
    return b"x-gateway-fallback-from", _in_header(asked)


def route_header(route_id: str) -> tuple[bytes, bytes]:
    """That the answering model is a member of that named route."""
    return b"x-gateway-route", _in_header(route_id)


def _in_header(name: str) -> bytes:
    """A client's own words: percent-encoded where they are no header's."""
    return quote(name, safe="/:@.-_~ ").encode()


def warning_header(sentence: str | None) -> tuple[bytes, bytes]:
    return b"x-gateway-warning", (sentence or "").encode("ascii", "backslashreplace")


def successor_link(successor_id: str | None) -> Headers:
    """Where the successor is described; nothing where there is none."""
    if not successor_id:
        return []
    return [(b"link", f'<{quote(f"/v1/models/{successor_id}")}>; rel="successor-version"'.encode())]
