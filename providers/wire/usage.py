"""What a call used, in one set of names for every wire format."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens by kind. `input_tokens` and `output_tokens` are totals; the others are parts of them.

    `is_estimated` marks counts that the provider did not report.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_read_tokens: int = 0
    cached_write_tokens: int = 0
    reasoning_tokens: int = 0
    is_estimated: bool = False
