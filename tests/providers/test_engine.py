"""The engine against real sockets: limits, the four timeouts, addresses, hang-ups and broken answers."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.outbound import OutboundPolicy
from providers import transport
from providers.adapters.base import UpstreamRequest
from providers.engine import Timeouts
from providers.transport import HttpEngine
from providers.wire.failure import FailureKind, UpstreamFailure
from tests.upstream import ScriptedProvider

# A test that is about one of these sets it; the others only a hang can reach.
PATIENT = Timeouts(connect_s=60, first_byte_s=60, idle_s=60, total_s=60)
BODY = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
STREAM = BODY[:-1] + b', "stream": true}'


@pytest.fixture(scope="module")
def provider():
    with ScriptedProvider() as running:
        yield running


def request(provider: ScriptedProvider, body: bytes = BODY) -> UpstreamRequest:
    return UpstreamRequest(
        f"{provider.base_url}/chat/completions", {"content-type": "application/json"}, body
    )


def run(provider: ScriptedProvider, work: Callable[[HttpEngine], Awaitable[Any]], **options: Any) -> Any:
    """Do something with an engine that may call the scripted provider."""

    async def main() -> Any:
        engine = HttpEngine(OutboundPolicy(frozenset({provider.address})), **options)
        try:
            result = await work(engine)
            assert engine.in_flight == 0
            return result
        finally:
            await engine.close()

    return asyncio.run(main())


def fetch(
    provider: ScriptedProvider, body: bytes = BODY, timeouts: Timeouts = PATIENT, limit: int = 1 << 24
) -> bytes:
    async def work(engine: HttpEngine) -> bytes:
        response = await engine.open(request(provider, body), timeouts)
        try:
            return await response.read(limit)
        finally:
            await response.close()

    return run(provider, work)


def failure_of(
    provider: ScriptedProvider, behaviour: str, body: bytes = STREAM, **timeouts: float
) -> UpstreamFailure:
    provider.script(behaviour)
    with pytest.raises(UpstreamFailure) as caught:
        fetch(provider, body, replace(PATIENT, **timeouts))
    return caught.value


def test_answer_comes_with_status_lower_case_headers_and_body(provider):
    async def work(engine):
        response = await engine.open(request(provider), PATIENT)
        body = await response.read(1 << 20)
        await response.close()
        return response.status, response.headers["content-type"], body

    status, kind, body = run(provider, work)
    assert (status, kind) == (200, "application/json")
    assert b"You said: hi" in body


def test_only_the_adapters_headers_are_sent(provider):
    fetch(provider)
    assert set(provider.calls[-1].headers) == {"host", "content-type", "content-length"}


def test_error_status_is_an_answer_not_an_exception(provider):
    provider.script("503")
    assert b"Overloaded" in fetch(provider)


def test_redirect_is_not_followed(provider):
    provider.script("redirect")
    before = len(provider.log)
    fetch(provider)
    assert len(provider.log) == before + 1


def test_connection_is_used_again_after_a_whole_answer(provider):
    async def work(engine):
        for _ in range(3):
            response = await engine.open(request(provider), PATIENT)
            await response.read(1 << 20)
            await response.close()

    run(provider, work, rest_s=0)
    assert len({seen.peer for seen in provider.calls[-3:]}) == 1


def test_chunks_arrive_as_they_are_sent(provider):
    provider.script("slow?chunks=3&delay=0.05")

    async def work(engine):
        response = await engine.open(request(provider, STREAM), PATIENT)
        times = [time.monotonic() async for _ in response.chunks()]
        await response.close()
        return times[-1] - times[0]

    assert run(provider, work) > 0.1


def test_large_request_body_is_sent_whole(provider):
    body = BODY[:-1] + b', "padding": "' + b"x" * 3_000_000 + b'"}'
    fetch(provider, body)
    assert len(provider.calls[-1].body["padding"]) == 3_000_000


def test_full_pool_refuses_at_once_and_serves_again_later(provider):
    provider.script("ok", "ok")

    async def work(engine):
        first = await engine.open(request(provider), PATIENT)
        with pytest.raises(UpstreamFailure) as caught:
            await engine.open(request(provider), PATIENT)
        await first.close()
        await (await engine.open(request(provider), PATIENT)).close()
        return caught.value

    failure = run(provider, work, connections=1)
    assert (failure.kind, failure.code) == (FailureKind.UNAVAILABLE, "provider_pool_full")
    assert failure.retry_after_s == 1


@pytest.mark.parametrize("behaviour", ["hang", "slow-headers"])
def test_silence_before_the_headers_is_a_timeout(provider, behaviour):
    failure = failure_of(provider, behaviour, first_byte_s=0.2)
    assert (failure.kind, failure.code) == (FailureKind.TIMEOUT, "provider_timeout")


def test_silence_within_the_answer_is_a_stall(provider):
    failure = failure_of(provider, "stall", idle_s=0.2)
    assert (failure.kind, failure.code) == (FailureKind.TIMEOUT, "provider_stalled")


def test_endless_answer_ends_at_the_total_limit(provider):
    failure = failure_of(provider, "never-ending", total_s=0.3)
    assert (failure.kind, failure.code) == (FailureKind.TIMEOUT, "provider_timeout")


@pytest.mark.parametrize(
    "behaviour", ["rst-before", "rst-first", "rst-mid", "eof-before", "eof-first", "eof-mid"]
)
def test_broken_connection_is_a_failure(provider, behaviour):
    failure = failure_of(provider, behaviour)
    assert (failure.kind, failure.code) == (FailureKind.UNAVAILABLE, "provider_disconnected")


@pytest.mark.parametrize("behaviour", ["huge-body?mb=40", "gzip-bomb?mb=400"])
def test_answer_over_the_limit_is_refused(provider, behaviour):
    provider.script(behaviour)
    with pytest.raises(UpstreamFailure) as caught:
        fetch(provider, limit=1 << 20)
    assert caught.value.code == "provider_response_too_large"


def test_packed_answer_is_unpacked(provider):
    provider.script("gzip")
    assert b"You said: hi" in fetch(provider)


def test_closing_an_unread_answer_hangs_up(provider):
    provider.script("never-ending")

    async def work(engine):
        response = await engine.open(request(provider, STREAM), PATIENT)
        await anext(response.chunks())
        await response.close()
        await response.close()
        while not provider.calls[-1].has_hung_up:
            await asyncio.sleep(0.01)

    run(provider, work)


def test_cancelled_call_hangs_up_and_frees_its_place(provider):
    provider.script("hang")

    async def work(engine):
        before = len(provider.calls)
        opening = asyncio.ensure_future(engine.open(request(provider), PATIENT))
        while len(provider.calls) == before:
            await asyncio.sleep(0.01)
        opening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await opening
        while not provider.calls[-1].has_hung_up:
            await asyncio.sleep(0.01)

    run(provider, work)


async def refused(url: str, allowed: frozenset[str] = frozenset(), **options: Any) -> UpstreamFailure:
    engine = HttpEngine(OutboundPolicy(allowed), **options)
    try:
        with pytest.raises(UpstreamFailure) as caught:
            await engine.open(UpstreamRequest(url, {}, b"{}"), PATIENT)
        return caught.value
    finally:
        await engine.close()


def test_closed_port_is_unreachable():
    failure = asyncio.run(refused("http://127.0.0.1:9/v1", frozenset({"127.0.0.1:9"})))
    assert (failure.kind, failure.code) == (FailureKind.UNAVAILABLE, "provider_unreachable")


def test_unknown_name_is_unreachable():
    failure = asyncio.run(refused("http://no-such-host.invalid/v1"))
    assert (failure.kind, failure.code) == (FailureKind.UNAVAILABLE, "provider_unreachable")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]",
        "169.254.169.254",
        "localhost",
        "0x7f.1",
        "2130706433",
        "127.1",
        "[::ffff:7f00:1]",
    ],
)
def test_private_address_is_never_connected_to(provider, host):
    before = len(provider.log)
    failure = asyncio.run(refused(f"http://{host}:{provider.port}/v1"))
    assert failure.kind is FailureKind.UNAVAILABLE
    assert failure.code in {"provider_address_forbidden", "provider_unreachable"}
    assert len(provider.log) == before


@pytest.mark.parametrize("url", ["ftp://example.com/", "file:///etc/passwd", "", "http://[::1/", "unix:///x"])
def test_what_is_no_http_url_is_forbidden(url):
    assert asyncio.run(refused(url)).code == "provider_address_forbidden"


@contextlib.asynccontextmanager
async def raw_server(answer: bytes, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Says the same to everybody, whatever they ask."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


def test_answer_that_is_not_http_is_a_bad_response():
    async def main() -> UpstreamFailure:
        async with raw_server(b"SSH-2.0-OpenSSH_9.2\r\n\r\n") as port:
            return await refused(f"http://127.0.0.1:{port}/", frozenset({f"127.0.0.1:{port}"}))

    failure = asyncio.run(main())
    assert (failure.kind, failure.code) == (FailureKind.BAD_RESPONSE, "provider_bad_response")


def test_certificate_of_nobody_is_refused(self_signed):
    async def main() -> UpstreamFailure:
        async with raw_server(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", self_signed) as port:
            return await refused(f"https://localhost:{port}/", frozenset({f"localhost:{port}"}))

    assert asyncio.run(main()).code == "provider_unreachable"


def test_certificate_that_is_trusted_opens_a_call(self_signed, tmp_path, monkeypatch):
    """And the name in it is compared with the one that was asked for."""
    monkeypatch.setattr(
        transport, "_tls_context", lambda: ssl.create_default_context(cafile=tmp_path / "server.pem")
    )

    async def main() -> bytes:
        async with raw_server(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", self_signed) as port:
            names = ("localhost", "127.0.0.1")
            engine = HttpEngine(OutboundPolicy(frozenset(f"{name}:{port}" for name in names)))
            response = await engine.open(UpstreamRequest(f"https://localhost:{port}/", {}, b"{}"), PATIENT)
            body = await response.read(100)
            await response.close()
            with pytest.raises(UpstreamFailure) as caught:
                await engine.open(UpstreamRequest(f"https://127.0.0.1:{port}/", {}, b"{}"), PATIENT)
            assert caught.value.code == "provider_unreachable"
            await engine.close()
            return body

    assert asyncio.run(main()) == b"hi"


@pytest.fixture
def self_signed(tmp_path) -> ssl.SSLContext:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = tmp_path / "server.pem"
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
