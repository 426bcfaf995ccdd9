"""Records for spools, and a process that dies while it holds one."""

import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accounts.attempts import AttemptClosed, AttemptOpened, AttemptRecord
from gateway.proxy.observers import CallSpool

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


def attempt(attempt_id: str = "", *, end: Mapping[str, Any] | None = None, **changes: Any) -> AttemptRecord:
    """One that has ended; `changes` are of its opening."""
    start = opened(attempt_id, **changes)
    return AttemptRecord(start, closed(start.attempt_id, **end or {}))


def begun(**changes: Any) -> AttemptRecord:
    """One that runs."""
    return AttemptRecord(opened(**changes))


def record_call(spool: CallSpool, **told: Any) -> str:
    """An attempt from its beginning to its end; its id."""
    made = attempt(**told)
    spool.attempt_opened(made)
    spool.attempt_closed(made)
    return made.opened.attempt_id


def die_with(folder: Path, finished: int, unfinished: int, *, segment_bytes: int = 1 << 24) -> None:
    """Another process spools that many attempts and is killed with SIGKILL."""
    script = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from gateway.plane.spool import Spool\n"
        "from tests.gateway.spooling import begun, record_call\n"
        f"spool = Spool(Path({str(folder)!r}), segment_bytes={segment_bytes})\n"
        f"for _ in range({unfinished}): spool.attempt_opened(begun())\n"
        f"for _ in range({finished}): record_call(spool)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)
    assert ended.returncode == -9
