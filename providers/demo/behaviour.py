"""How the demo provider behaves: delays, number of chunks and failures, each adjustable while it runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

FAILURES = ("hang", "cut", "error_event", "garbage")
_MOST = {"delay_ms": 600_000, "chunks": 100_000, "chunk_delay_ms": 60_000}


class BadBehaviour(ValueError):
    """A field of a behaviour cannot be used; `param` names it."""

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`failure`: an HTTP status from 400 to 599, or one of FAILURES, or None."""

    delay_ms: int = 0
    """Before the answer begins."""
    chunks: int | None = None
    """Words of the answer, a chunk each; None: as many as the sentence has."""
    chunk_delay_ms: int = 0
    """Before each chunk of a stream."""
    failure: str | None = None

    def adjusted(self, changes: object) -> Behaviour:
        """With some fields changed. Raises BadBehaviour."""
        if not isinstance(changes, Mapping):
            raise BadBehaviour("demo", "Give an object.")
        return replace(self, **{name: _checked(name, value) for name, value in changes.items()})

    def shown(self) -> dict[str, Any]:
        return asdict(self)


def from_environment() -> Behaviour:
    """From GATEWAY_DEMO_DELAY_MS, GATEWAY_DEMO_CHUNKS, GATEWAY_DEMO_CHUNK_DELAY_MS, GATEWAY_DEMO_FAILURE."""
    given = {item.name: os.environ.get(f"GATEWAY_DEMO_{item.name.upper()}", "") for item in fields(Behaviour)}
    return Behaviour().adjusted(
        {
            name: int(text) if text.isdecimal() and name != "failure" else text
            for name, text in given.items()
            if text
        }
    )


def _checked(name: str, value: object) -> Any:
    if name == "failure":
        return _checked_failure(value)
    if name not in _MOST:
        raise BadBehaviour(name, f"“{name}” is unknown; known: {', '.join([*_MOST, 'failure'])}.")
    if name == "chunks" and value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST[name]:
        raise BadBehaviour(name, f"“{name}” is a whole number from 0 to {_MOST[name]}.")
    return value


def _checked_failure(value: object) -> str | None:
    if value is None:
        return None
    text = str(value)
    if text in FAILURES or (text.isdecimal() and 400 <= int(text) <= 599):
        return text
    raise BadBehaviour("failure", f"“failure” is a status from 400 to 599, or one of {', '.join(FAILURES)}.")
