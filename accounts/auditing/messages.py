"""Entries of the audit as messages: syslog by RFC 5424, and a webhook's body; pure.

Frames count octets (RFC 6587, RFC 5425); a datagram is one message (RFC 5426).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

_LOG_AUDIT = 13
_NOTICE, _WARNING = 5, 4
_NAME = "gatehouse"
# The number of examples by RFC 5612: we have none of our own.
_STRUCTURE = "audit@32473"
_NO_MSGID = re.compile(r"[^!-~]")
_DATAGRAM_BYTES = 8_192
_BOM = b"\xef\xbb\xbf"


def syslog_message(told: Mapping[str, Any], *, host: str, most_bytes: int = 0) -> bytes:
    """`told` is an entry as the API tells it. What is longer than `most_bytes` leaves its changes out."""
    body = orjson.dumps(told)
    head = _head(told, host)
    if most_bytes and len(head) + len(_BOM) + len(body) > most_bytes:
        body = orjson.dumps({**told, "changes": {}, "is_cut": True})
    return head + _BOM + body


def datagram(told: Mapping[str, Any], *, host: str) -> bytes:
    return syslog_message(told, host=host, most_bytes=_DATAGRAM_BYTES)


def frame(message: bytes) -> bytes:
    return b"%d %s" % (len(message), message)


def webhook_body(batch: Sequence[Mapping[str, Any]], *, message_id: str, at: datetime) -> bytes:
    """As our other webhooks: `type`, `timestamp` and `data`."""
    at = at.astimezone(UTC)
    return orjson.dumps(
        {
            "id": message_id,
            "object": "event",
            "created_at": int(at.timestamp()),
            "type": "audit.entries",
            "timestamp": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "data": {"entries": batch},
        }
    )


def batch_id(batch: Sequence[Mapping[str, Any]]) -> str:
    """The same for the same entries, so that receivers know what they have had."""
    return f"{batch[0]['id']}_{str(batch[-1]['id']).removeprefix('aud_')}"


def _head(told: Mapping[str, Any], host: str) -> bytes:
    event = str(told["type"])
    severity = _WARNING if event.endswith((".failed", ".refused")) else _NOTICE
    at = datetime.fromtimestamp(told["effective_at"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    named = {"id": told["id"], "event": event, "team": told["team"], "request": told["request_id"]}
    structure = " ".join(f'{name}="{_escaped(str(value))}"' for name, value in named.items() if value)
    name = _NO_MSGID.sub("_", host)[:255] or "-"
    message_id = _NO_MSGID.sub("_", event)[:32]
    head = f"<{_LOG_AUDIT * 8 + severity}>1 {at} {name} {_NAME} - {message_id} [{_STRUCTURE} {structure}] "
    return head.encode()


def _escaped(text: str) -> str:
    """Source: RFC 5424, 6.3.3."""
    return re.sub(r'(["\\\]])', r"\\\1", text)
