"""The endpoints at which clients call, in the published vocabulary."""

from collections.abc import Iterable

GENERATION = frozenset({"chat.completions", "completions", "generate_content", "messages", "responses"})
"""All that generate text. What answers one of them answers each: formats are translated."""


def answered(offered: Iterable[str]) -> frozenset[str]:
    """What clients may call where a provider offers these."""
    offered = frozenset(offered)
    return offered if offered.isdisjoint(GENERATION) else offered | GENERATION
