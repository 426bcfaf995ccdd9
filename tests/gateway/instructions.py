"""The interpreter's instructions and Python calls of our own code, counted and not timed: the same on every machine."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from dis import opmap
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OURS = tuple(f"{ROOT}/{package}/" for package in ("gateway", "catalogue", "providers", "accounts"))


BUILDING = frozenset(
    number
    for name, number in opmap.items()
    if name.startswith(("BUILD_", "FORMAT_")) or name in {"MAKE_FUNCTION", "LIST_TO_TUPLE", "MAP_ADD"}
)
"""Instructions that make a list, tuple, set, dictionary, text, slice or function."""


@dataclass
class Count:
    """`built`: how many collections, texts and functions were written out in code and made."""

    calls: int = 0
    built: int = 0
    by_function: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By file and qualified name."""

    @property
    def by_file(self) -> Counter[str]:
        files: Counter[str] = Counter()
        for (file, _), count in self.by_function.items():
            files[file] += count
        return files

    @property
    def instructions(self) -> int:
        return self.by_function.total()


@contextmanager
def counted_instructions() -> Iterator[Count]:
    """Of this thread. What `dataclasses` generates has no file of ours and is left out."""
    count = Count()

    def enter(frame: FrameType, event: str, _: Any) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(OURS):
            return None
        count.calls += event == "call"
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        function = name.removeprefix(f"{ROOT}/"), frame.f_code.co_qualname

        code = frame.f_code.co_code

        def step(frame: FrameType, event: str, _: Any) -> Any:
            if event == "opcode":
                count.by_function[function] += 1
                count.built += code[frame.f_lasti] in BUILDING
            return step

        return step

    sys.settrace(enter)
    try:
        yield count
    finally:
        sys.settrace(None)
