"""OpenAI's and Anthropic's cost reports, asked for with a credential of an administrator.

Sources: https://platform.openai.com/docs/api-reference/usage/costs and
https://platform.claude.com/docs/en/api/admin/cost_report/retrieve (both read on 2026-11-30).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx
import orjson

from gateway.core.lines import as_one_line
from gateway.core.outbound import OutboundPolicy, httpx_client
from providers.reconciling.reading import MOST_DAYS, Line

UNNAMED = "(no model)"
"""What is billed for no model, such as searches of the web."""
_MOST_PAGES = 50
_DAY = timedelta(days=1)
_CENT = Decimal("0.01")
_SAID = 200


class FetchFailed(Exception):
    """The report cannot be had; for people, without secrets."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a vendor is asked, and how a result is read."""

    path: str
    headers: Callable[[str], Mapping[str, str]]
    query: Callable[[date, date], Mapping[str, str]]
    day: Callable[[Mapping[str, Any]], date]
    line: Callable[[Mapping[str, Any]], tuple[str, Decimal]]


def has_report(wire_format: str) -> bool:
    """Whether there is one to ask for, as far as the wire format tells."""
    return wire_format in _SHAPES


def fetch_report(
    wire_format: str, base_url: str, secret: str, first: date, last: date, *, policy: OutboundPolicy
) -> list[Line]:
    """Of those days, both included. Raises FetchFailed."""
    shape = _SHAPES[wire_format]
    if not timedelta(0) <= last - first < MOST_DAYS * _DAY:
        raise FetchFailed(f"Ask for 1 to {MOST_DAYS} days, the first one first.")
    url, query = f"{base_url}{shape.path}", dict(shape.query(first, last + _DAY))
    lines: list[Line] = []
    with httpx_client(policy) as client:
        for _ in range(_MOST_PAGES):
            page = _ask(client, url, query, shape.headers(secret))
            lines += _lines(page, shape, first, last)
            if not page.get("has_more"):
                return lines
            query["page"] = str(page["next_page"])
    raise FetchFailed(f"The report has more than {_MOST_PAGES} pages: ask for fewer days.")


def _ask(
    client: httpx.Client, url: str, query: Mapping[str, str], headers: Mapping[str, str]
) -> dict[str, Any]:
    try:
        answer = client.get(url, params=query, headers=dict(headers))
    except httpx.HTTPError as error:
        raise FetchFailed(f"The report could not be had: {type(error).__name__}.") from None
    if answer.status_code in {401, 403}:
        raise FetchFailed(f"The provider refuses the admin credential ({answer.status_code}).")
    if answer.status_code == 404:
        raise FetchFailed("The provider has no cost report at its address (404): import a sheet instead.")
    if answer.status_code != 200:
        raise FetchFailed(f"The provider answers with {answer.status_code}; try again later.")
    try:
        page = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        raise FetchFailed("The provider does not answer as a cost report does: no JSON.") from None
    if not isinstance(page, dict) or not isinstance(page.get("data"), list):
        raise FetchFailed("The provider does not answer as a cost report does: no list of days.")
    if page.get("has_more") and not page.get("next_page"):
        raise FetchFailed("The provider has more and does not say where.")
    return page


def _lines(page: Mapping[str, Any], shape: _Shape, first: date, last: date) -> Iterator[Line]:
    try:
        for bucket in page["data"]:
            day = shape.day(bucket)
            if not first <= day <= last:
                continue
            for result in bucket["results"]:
                model, usd = shape.line(result)
                yield Line(day, as_one_line(model)[:_SAID], usd)
    except (KeyError, TypeError, AttributeError, ValueError, InvalidOperation) as error:
        what = f"{type(error).__name__}: {error}"[:_SAID]
        raise FetchFailed(f"The provider does not answer as a cost report does ({what}).") from None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _openai_query(first: date, end: date) -> Mapping[str, str]:
    return {
        "start_time": str(int(_midnight(first).timestamp())),
        "end_time": str(int(_midnight(end).timestamp())),
        "bucket_width": "1d",
        "group_by[]": "line_item",
        "limit": str(min((end - first).days, 180)),
    }


def _openai_line(result: Mapping[str, Any]) -> tuple[str, Decimal]:
    """A line item is a model and what of it, as “gpt-5-2025-08-07, cached input”."""
    amount = result["amount"]
    _check_currency(amount["currency"])
    item = str(result.get("line_item") or "")
    model, comma, _ = item.partition(", ")
    return (model if comma else item or UNNAMED), _exact(amount["value"])


def _anthropic_query(first: date, end: date) -> Mapping[str, str]:
    return {
        "starting_at": f"{first.isoformat()}T00:00:00Z",
        "ending_at": f"{end.isoformat()}T00:00:00Z",
        "bucket_width": "1d",
        "group_by[]": "description",
        "limit": str(min((end - first).days, 31)),
    }


def _anthropic_line(result: Mapping[str, Any]) -> tuple[str, Decimal]:
    """An amount is a text, in cents."""
    _check_currency(result["currency"])
    return str(result.get("model") or UNNAMED), _exact(result["amount"]) * _CENT


def _check_currency(currency: str) -> None:
    if currency.lower() != "usd":
        raise ValueError(f"amounts are in {currency!r}, not in USD")


def _exact(value: Any) -> Decimal:
    """Numbers come as floating point: of these the digits that they are written with."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise TypeError("an amount is not a number")
    amount = Decimal(str(value))
    if not amount.is_finite():
        raise ValueError("an amount is not a number")
    return amount


_OPENAI = _Shape(
    "/organization/costs",
    lambda secret: {"authorization": f"Bearer {secret}"},
    _openai_query,
    lambda bucket: datetime.fromtimestamp(bucket["start_time"], UTC).date(),
    _openai_line,
)
_SHAPES: Mapping[str, _Shape] = {
    "openai": _OPENAI,
    "responses": _OPENAI,
    "anthropic": _Shape(
        "/organizations/cost_report",
        lambda secret: {"x-api-key": secret, "anthropic-version": "2023-06-01"},
        _anthropic_query,
        lambda bucket: datetime.fromisoformat(bucket["starting_at"]).astimezone(UTC).date(),
        _anthropic_line,
    ),
}
