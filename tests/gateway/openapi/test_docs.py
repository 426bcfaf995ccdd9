"""The API document's page, and what browsers are told about content."""

import asyncio
import re

import pytest
from django.contrib.staticfiles import finders
from django.test import AsyncClient, Client


def page() -> str:
    return Client().get("/docs").content.decode()


def test_page_needs_no_key() -> None:
    assert Client().get("/docs").status_code == 200


def test_page_has_no_inline_script_and_no_inline_style() -> None:
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", page())


def test_page_loads_from_this_host_only() -> None:
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page())
    assert addresses
    assert all(address.startswith("/") and not address.startswith("//") for address in addresses)


def test_assets_of_the_page_are_shipped() -> None:
    assets = re.findall(r'"/static/([^"]+)"', page())
    assert len(assets) == 3
    assert all(finders.find(asset) for asset in assets)


def test_script_of_the_page_points_at_the_document() -> None:
    script = Client().get("/docs?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert "openapi.json" in script.content.decode()


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
