"""Usage in short: the two totals and their commonest parts by place, all others by name."""

from providers.wire.usage import Usage, counted


def used(
    input_tokens: int = 0,
    output_tokens: int = 0,
    cached_read_tokens: int = 0,
    cached_write_tokens: int = 0,
    reasoning_tokens: int = 0,
    *,
    is_estimated: bool = False,
    service_tier: str = "",
    **others: int,
) -> Usage:
    counts = counted(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_read_tokens=cached_read_tokens,
        cached_write_tokens=cached_write_tokens,
        reasoning_tokens=reasoning_tokens,
        **others,
    )
    return Usage(counts, is_estimated, service_tier)
