"""Whatever is sent, the answer is a 4xx in the right envelope that names the parameter, and the next call is served."""

import contextlib
import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import httpx
import pytest

from tests.patience import HANG_S
from tests.system.admin_pages import AdminPages
from tests.system.embedded import Prepared, Product
from tests.system.fault_values import CHAT, GOOD_BODIES, KEYS
from tests.system.faults import JSON, Fault, faults
from tests.system.format_values import GENERATE, MESSAGES

FAULTS = faults()
GOOD = Fault(
    "none", CHAT, json.dumps(GOOD_BODIES[CHAT]).encode(), headers=JSON | {"x-gateway-lane": "direct"}
)
_clients = count()
TYPES = {"invalid_request_error", "authentication_error", "permission_error"}


def _what(fault: Fault) -> str:
    """What is called, or how."""
    return fault.name.partition(" ")[0]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, prepared: Prepared) -> Iterator[Product]:
    """Behind us as its proxy: each request comes from somebody else, as guessers of one address would have to wait."""
    folder = tmp_path_factory.mktemp("malformed") / "data"
    with prepared.started(folder, GATEWAY_TRUSTED_PROXIES="127.0.0.1") as product:
        yield product
    assert "Traceback" not in product.log, product.log


@pytest.fixture(scope="module")
def client(product: Product) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=product.url, timeout=HANG_S) as client:
        yield client


@pytest.fixture(scope="module")
def keys(product: Product) -> dict[bool, str]:
    """By whether keys are managed with it."""
    with AdminPages(product.url, username="admin", password=product.admin_password) as admin_pages:
        return {False: product.key, True: admin_pages.issue_key("malformed", scope="management")}


def send(client: httpx.Client, fault: Fault, key: str) -> httpx.Response:
    from_somebody = f"10.0.{next(_clients) % 250}.{next(_clients) % 250}"
    headers = {"authorization": f"Bearer {key}", "x-forwarded-for": from_somebody, **fault.headers}
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    return client.request(fault.method, fault.path, content=fault.content, headers=encoded)


def assert_refusal(answer: httpx.Response, fault: Fault) -> None:
    assert answer.status_code in fault.statuses, answer.text[:500]
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"].startswith("req_")
    assert not [word for word in ("traceback", "<html", "<!doctype", 'file "') if word in answer.text.lower()]
    check = next(
        (shape for prefix, shape in SHAPES.items() if fault.path.startswith(prefix)), assert_openai_shape
    )
    check(answer.json(), fault)


def assert_openai_shape(body: dict[str, object], fault: Fault) -> None:
    assert body.keys() == {"error"}
    error = body["error"]
    assert isinstance(error, dict)
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["type"] in TYPES
    assert error["message"]
    assert error["code"]
    assert error["param"] == fault.param


def assert_listed_shape(body: dict[str, object], fault: Fault) -> None:
    assert body["ok"] is False
    assert {"error", "message"} <= body.keys()
    assert body.get("param") == fault.param


def assert_anthropic_shape(body: dict[str, Any], fault: Fault) -> None:
    assert body.keys() == {"type", "error", "request_id"}
    error = body["error"]
    assert body["type"] == "error"
    assert error["type"] in TYPES | {"request_too_large"}
    assert error["message"]
    assert error.get("param") == fault.param


def assert_google_shape(body: dict[str, Any], fault: Fault) -> None:
    assert body.keys() == {"error"}
    error = body["error"]
    assert error.keys() == {"code", "message", "status", "details"}
    assert error["code"] in fault.statuses
    fields = [each["field"] for detail in error["details"] for each in detail.get("fieldViolations", ())]
    assert fields == ([] if fault.param is None else [fault.param])


SHAPES = {
    "/v1/gateway/": assert_listed_shape,
    MESSAGES: assert_anthropic_shape,
    GENERATE: assert_google_shape,
}


@pytest.mark.parametrize("what", {_what(fault): None for fault in FAULTS})
def test_malformed_request_is_refused_in_the_right_form(
    client: httpx.Client, product: Product, keys: dict[bool, str], what: str, subtests: pytest.Subtests
) -> None:
    kind = [fault for fault in FAULTS if _what(fault) == what]
    for few in (kind[at : at + 10] for at in range(0, len(kind), 10)):
        for fault in few:
            with subtests.test(fault.name):
                assert_refusal(send(client, fault, keys[fault.path.startswith(KEYS)]), fault)
        with subtests.test(f"next call after {few[-1].name}"):
            assert send(client, GOOD, product.key).status_code == 200


def test_there_are_many_of_them_and_no_two_have_one_name() -> None:
    assert len(FAULTS) >= 1800
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


# Requests that a well-behaved client refuses to send; `{key}` is filled in.
SHOWN = "Host: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
HEAD = "POST /v1/chat/completions HTTP/1.1\r\n" + SHOWN + "Content-Type: application/json\r\n"
SECOND = "GET /v1/models HTTP/1.1\r\n" + SHOWN + "\r\n"
SILENCE_S = 1.0
RAW = {
    "length and chunks": HEAD + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "chunks and length": HEAD + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SECOND,
    "two lengths": HEAD + "Content-Length: 2\r\nContent-Length: 90\r\n\r\n{{}}" + SECOND,
    "two equal lengths": HEAD + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{{}}" + SECOND,
    "list of lengths": HEAD + "Content-Length: 2, 2\r\n\r\n{{}}" + SECOND,
    "negative length": HEAD + "Content-Length: -2\r\n\r\n{{}}" + SECOND,
    "signed length": HEAD + "Content-Length: +2\r\n\r\n{{}}" + SECOND,
    "hexadecimal length": HEAD + "Content-Length: 0x2\r\n\r\n{{}}" + SECOND,
    "length of 40 digits": HEAD + f"Content-Length: {'9' * 40}\r\n\r\n{{{{}}}}",
    "length over the limit": HEAD + "Content-Length: 99999999999\r\n\r\n{{}}",
    "unknown transfer coding": HEAD + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SECOND,
    "chunked, then another": HEAD + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SECOND,
    "folded transfer coding": HEAD + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "space before the colon": HEAD + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "chunk size no number": HEAD + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n",
    "chunk size negative": HEAD + "Transfer-Encoding: chunked\r\n\r\n-2\r\n{{}}\r\n0\r\n\r\n",
    "chunk size overflowing": HEAD
    + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{{}}\r\n0\r\n\r\n",
    "chunk longer than it says": HEAD + "Transfer-Encoding: chunked\r\n\r\n1\r\n{{}}\r\n0\r\n\r\n" + SECOND,
    "NUL in a header": HEAD + "X-Gateway-Lane: a\x00b\r\nContent-Length: 2\r\n\r\n{{}}",
    "bell in a header": HEAD + "X-Gateway-Project-Id: a\x07b\r\nContent-Length: 2\r\n\r\n{{}}",
    "return in a header": HEAD + "X-Gateway-Lane: a\rX-Other: b\r\nContent-Length: 2\r\n\r\n{{}}",
    "bytes in a header's name": HEAD + "X-\xff: a\r\nContent-Length: 2\r\n\r\n{{}}",
    "space in a header's name": HEAD + "X Gateway: a\r\nContent-Length: 2\r\n\r\n{{}}",
    "header without a colon": HEAD + "nonsense\r\nContent-Length: 2\r\n\r\n{{}}",
    "header without a name": HEAD + ": nonsense\r\nContent-Length: 2\r\n\r\n{{}}",
    "no host": "GET /v1/models HTTP/1.1\r\nAuthorization: Bearer -\r\n\r\n",
    "unknown method": HEAD.replace("POST", "BREW", 1) + "\r\n",
    "method in lower case": HEAD.replace("POST", "post", 1) + "Content-Length: 2\r\n\r\n{{}}",
    "version 9": HEAD.replace("HTTP/1.1", "HTTP/9.9") + "\r\n",
    "version 2 by its preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "version 0.9": "GET /v1/models\r\n\r\n",
    "no version": "GET /v1/models \r\nHost: x\r\n\r\n",
    "space in the address": "GET /v1/mo dels HTTP/1.1\r\nHost: x\r\n\r\n",
    "NUL in the address": "GET /v1/\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in the address": "GET /v1/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "address of another host": "GET http://10.0.0.1/v1/models HTTP/1.1\r\nHost: x\r\n\r\n",
    "tunnel": "CONNECT 10.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n",
    "dots in the address": "GET /v1/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    "address of 200,000 characters": f"GET /v1/{'x' * 200_000} HTTP/1.1\r\nHost: x\r\n\r\n",
    "10,000 headers": HEAD
    + "".join(f"X-{n}: y\r\n" for n in range(10_000))
    + "Content-Length: 2\r\n\r\n{{}}",
    "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "x" * 50,
    "noise": "\x00\xff\xfe\x01" * 64,
    "half a request line": "POST /v1/chat/comp",
    "half a head": HEAD,
    "half a body": HEAD + "Content-Length: 500\r\n\r\n{{",
}


def answers_to(product: Product, request: str, *, awaited: int = 0) -> list[str]:
    """The status of each answer on one connection, until it is closed, or silent after those that are awaited."""
    address, answers = ("127.0.0.1", product.port), b""
    with contextlib.suppress(TimeoutError, ConnectionError), socket.create_connection(address) as wire:
        wire.sendall(request.format(key=product.key).encode("latin-1"))
        while True:
            wire.settimeout(SILENCE_S if len(_statuses(answers)) >= awaited else HANG_S)
            if not (part := wire.recv(65_536)):
                break
            answers += part
    return _statuses(answers)


def _statuses(answers: bytes) -> list[str]:
    return re.findall(r"HTTP/1\.[01] (\d{3})", answers.decode("latin-1"))


@pytest.fixture(scope="module")
def raw_answers(product: Product) -> dict[str, list[str]]:
    """All at once, since most of the time is waiting for a second answer that must not come."""
    with ThreadPoolExecutor(16) as pool:
        return dict(
            zip(RAW, pool.map(lambda request: answers_to(product, request), RAW.values()), strict=True)
        )


@pytest.mark.parametrize("name", RAW)
def test_request_against_the_rules_of_http_gets_one_refusal_or_none(
    raw_answers: dict[str, list[str]], name: str
) -> None:
    answers = raw_answers[name]
    assert len(answers) <= 1, answers
    assert all(answer.startswith("4") for answer in answers), answers


def test_next_call_is_served_after_all_of_them(
    raw_answers: dict[str, list[str]], client: httpx.Client, product: Product
) -> None:
    assert len(raw_answers) == len(RAW)
    assert send(client, GOOD, product.key).status_code == 200


def test_two_requests_get_two_answers_but_not_one_inside_the_others_body(product: Product) -> None:
    inner = SECOND.format(key=product.key)
    one, two = (
        f"{HEAD}Content-Length: {len(inner)}\r\n\r\n{SECOND}",
        f"{HEAD}Content-Length: 2\r\n\r\n{{{{}}}}{SECOND}",
    )
    assert answers_to(product, one, awaited=1) == ["400"]
    assert answers_to(product, two, awaited=2) == ["400", "200"]
