"""A request told again: a line of curl like it, and the headers that its answer had. Pure.

Bodies are kept nowhere, so neither has one.
"""

import json
import shlex
from collections.abc import Sequence
from urllib.parse import quote

from accounts.models import LedgerEntry
from accounts.receipts import Receipt
from gateway.focus.rows import Metered, by_meter
from gateway.proxy.surfaces import BY_PATH
from gateway.public.samples import KEY

BODY_FILE = "request.json"
_PATHS = {
    (surface.endpoint, surface.format): path for path, surface in BY_PATH.items() if not surface.only_counts
}
_OF_METERS = ("kind", "own_credential_id", "loss_usd", "cost_usd", "charged_usd", "usage", "prices")
_BY_ENDPOINT = {endpoint: path for (endpoint, _), path in _PATHS.items()}


def path_of(entry: LedgerEntry) -> str:
    """Where the client called; empty where nobody knows."""
    if entry.surface == "gemini":
        act = "streamGenerateContent" if entry.is_streamed else "generateContent"
        return f"/v1beta/models/{quote(entry.requested_model, safe='/')}:{act}"
    return _PATHS.get((entry.endpoint, entry.surface)) or _BY_ENDPOINT.get(entry.endpoint, "")


def as_curl(receipt: Receipt, base_url: str) -> str:
    """Empty where nobody knows what was called. Whatever a client named is quoted for a shell."""
    entry = receipt.first
    if not (path := path_of(entry)):
        return ""
    headers = [_key_header(entry.surface), "Content-Type: application/json"]
    if entry.surface == "anthropic":
        headers.append("anthropic-version: 2023-06-01")
    if entry.project:
        headers.append(f"x-gateway-project-id: {entry.project}")
    lines = [f"curl {shlex.quote(base_url + path)}", *(f"  -H {shlex.quote(header)}" for header in headers)]
    return " \\\n".join([*lines, f"  -d @{BODY_FILE}"])


def body_hint(entry: LedgerEntry) -> str:
    """What of the body is known, as JSON."""
    known: dict[str, object] = {} if entry.surface == "gemini" else {"model": entry.requested_model}
    if entry.is_streamed and entry.surface != "gemini":
        known["stream"] = True
    return json.dumps(known, ensure_ascii=False)[1:-1]


def metered_of(receipt: Receipt) -> Sequence[tuple[int, Metered]]:
    """What each attempt cost, by meter, with the number of the attempt; what corrects it is told elsewhere."""
    return [
        (attempt.entry.number, each)
        for attempt in receipt.attempts
        for each in by_meter({name: getattr(attempt.entry, name) for name in _OF_METERS})
    ]


def _key_header(surface: str) -> str:
    return {"anthropic": f"x-api-key: {KEY}", "gemini": f"x-goog-api-key: {KEY}"}.get(
        surface, f"Authorization: Bearer {KEY}"
    )


def answered_headers(receipt: Receipt) -> Sequence[tuple[str, str]]:
    """Those of the gateway's own that the ledger knows."""
    last = receipt.last
    known = [
        ("x-request-id", last.request_id),
        ("x-gateway-lane", last.lane),
        ("x-gateway-attempts", str(len(receipt.attempts))),
    ]
    if last.outcome in {LedgerEntry.Outcome.FINISHED, LedgerEntry.Outcome.CUT}:
        known += [("x-gateway-provider", last.provider), ("x-gateway-model", last.model)]
    known.append(("x-gateway-redirected-from", last.redirected_from))
    known.append(("x-gateway-translated", ", ".join(receipt.attempts[-1].translated)))
    return [(name, value) for name, value in known if value]
