"""Cost reports in the vendors' exact shape, from a scripted server."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.core.outbound import OutboundPolicy
from providers.reconciling.fetching import UNNAMED, FetchFailed, fetch_report, has_report
from providers.reconciling.reading import Line

SECRET = "admin-secret-of-us-a1b2"
FIRST, LAST = date(2026, 6, 1), date(2026, 6, 2)
START = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
Answer = Callable[[dict[str, list[str]]], tuple[int, Any]]


@dataclass
class Vendor:
    port: int = 0
    asked: list[tuple[str, dict[str, list[str]], dict[str, str]]] = field(default_factory=list)


@contextmanager
def reporting(answer: Answer) -> Iterator[Vendor]:
    vendor = Vendor()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            vendor.asked.append(
                (parts.path, query, {name.lower(): value for name, value in self.headers.items()})
            )
            status, body = answer(query)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    vendor.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield vendor
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def fetch(vendor: Vendor, wire_format: str = "openai", first: date = FIRST, last: date = LAST) -> list[Line]:
    policy = OutboundPolicy(frozenset({f"127.0.0.1:{vendor.port}"}))
    return fetch_report(wire_format, f"http://127.0.0.1:{vendor.port}/v1", SECRET, first, last, policy=policy)


def openai_result(value: Any, item: str | None, currency: str = "usd") -> dict[str, Any]:
    return {
        "object": "organization.costs.result",
        "amount": {"value": value, "currency": currency},
        "line_item": item,
        "project_id": None,
        "api_key_id": None,
        "quantity": None,
    }


def openai_page(
    *days: list[dict[str, Any]], next_page: str | None = None, start: int = START
) -> dict[str, Any]:
    buckets = [
        {
            "object": "bucket",
            "start_time": start + number * 86_400,
            "end_time": start + (number + 1) * 86_400,
            "results": results,
        }
        for number, results in enumerate(days)
    ]
    return {"object": "page", "data": buckets, "has_more": next_page is not None, "next_page": next_page}


def anthropic_result(amount: str, model: str | None, **changes: Any) -> dict[str, Any]:
    return {
        "currency": "USD",
        "amount": amount,
        "workspace_id": None,
        "description": "Claude usage",
        "cost_type": "tokens" if model else "web_search",
        "context_window": "0-200k",
        "model": model,
        "service_tier": "standard",
        "token_type": "uncached_input_tokens",
        "inference_geo": None,
    } | changes


def anthropic_page(day: str, *results: dict[str, Any], next_page: str | None = None) -> dict[str, Any]:
    end = f"{day[:8]}{int(day[8:]) + 1:02}"
    bucket = {"starting_at": f"{day}T00:00:00Z", "ending_at": f"{end}T00:00:00Z", "results": list(results)}
    return {"data": [bucket], "has_more": next_page is not None, "next_page": next_page}


def test_openais_report_is_read_page_by_page() -> None:
    first = [
        openai_result(0.06, "gpt-5-2025-08-07, input"),
        openai_result(1.5, "gpt-5-2025-08-07, cached input"),
    ]
    second = [openai_result(0.025, "web search tool calls"), openai_result(2, None)]

    def answer(query: dict[str, list[str]]) -> tuple[int, Any]:
        if query.get("page") == ["two"]:
            return 200, openai_page(second, start=START + 86_400)
        return 200, openai_page(first, next_page="two")

    with reporting(answer) as vendor:
        assert fetch(vendor) == [
            Line(FIRST, "gpt-5-2025-08-07", Decimal("0.06")),
            Line(FIRST, "gpt-5-2025-08-07", Decimal("1.5")),
            Line(LAST, "web search tool calls", Decimal("0.025")),
            Line(LAST, UNNAMED, Decimal(2)),
        ]
    path, query, headers = vendor.asked[0]
    assert path == "/v1/organization/costs"
    assert query == {
        "start_time": [str(START)],
        "end_time": [str(START + 2 * 86_400)],
        "bucket_width": ["1d"],
        "group_by[]": ["line_item"],
        "limit": ["2"],
    }
    assert headers["authorization"] == f"Bearer {SECRET}"


def test_anthropics_report_is_read_page_by_page_and_its_amounts_are_cents() -> None:
    def answer(query: dict[str, list[str]]) -> tuple[int, Any]:
        if query.get("page") == ["two"]:
            return 200, anthropic_page("2026-06-02", anthropic_result("1", None))
        return 200, anthropic_page(
            "2026-06-01", anthropic_result("123.45", "claude-sonnet-4-20250514"), next_page="two"
        )

    with reporting(answer) as vendor:
        assert fetch(vendor, "anthropic") == [
            Line(FIRST, "claude-sonnet-4-20250514", Decimal("1.2345")),
            Line(LAST, UNNAMED, Decimal("0.01")),
        ]
    path, query, headers = vendor.asked[0]
    assert path == "/v1/organizations/cost_report"
    assert query == {
        "starting_at": ["2026-06-01T00:00:00Z"],
        "ending_at": ["2026-06-03T00:00:00Z"],
        "bucket_width": ["1d"],
        "group_by[]": ["description"],
        "limit": ["2"],
    }
    assert (headers["x-api-key"], headers["anthropic-version"]) == (SECRET, "2023-06-01")
    assert "authorization" not in headers


def test_days_that_were_not_asked_for_are_left_out() -> None:
    page = openai_page(*[[openai_result(number, "m, input")] for number in range(4)], start=START - 86_400)
    with reporting(lambda _query: (200, page)) as vendor:
        assert [line.usd for line in fetch(vendor)] == [1, 2]


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (401, {"error": {"message": f"bad key {SECRET}"}}, "refuses the admin credential (401)"),
        (403, {}, "refuses the admin credential (403)"),
        (404, {}, "no cost report at its address (404)"),
        (429, {}, "answers with 429; try again later"),
        (500, {}, "answers with 500"),
        (302, {}, "answers with 302"),
        (200, b"<html>", "no JSON"),
        (200, [], "no list of days"),
        (200, {"data": None}, "no list of days"),
        (200, {"data": [{}]}, "not answer as a cost report"),
        (200, {"data": [], "has_more": True, "next_page": None}, "does not say where"),
        (200, openai_page([openai_result(1, "m", "eur")]), "'eur', not in USD"),
        (200, openai_page([openai_result(True, "m")]), "not a number"),
        (200, openai_page([openai_result("much", "m")]), "not answer as a cost report"),
        (200, openai_page([openai_result("NaN", "m")]), "not a number"),
    ],
)
def test_what_is_no_report_says_why_without_secrets(status: int, body: Any, told: str) -> None:
    with reporting(lambda _query: (status, body)) as vendor, pytest.raises(FetchFailed) as raised:
        fetch(vendor)
    assert told in str(raised.value)
    assert SECRET not in str(raised.value)


def test_odd_name_of_a_model_is_escaped_and_cut() -> None:
    page = openai_page([openai_result(1, "a\0b, input"), openai_result(1, "m" * 300)])
    with reporting(lambda _query: (200, page)) as vendor:
        first, second = fetch(vendor)
    assert first.model.isprintable()
    assert second.model == "m" * 200


def test_report_without_end_is_given_up() -> None:
    page = openai_page([], next_page="again")
    with (
        reporting(lambda _query: (200, page)) as vendor,
        pytest.raises(FetchFailed, match="more than 50 pages"),
    ):
        fetch(vendor)
    assert len(vendor.asked) == 50


def test_address_that_is_not_allowed_is_not_asked() -> None:
    with reporting(lambda _query: (200, openai_page())) as vendor:
        with pytest.raises(FetchFailed, match="could not be had"):
            fetch_report(
                "openai", f"http://127.0.0.1:{vendor.port}/v1", SECRET, FIRST, LAST, policy=OutboundPolicy()
            )
        assert not vendor.asked


@pytest.mark.parametrize(("first", "last"), [(LAST, FIRST), (date(2026, 3, 1), date(2026, 6, 1))])
def test_days_that_cannot_be_asked_for_are_refused(first: date, last: date) -> None:
    with pytest.raises(FetchFailed, match="1 to 92 days"):
        fetch(Vendor(1), first=first, last=last)


def test_only_two_vendors_have_a_report() -> None:
    assert [
        name
        for name in ("openai", "responses", "anthropic", "gemini", "voyage", "cohere")
        if has_report(name)
    ] == [
        "openai",
        "responses",
        "anthropic",
    ]
