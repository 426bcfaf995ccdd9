"""The endpoints at which clients call, in the published vocabulary."""

from collections.abc import Iterable

from providers.operations.registry import GENERATION

__all__ = ["GENERATION", "answered"]


def answered(offered: Iterable[str]) -> frozenset[str]:
    """What clients may call where a provider offers these."""
    offered = frozenset(offered)
    return offered if offered.isdisjoint(GENERATION) else offered | GENERATION
