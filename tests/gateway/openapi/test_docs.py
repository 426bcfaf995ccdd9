"""The API document's page, and what browsers are told about content."""

import asyncio
import re

import pytest
from django.test import AsyncClient, Client

from gateway.openapi.reference import METHODS
from gateway.web.views import api_document


def page() -> str:
    return Client().get("/docs").text


def test_page_needs_no_key() -> None:
    assert Client().get("/docs").status_code == 200


def test_page_has_no_inline_script_and_no_inline_style() -> None:
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", page())


def test_page_loads_from_this_host_only() -> None:
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page())
    assert addresses
    assert all(re.match(r"/(?!/)|#", address) for address in addresses)


def test_every_operation_of_the_document_has_its_place_on_the_page() -> None:
    shown = set(re.findall(r'<span class="chip info">(\w+)</span> <code>([^<]+)</code>', page()))
    document = api_document()["paths"]
    told = {(method.upper(), path) for path, item in document.items() for method in item if method in METHODS}
    assert shown == told


def test_no_two_operations_share_an_anchor() -> None:
    anchors = re.findall(r'\bid="([^"]+)"', page())
    assert len(anchors) == len(set(anchors))


def test_page_travels_small() -> None:
    answer = Client(headers={"accept-encoding": "gzip"}).get("/docs")
    assert answer["Content-Encoding"] == "gzip"
    assert len(answer.content) < 60_000


def test_calls_are_those_of_the_address_that_was_asked() -> None:
    assert "curl http://testserver/v1/chat/completions" in page()


@pytest.mark.parametrize("path", ["/docs", "/healthz", "/openapi.json", "/v1/models", "/no/such/page"])
def test_content_comes_from_this_host_without_inline_code(path: str) -> None:
    policy = Client().get(path)["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy


def test_policy_is_set_on_the_loop_too() -> None:
    answer = asyncio.run(AsyncClient().get("/healthz"))
    assert "default-src 'self'" in answer["Content-Security-Policy"]


@pytest.mark.django_db
def test_admin_may_run_its_theme_but_from_this_host_only() -> None:
    policy = Client().get("/admin/login/")["Content-Security-Policy"]
    assert "'unsafe-eval'" in policy
    assert "'unsafe-inline'" not in policy
    assert "http" not in policy


def test_browsers_do_not_guess_types_nor_tell_others_where_they_were() -> None:
    answer = Client().get("/healthz")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
