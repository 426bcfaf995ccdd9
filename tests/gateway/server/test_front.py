"""The public address, the base path, and what proxies may say of host and scheme."""

from typing import Any

import pytest

from gateway.core.client_address import read_trusted_proxies
from gateway.server.front import Front, inside, read_public_url

PROXY, STRANGER = "10.0.0.5", "203.0.113.9"
FRONT = Front("/llm", read_trusted_proxies([PROXY]))


def request(path: str = "/models", peer: str = PROXY, **headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "path": path, "client": (peer, 4711), "scheme": "http", "headers": pairs}


@pytest.mark.parametrize(
    ("text", "origin", "base_path"),
    [
        ("https://gateway.example", "https://gateway.example", ""),
        ("https://Gateway.example:8443/", "https://gateway.example:8443", ""),
        ("http://example.com/llm/", "http://example.com", "/llm"),
        ("https://[2001:db8::1]/a/b", "https://[2001:db8::1]", "/a/b"),
    ],
)
def test_public_url_is_an_origin_and_a_base_path(text: str, origin: str, base_path: str) -> None:
    url = read_public_url(text)
    assert (url.origin, url.base_path, str(url)) == (origin, base_path, origin + base_path)


def test_none_is_no_public_url() -> None:
    assert not read_public_url("")


@pytest.mark.parametrize(
    "text",
    [
        "gateway.example",
        "ftp://gateway.example",
        "https://",
        "https://a?b",
        "https://a#b",
        "https://u:p@a",
        "https://a:port",
        "https://a//b",
        "https://a/%41",
    ],
)
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not an address|[Pp]ort"):
        read_public_url(text)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/llm/models", "/models"),
        ("/llm", "/"),
        ("/llm/", "/"),
        ("/models", "/models"),
        ("/llmodels", "/llmodels"),
        ("/llm/llm/x", "/llm/x"),
    ],
)
def test_base_path_is_taken_off_where_the_proxy_left_it_on(path: str, expected: str) -> None:
    assert inside(path, "/llm") == expected


def test_django_is_given_the_base_path_in_any_case() -> None:
    for path in ("/llm/models", "/models"):
        outer = FRONT.outer(FRONT.inner(request(path)))
        assert (outer["path"], outer["root_path"]) == ("/llm/models", "/llm")


def test_trusted_proxy_says_host_and_scheme() -> None:
    said = request(host="10.0.3.7:8000", x_forwarded_host="gateway.example", x_forwarded_proto="https")
    believed = FRONT.believed(said)
    assert (believed["scheme"], believed["headers"]) == ("https", [(b"host", b"gateway.example")])


def test_nearest_proxy_is_believed_about_the_host() -> None:
    believed = FRONT.believed(request(host="a", x_forwarded_host="forged.example, gateway.example"))
    assert believed["headers"] == [(b"host", b"gateway.example")]


@pytest.mark.parametrize("peer", [STRANGER, ""])
def test_what_strangers_say_of_host_and_scheme_is_left_out(peer: str) -> None:
    said = request(peer=peer, host="a", x_forwarded_host="forged.example", x_forwarded_proto="https")
    believed = FRONT.believed(said)
    assert (believed["scheme"], believed["headers"]) == ("http", [(b"host", b"a")])


def test_scheme_that_is_none_is_not_believed() -> None:
    assert FRONT.believed(request(host="a", x_forwarded_proto="javascript"))["scheme"] == "http"


def test_without_settings_a_request_stays_as_it_is() -> None:
    plain = request("/llm/models", host="a", x_forwarded_host="b")
    assert Front().believed(Front().outer(Front().inner(plain))) is plain
