"""A program of ours as another version of it, with a clock that is wrong by some seconds:

    python -m tests.hostile.odd_process SECONDS MODULE [ARGUMENT …]

Whatever it writes for other processes has a fact that they do not know, and lacks those that they can do without.
"""

import runpy
import sys
import time
from collections.abc import Mapping
from typing import Any

from gateway.core import codec

_NOT_YET = {"betas", "shows_translated", "redirected_from", "cost_usd", "translated", "input_tokens"}
_encode, _time = codec.encode, time.time


def _encode_otherwise(facts: object) -> bytes:
    known = codec._plain(facts) if not isinstance(facts, Mapping) else facts
    # A spooled line's own facts are one level deeper, and what it cost is among them.
    lacking = known if "t" in known else _less(known)
    return _encode({**lacking, "mood": {"today": "good"}})


def _less(facts: Any) -> dict[str, Any]:
    return {name: fact for name, fact in facts.items() if name not in _NOT_YET}


def main() -> None:
    skew_s = float(sys.argv[1])
    codec.encode = _encode_otherwise
    time.time = lambda: _time() + skew_s
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


main()
