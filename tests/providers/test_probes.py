"""A probe asks for the model list and says in plain words what it found."""

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from gateway.core.outbound import OutboundPolicy
from providers.facts import ProviderFacts
from providers.probes import ProbeOutcome, model_names, probe
from tests.patience import HANG_S
from tests.services import free_port

SECRET = "gsk_canary_0123456789"


@contextmanager
def answering(data: bytes | None) -> Iterator[tuple[int, list[bytes]]]:
    """A server that gives one answer, or none until it is given up; yields its port and the requests it read."""
    requests: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            requests.append(connection.recv(65536))
            if data is not None:
                connection.sendall(data)
                return
            with suppress(ConnectionError):
                connection.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        yield listener.getsockname()[1], requests
        thread.join(HANG_S)


def http(status: int, body: str = "{}", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status} Some\r\ncontent-length: {len(body)}\r\nconnection: close\r\n{headers}\r\n"
    return (head + body).encode()


def facts(
    port: int, secret: str | None = SECRET, wire_format: str = "openai", version: str = "v1"
) -> ProviderFacts:
    url = f"http://127.0.0.1:{port}/{version}"
    return ProviderFacts(1, "some", "Some", wire_format, url, True, True, secret=secret)


def probe_answer(data: bytes) -> ProbeOutcome:
    with answering(data) as (port, _):
        return probe(facts(port), policy=OutboundPolicy(frozenset({f"127.0.0.1:{port}"})))


def test_model_list_is_healthy() -> None:
    outcome = probe_answer(http(200, '{"data": []}'))
    assert (outcome.is_healthy, outcome.status, outcome.error) == (True, 200, "")


def test_probe_carries_the_secret_to_the_model_list() -> None:
    with answering(http(200)) as (port, requests):
        probe(facts(port), policy=OutboundPolicy(frozenset({f"127.0.0.1:{port}"})))
    assert requests[0].startswith(b"GET /v1/models HTTP/1.1")
    assert f"Bearer {SECRET}".encode() in requests[0]


@pytest.mark.parametrize(
    ("wire_format", "version", "path", "opened", "listed"),
    [
        ("responses", "v1", "/v1/models", f"authorization: bearer {SECRET}", {"data": [{"id": "m"}]}),
        ("anthropic", "v1", "/v1/models", "anthropic-version: ", {"data": [{"id": "m"}]}),
        (
            "gemini",
            "v1beta",
            "/v1beta/models?pageSize=1000",
            f"x-goog-api-key: {SECRET}",
            {"models": [{"name": "models/m"}]},
        ),
        (
            "cohere",
            "v2",
            "/v1/models?page_size=1000",
            f"authorization: bearer {SECRET}",
            {"models": [{"name": "m", "endpoints": ["embed"]}]},
        ),
    ],
)
def test_each_wire_format_is_asked_for_its_own_list(
    wire_format: str, version: str, path: str, opened: str, listed: dict[str, Any]
) -> None:
    with answering(http(200, json.dumps(listed))) as (port, requests):
        asked = facts(port, wire_format=wire_format, version=version)
        outcome = probe(asked, policy=OutboundPolicy(frozenset({f"127.0.0.1:{port}"})))
    assert requests[0].startswith(f"GET {path} HTTP/1.1".encode())
    assert opened.encode() in requests[0].lower()
    assert outcome.names == ("m",)


def test_provider_without_secret_is_asked_without_one() -> None:
    with answering(http(200)) as (port, requests):
        probe(facts(port, None), policy=OutboundPolicy(frozenset({f"127.0.0.1:{port}"})))
    assert b"authorization" not in requests[0].lower()


@pytest.mark.parametrize("status", [404, 405, 429, 501])
def test_provider_without_model_list_is_reachable_and_so_healthy(status: int) -> None:
    outcome = probe_answer(http(status))
    assert (outcome.is_healthy, outcome.status) == (True, status)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, "refused the request; the credential may be wrong (400)"),
        (401, "credential refused (401)"),
        (402, "account has no credit (402)"),
        (403, "credential refused (403)"),
        (500, "answers with an error (500)"),
        (503, "answers with an error (503)"),
    ],
)
def test_refusal_is_unhealthy_and_named(status: int, error: str) -> None:
    outcome = probe_answer(http(status, json.dumps({"error": SECRET})))
    assert (outcome.is_healthy, outcome.status, outcome.error) == (False, status, error)


def test_redirect_is_not_followed() -> None:
    outcome = probe_answer(http(302, headers="location: http://127.0.0.1:1/\r\n"))
    assert outcome.error == "redirects elsewhere (302); check the base URL"


@pytest.mark.parametrize("body", ["<html></html>", "", "[" * 100_000])
def test_success_without_json_is_unhealthy(body: str) -> None:
    assert "not JSON" in probe_answer(http(200, body)).error


@pytest.mark.parametrize(
    "data", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"]
)
def test_broken_answer_is_unhealthy(data: bytes) -> None:
    assert probe_answer(data).error == "broke off, or answered badly"


def test_packed_flood_is_not_read_to_its_end() -> None:
    packed = gzip.compress(b" " * 50_000_000)
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n"
    assert not probe_answer(head.encode() + packed).is_healthy


def test_nobody_there_is_unhealthy() -> None:
    port = free_port()
    outcome = probe(facts(port), policy=OutboundPolicy(frozenset({f"127.0.0.1:{port}"})))
    assert (outcome.status, outcome.error) == (None, "nothing listens there")


def test_private_address_is_not_even_connected_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        assert (
            probe(facts(listener.getsockname()[1]), policy=OutboundPolicy()).error
            == "its address is not allowed"
        )
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_silent_provider_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.probes._READ_S", 0.1)
    with answering(None) as (port, _):
        outcome = probe(facts(port), policy=OutboundPolicy(frozenset({f"127.0.0.1:{port}"})))
    assert outcome.error == "no answer in time"


@pytest.mark.parametrize("secret", ["schlüssel", "two\r\nlines"])
def test_secret_that_fits_no_header_is_an_outcome(secret: str) -> None:
    with answering(http(200)) as (port, _):
        outcome = probe(facts(port, secret), policy=OutboundPolicy(frozenset({f"127.0.0.1:{port}"})))
        if not outcome.is_healthy:
            socket.create_connection(("127.0.0.1", port)).close()
    assert not outcome.is_healthy
    assert secret not in outcome.error


def test_demo_provider_is_healthy(demo_port: int) -> None:
    url = f"http://127.0.0.1:{demo_port}/demo-a/v1"
    policy = OutboundPolicy(frozenset({f"127.0.0.1:{demo_port}"}))
    assert probe(ProviderFacts(1, "a", "A", "openai", url, True, True), policy=policy).is_healthy


def test_outcome_is_kept_without_text_of_the_provider() -> None:
    outcome: Any = probe_answer(http(500, SECRET))
    assert SECRET not in repr(outcome)


def test_names_that_quote_the_credential_are_left_out() -> None:
    rows = [{"id": "one"}, {"id": f"for-{SECRET}"}, {"id": "two"}]
    assert probe_answer(http(200, json.dumps({"data": rows}))).names == ("one", "two")


def test_names_of_the_list_are_kept() -> None:
    assert probe_answer(http(200, '{"data": [{"id": "two"}, {"id": "one"}]}')).names == ("one", "two")


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ([{"id": "bare"}], ("bare",)),
        ({"data": "none"}, ()),
        ({"models": [{"name": "first"}], "next_page_token": "more"}, ()),
        ({"data": [1, {"id": 2}, {"id": ""}, {"id": "a\x00b"}, {"id": "x" * 201}]}, ()),
        (None, ()),
    ],
)
def test_whatever_a_provider_lists_only_names_are_taken(answer: Any, names: tuple[str, ...]) -> None:
    assert model_names(answer) == names


def test_endless_list_is_cut() -> None:
    assert len(model_names({"data": [{"id": f"m{number}"} for number in range(6000)]})) == 5000
