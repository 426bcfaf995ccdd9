"""Pages of other origins: what browsers are told, and that a real one calls the API with it."""

import asyncio
import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.server.cors import Cors
from gateway.server.front import read_cors_origins
from tests.gateway.program import call_from
from tests.pages import running_browser
from tests.system.embedded import Prepared

APP, OTHER = "https://app.example", "https://other.example"
NAMES = "authorization, content-type, x-stainless-os"


def ask(
    cors: Cors, path: str = "/v1/models", method: str = "GET", **headers: str
) -> tuple[int, dict[str, str]]:
    """Status and the headers that the outside was told."""
    sent: list[dict[str, Any]] = []
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "method": method, "headers": pairs}
    asyncio.run(cors(scope, None, send))  # type: ignore[arg-type]  # nobody receives
    told = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    assert len(told) == len(dict(told))
    return sent[0]["status"], dict(told)


async def behind(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-request-id", b"req_1")]})
    await send({"type": "http.response.body", "body": b"{}"})


def cors_of(*origins: str, base_path: str = "") -> Cors:
    return Cors(behind, read_cors_origins(list(origins)), base_path)


def ask_first(cors: Cors, origin: str, names: str = NAMES) -> tuple[int, dict[str, str]]:
    asked = {"access_control_request_method": "POST", "access_control_request_headers": names}
    return ask(cors, method="OPTIONS", origin=origin, **asked)


def test_named_origin_is_let_in_and_may_read_every_header() -> None:
    status, told = ask(cors_of(APP), origin=APP)
    assert status == 200
    assert told == {
        "x-request-id": "req_1",
        "vary": "origin",
        "access-control-allow-origin": APP,
        "access-control-expose-headers": "*",
    }


@pytest.mark.parametrize("origin", [OTHER, "null", f"{APP}.evil.example", "http://app.example", f"{APP}:444"])
def test_other_origins_are_told_nothing(origin: str) -> None:
    assert ask(cors_of(APP), origin=origin)[1] == {"x-request-id": "req_1", "vary": "origin"}


def test_answers_without_an_origin_vary_too() -> None:
    assert ask(cors_of(APP))[1] == {"x-request-id": "req_1", "vary": "origin"}


def test_star_lets_everybody_in_without_varying() -> None:
    told = ask(cors_of("*"), origin=OTHER)[1]
    assert told["access-control-allow-origin"] == "*"
    assert "vary" not in told


def test_no_cookie_is_ever_asked_for() -> None:
    for cors in (cors_of(APP), cors_of("*")):
        assert "access-control-allow-credentials" not in ask(cors, origin=APP)[1] | ask_first(cors, APP)[1]


def test_browser_that_asks_first_is_answered_here() -> None:
    status, told = ask_first(cors_of(APP), APP)
    assert status == 204
    assert told["access-control-allow-origin"] == APP
    assert told["access-control-allow-headers"] == NAMES
    assert "POST" in told["access-control-allow-methods"]
    assert "x-request-id" not in told


def test_stranger_that_asks_first_is_allowed_nothing() -> None:
    status, told = ask_first(cors_of(APP), OTHER)
    assert status == 204
    assert not [name for name in told if name.startswith("access-control")]


@pytest.mark.parametrize("names", ["a b", "a\r\nset-cookie: x", "x" * 1025, ""])
def test_names_that_are_none_are_not_repeated(names: str) -> None:
    assert "access-control-allow-headers" not in ask_first(cors_of(APP), APP, names)[1]


@pytest.mark.parametrize("path", ["/admin/", "/", "/models", "/keys", "/v1x/"])
def test_pages_for_people_stay_closed(path: str) -> None:
    assert ask(cors_of("*"), path, origin=APP)[1] == {"x-request-id": "req_1"}


@pytest.mark.parametrize(
    ("path", "is_open"), [("/llm/v1/models", True), ("/llm/admin/", False), ("/v1/models", True)]
)
def test_api_below_a_base_path_is_open(path: str, *, is_open: bool) -> None:
    told = ask(cors_of("*", base_path="/llm"), path, origin=APP)[1]
    assert ("access-control-allow-origin" in told) is is_open


@pytest.fixture
def page(tmp_path: Path) -> Iterator[str]:
    """The address of an empty page of another origin."""
    (tmp_path / "index.html").write_text("<!doctype html><title>Elsewhere</title>")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


_CALL = """
const [url, key, body, done] = arguments;
fetch(url + "/v1/chat/completions", {
  method: "POST",
  headers: {"content-type": "application/json", "authorization": "Bearer " + key},
  body,
}).then(async answer => done([answer.status, answer.headers.get("x-gateway-provider") || "", await answer.text()]))
  .catch(error => done([0, "", String(error)]));
"""


@pytest.mark.parametrize("is_named", [True, False])
def test_page_of_another_origin_chats_from_a_real_browser_where_it_was_named(
    page: str, tmp_path: Path, prepared: Prepared, *, is_named: bool
) -> None:
    origins = page if is_named else APP
    with (
        prepared.started(tmp_path / "data", GATEWAY_CORS_ORIGINS=origins) as product,
        running_browser(page) as browser,
    ):
        browser.open("/index.html")
        body = call_from(product.curl_line).content.decode()
        status, provider, text = browser.driver.execute_async_script(_CALL, product.url, product.key, body)
    if is_named:
        assert (status, bool(provider)) == (200, True), text
    else:
        assert (status, text) == (0, "TypeError: Failed to fetch")
