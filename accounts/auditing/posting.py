"""One batch of the audit to one receiver, through the outbound door. No rows."""

import socket
import ssl
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

from accounts.alerts.posting import Letter, in_words, post_in_order
from accounts.alerts.signing import signed_headers
from accounts.auditing.messages import batch_id, datagram, frame, syslog_message, webhook_body
from accounts.auditing.receivers import Receiver
from gateway.core.outbound import OutboundPolicy, allowed_addresses, resolve_name

_CONNECT_S, _TOTAL_S, _GOODBYE_S = 5.0, 20.0, 3.0


class NotTaken(Exception):
    """The receiver did not take a batch; for people, without secrets."""


def post_batch(
    receiver: Receiver, batch: Sequence[Mapping[str, Any]], *, secrets: Sequence[str], host: str, at: datetime
) -> None:
    """`batch` is entries as the API tells them, in order. Raises NotTaken."""
    if receiver.is_webhook:
        _post(receiver, batch, secrets, at)
        return
    try:
        _send(receiver, batch, host)
    except (OSError, UnicodeError) as error:
        raise NotTaken(f"It cannot be reached: {in_words(error)}"[:200]) from error


def _policy(receiver: Receiver) -> OutboundPolicy:
    """The operator's own word opens this very place, inside the network too, and no other."""
    return OutboundPolicy(frozenset({receiver.place}))


def _post(
    receiver: Receiver, batch: Sequence[Mapping[str, Any]], secrets: Sequence[str], at: datetime
) -> None:
    message_id = batch_id(batch)
    body = webhook_body(batch, message_id=message_id, at=at)
    letter = Letter(0, receiver.address, body, signed_headers(secrets, message_id, at, body))
    (answer,) = post_in_order([letter], _policy(receiver))
    if not answer.is_good:
        raise NotTaken(answer.problem)


def _send(receiver: Receiver, batch: Sequence[Mapping[str, Any]], host: str) -> None:
    """Raises OSError, or UnicodeError for what is no name."""
    found = resolve_name(receiver.host, receiver.port)
    address = allowed_addresses(_policy(receiver), receiver.host, receiver.port, found)[0]
    if receiver.scheme == "syslog+udp":
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as udp:
            udp.connect((address, receiver.port))
            for told in batch:
                udp.send(datagram(told, host=host))
        return
    data = b"".join(frame(syslog_message(told, host=host)) for told in batch)
    with closing(_connect(receiver, address)) as stream:
        stream.settimeout(_TOTAL_S)
        stream.sendall(data)
        _wait_for_goodbye(stream)


def _connect(receiver: Receiver, address: str) -> socket.socket:
    stream = socket.create_connection((address, receiver.port), timeout=_CONNECT_S)
    if receiver.scheme != "syslog+tls":
        return stream
    try:
        context = ssl.create_default_context()
        if receiver.authority:
            context.load_verify_locations(receiver.authority)
        return context.wrap_socket(stream, server_hostname=receiver.host)
    except BaseException:
        stream.close()
        raise


def _wait_for_goodbye(stream: socket.socket) -> None:
    """Syslog confirms nothing: that the receiver read to the end, and did not break off, is all that can be known."""
    stream.settimeout(_GOODBYE_S)
    try:
        if isinstance(stream, ssl.SSLSocket):
            stream.unwrap()
            return
        stream.shutdown(socket.SHUT_WR)
        while stream.recv(4096):
            pass
    except (TimeoutError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return
