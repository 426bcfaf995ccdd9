"""What is the matter with an address or a key is told apart, each with the way out."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.core.outbound import OutboundPolicy
from providers.connection_check import ConnectionCheck, check_connection, way_out
from providers.facts import ProviderFacts
from providers.probes import Trouble
from tests.patience import HANG_S
from tests.providers.test_probes import SECRET, answering, http
from tests.services import free_port
from tests.tls import make_authority

LIST = json.dumps({"data": [{"id": "one"}]})


def server_at(
    base_url: str, secret: str | None = SECRET, wire_format: str = "openai", name: str = "Acme"
) -> ProviderFacts:
    return ProviderFacts(1, "acme", name, wire_format, base_url, True, True, secret=secret)


def check_at(
    port: int, *, scheme: str = "http", secret: str | None = SECRET, has_list: bool = True
) -> ConnectionCheck:
    policy = OutboundPolicy(frozenset({f"127.0.0.1:{port}"}))
    return check_connection(
        server_at(f"{scheme}://127.0.0.1:{port}/v1", secret), policy=policy, has_list=has_list
    )


def check_answer(data: bytes, *, secret: str | None = SECRET, has_list: bool = True) -> ConnectionCheck:
    with answering(data) as (port, _):
        return check_at(port, secret=secret, has_list=has_list)


@contextlib.contextmanager
def refusing_strangers() -> Iterator[int]:
    """A server with a list for whoever shows a key."""

    def serve(listener: socket.socket) -> None:
        for _ in range(2):
            connection, _address = listener.accept()
            with connection:
                knows_key = b"authorization" in connection.recv(65536).lower()
                connection.sendall(http(200, LIST) if knows_key else http(401))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        yield listener.getsockname()[1]
        thread.join(HANG_S)


@contextlib.contextmanager
def speaking_tls(folder: Path) -> Iterator[int]:
    """A server whose certificate nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*make_authority(folder).sign("IP:127.0.0.1"))

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True):
            pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        yield listener.getsockname()[1]
        thread.join(HANG_S)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (http(401), "refuses this key (401)"),
        (http(403), "this key may not list its models (403)"),
        (http(402), "has no credit (402)"),
        (http(400), "With some vendors that is a wrong key"),
        (http(404), "has no list of models there (404)"),
        (http(429), "asked too often (429)"),
        (http(500), "an error of its own (500)"),
        (http(302, headers="location: /\r\n"), "sends us elsewhere (302)"),
        (http(200, "<html>"), "with a page or text"),
        (http(200, '{"models": "none"}'), "not in this format"),
        (b"SSH-2.0-OpenSSH\r\n", "does not speak HTTP"),
    ],
)
def test_each_answer_is_told_apart(data: bytes, told: str) -> None:
    assert told in check_answer(data).error


def test_without_a_key_the_server_that_wants_one_is_said_to_ask_for_it() -> None:
    assert "asks for a key (401)" in check_answer(http(401), secret=None).error


def test_port_at_which_nobody_listens_is_named() -> None:
    port = free_port()
    assert f"Nothing listens at 127.0.0.1:{port}." in check_at(port).error


def test_name_without_an_address_is_named() -> None:
    server = server_at("https://api.nowhere.invalid/v1")
    error = check_connection(server, policy=OutboundPolicy(), has_list=True).error
    assert "No address is known under the name api.nowhere.invalid." in error


def test_address_that_is_not_allowed_is_not_connected_to() -> None:
    server = server_at("https://127.0.0.1:9/v1")
    assert "is a private address" in check_connection(server, policy=OutboundPolicy(), has_list=True).error


def test_certificate_that_nobody_vouches_for_is_told_apart_from_no_tls(tmp_path: Path) -> None:
    with speaking_tls(tmp_path) as port:
        assert "certificate of 127.0.0.1 cannot be verified" in check_at(port, scheme="https").error
    with answering(http(400)) as (port, _):
        assert "does not speak TLS" in check_at(port, scheme="https").error


def test_silence_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.probes._READ_S", 0.1)
    with answering(None) as (port, _):
        assert "did not answer within" in check_at(port).error


def test_key_that_opens_what_is_closed_without_it_is_proven() -> None:
    with refusing_strangers() as port:
        check = check_at(port)
    assert (check.error, check.proves_key) == ("", True)


def test_list_without_a_key_proves_none() -> None:
    check = check_answer(http(200, LIST), secret=None)
    assert (check.error, check.proves_key) == ("", False)


@pytest.mark.parametrize("status", [404, 405, 429, 501])
def test_provider_known_to_have_no_list_may_lack_one(status: int) -> None:
    check = check_answer(http(status), has_list=False)
    assert (check.error, check.proves_key) == ("", False)


def test_format_without_a_list_is_not_asked_at_all() -> None:
    voyage = server_at("https://api.nowhere.invalid/v1", wire_format="voyage")
    assert check_connection(voyage, policy=OutboundPolicy(), has_list=False) == ConnectionCheck(None)


@pytest.mark.parametrize("trouble", Trouble)
def test_every_trouble_has_a_way_out_that_names_no_secret(trouble: Trouble) -> None:
    told = way_out(trouble, server_at("https://api.acme.example/v1"), 418)
    assert told.endswith(".")
    assert "{" not in told
    assert SECRET not in told
