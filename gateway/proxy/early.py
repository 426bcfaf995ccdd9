"""What is refused before anybody who answers has seen it, in the form that is spoken at the address."""

import http
from collections.abc import Sequence

import orjson

from gateway.core.envelopes import WRITERS, form_at
from gateway.proxy.errors import GatewayError
from gateway.proxy.ids import id_headers, mint_request_id
from gateway.proxy.response_headers import Headers
from gateway.proxy.surfaces import surface_at

_API = ("/v1/", "/v1beta/")
_CLOSE = (b"connection", b"close")


def early_answer(path: str, error: GatewayError) -> tuple[Headers, bytes]:
    """Headers and body. The connection ends with it: the rest of the request is not read."""
    request_id = mint_request_id()
    kind, body = _envelope(path, error, request_id)
    told = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    others = [pair for pair in error.headers if pair != _CLOSE]
    return [*told, *id_headers(request_id), *others, _CLOSE], body


def early_bytes(path: str, error: GatewayError, default_headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """The same, as it goes over the wire."""
    headers, body = early_answer(path, error)
    status = error.http_status
    lines = [b"HTTP/1.1 %d %s" % (status, http.HTTPStatus(status).phrase.encode())]
    lines += [name + b": " + value for name, value in [*default_headers, *headers]]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _envelope(path: str, error: GatewayError, request_id: str) -> tuple[bytes, bytes]:
    if surface := surface_at(path):
        return b"application/json", surface.error_body(error, request_id)
    if not path.startswith(_API):
        return b"text/plain; charset=utf-8", error.message.encode() + b"\n"
    return b"application/json", orjson.dumps(WRITERS[form_at(path)](error.to_dict()))
