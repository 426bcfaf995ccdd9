"""What providers say in their answers' heads of how much is left of their own limits. Pure."""

from collections.abc import Iterator, Mapping

# Source: the rate limit pages of OpenAI and Anthropic (November 2026). Most servers of OpenAI's API say it as OpenAI
# does; Google says nothing of it.
_KINDS = {
    "x-ratelimit-remaining-requests": "requests",
    "x-ratelimit-remaining-tokens": "tokens",
    "anthropic-ratelimit-requests-remaining": "requests",
    "anthropic-ratelimit-tokens-remaining": "tokens",
    "anthropic-ratelimit-input-tokens-remaining": "input_tokens",
    "anthropic-ratelimit-output-tokens-remaining": "output_tokens",
}
_MOST_DIGITS = 15


def remaining_in(headers: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Kinds and numbers; what is no whole number is left out. `headers` have lower-case names."""
    for name, kind in _KINDS.items():
        told = headers.get(name, "")
        if told.isascii() and told.isdecimal() and len(told) <= _MOST_DIGITS:
            yield kind, int(told)
