"""What is left of limits and what running calls hold of budgets: what the data plane of this process can say."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from gateway.core.store.interface import Limit, Standing


class Reader(Protocol):
    """Both may block, for a moment."""

    def standings(self, limits: Sequence[Limit]) -> Sequence[Standing]:
        """Of those that have a window. Nothing is taken."""

    def held(self, subjects: Sequence[str]) -> Mapping[str, int]:
        """By subject, in 10^-10 USD."""


class Nobody:
    """Where no data plane runs."""

    def standings(self, limits: Sequence[Limit]) -> Sequence[Standing]:  # noqa: ARG002
        return ()

    def held(self, subjects: Sequence[str]) -> Mapping[str, int]:  # noqa: ARG002
        return {}


class Here:
    """Who can say in this process: nobody, until its runtime does."""

    def __init__(self) -> None:
        self.reader: Reader = Nobody()

    def forget(self) -> None:
        self.reader = Nobody()


here = Here()
