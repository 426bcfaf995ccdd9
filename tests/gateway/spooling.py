"""Records for spools, and a process that dies while it holds one."""

import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

from gateway.proxy.ports import AttemptClosed, AttemptOpened

ROOT = Path(__file__).parents[2]


PRICE = {
    "meter": "input_text_tokens",
    "plan": "standard",
    "unit_size": 1_000_000,
    "amount": "1",
    "currency": "USD",
}


def opened(attempt_id: str = "", **changes: Any) -> AttemptOpened:
    fields: dict[str, Any] = {
        "attempt_id": attempt_id or uuid.uuid4().hex,
        "call_id": uuid.uuid4().hex,
        "request_id": "req_1",
        "number": 1,
        "lane": "direct",
        "endpoint": "chat.completions",
        "team_id": 1,
        "key_id": 1,
        "project": "",
        "requested_model": "acme/one",
        "redirected_from": "",
        "model": "acme/one",
        "provider": "acme",
        "upstream_name": "one",
        "is_streamed": False,
        "started_at": 1_780_000_000.5,
        "prices": [PRICE],
    }
    return AttemptOpened(**fields | changes)


def closed(attempt_id: str, **changes: Any) -> AttemptClosed:
    fields: dict[str, Any] = {
        "ended_at": 1_780_000_001.5,
        "outcome": "finished",
        "status": 200,
        "error_code": "",
        "usage": {"input_tokens": 3, "output_tokens": 5},
        "is_estimated": False,
        "cost_usd": "0.0000080000",
        "loss_usd": "0",
        "latency_ms": 1000.0,
        "first_token_ms": None,
    }
    return AttemptClosed(attempt_id=attempt_id, **fields | changes)


def die_with(folder: Path, finished: int, unfinished: int, *, segment_bytes: int = 1 << 24) -> None:
    """Another process spools that many attempts and is killed with SIGKILL."""
    script = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from gateway.plane.spool import Spool\n"
        "from tests.gateway.spooling import opened, closed\n"
        f"spool = Spool(Path({str(folder)!r}), segment_bytes={segment_bytes})\n"
        f"records = [opened() for _ in range({unfinished})]\n"
        "for record in records: spool.opened(record)\n"
        f"for _ in range({finished}):\n"
        "    record = opened(); spool.opened(record); spool.closed(closed(record.attempt_id))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)
    assert ended.returncode == -9
