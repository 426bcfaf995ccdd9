"""A script of Redis' own language, and the clock that all of them go by: those of processes need not agree."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

import hiredis


def bulk(argument: str | int) -> bytes:
    """An argument of a command as Redis reads it. One that is the same for many calls is put so once."""
    text = str(argument).encode()
    return b"$%d\r\n%b\r\n" % (len(text), text)


def number_bulk(number: int) -> bytes:
    """The same in fewer steps."""
    return b"$%d\r\n%d\r\n" % (len(str(number)), number)


# A whole command, from its arguments.
pack_command = cast("Callable[[tuple[Any, ...]], bytes]", hiredis.pack_command)
# Of what comes again and again.
known_bulk = lru_cache(1024)(bulk)
id_bulk = lru_cache(4096)(bulk)
"""Of a call that is under way: it is named several times until it has ended."""


@dataclass(frozen=True, slots=True)
class Script:
    source: str
    sha: str = field(init=False)
    call: tuple[bytes, bytes] = field(init=False)
    """The command that runs it, up to its keys."""

    def __post_init__(self) -> None:
        digest = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "sha", digest)
        object.__setattr__(self, "call", (bulk("EVALSHA"), bulk(digest)))


# `now` is in ms.
CLOCK = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
"""
