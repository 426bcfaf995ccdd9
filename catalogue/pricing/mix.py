"""For which tokens a blended price is: one figure of what a typical call costs. Pure."""

import re
from dataclasses import dataclass

BLENDED_PLACES = 18
"""Of a price for one token: beyond what anybody asks, and before what a database rounds."""
SHAPE = "input:output or input:cached:output as whole numbers up to 1000, such as 3:1 or 2:1:1"
_shape = re.compile(r"(\d{1,4}):(?:(\d{1,4}):)?(\d{1,4})", re.ASCII)
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Mix:
    """How many of a call's tokens are of which kind, as parts of any size; not all of them are zero."""

    input: int = 3
    cached: int = 0
    output: int = 1

    @property
    def whole(self) -> int:
        return self.input + self.cached + self.output

    def __str__(self) -> str:
        parts = (self.input, self.cached, self.output) if self.cached else (self.input, self.output)
        return ":".join(map(str, parts))


USUAL = Mix()


def read_mix(text: str) -> Mix:
    """Raises ValueError."""
    found = _shape.fullmatch(text)
    mix = Mix(*(int(part or 0) for part in found.groups())) if found else None
    if mix is None or not mix.whole or max(mix.input, mix.cached, mix.output) > _MOST:
        raise ValueError(f"{text!r} is not a mix: {SHAPE}.")
    return mix
