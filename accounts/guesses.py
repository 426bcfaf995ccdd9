"""Guessing keys and passwords: by what wrong ones are counted, and for how long their sender waits. Pure."""

import hashlib
from typing import Protocol

from gateway.core.client_address import counted_as
from gateway.core.store.tries import Patience, Tries

# Wrong keys cost their sender nothing: so what is kept of each address is forgotten sooner.
WRONG_KEYS = Patience(free=30, longest_s=60, kept_s=600)
WRONG_PASSWORDS = Patience(free=5, longest_s=900)
TOO_MANY_KEYS = (
    "This key is not valid, and too many that are not came from your address. Valid keys are still served; "
    "wait {wait_s} s before you try another one."
)


class Counter(Protocol):
    """Both may block, for a moment."""

    def take(self, subject: str, patience: Patience) -> float:
        """Count a try and hear it: 0.0. Or the seconds that its sender has to wait first."""

    def forgive(self, subject: str) -> None:
        """The last try was the right one."""


class Here:
    """Who counts in this process: memory, until its runtime puts a counter in place that all processes share."""

    def __init__(self) -> None:
        self.counter: Counter = Tries()

    def forget(self) -> None:
        self.counter = Tries()


here = Here()


def keys_from(address: str) -> str:
    """What wrong keys are counted by."""
    return f"keys:{counted_as(address)}"


def leaks_from(address: str) -> str:
    """What reports of leaked keys are counted by, right ones too: else the wait would tell which were right."""
    return f"leaks:{counted_as(address)}"


def passwords_of(username: str, address: str) -> str:
    """By account and address together: so nobody locks another out. Names that nobody has count alike."""
    digest = hashlib.sha256(username.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"sign-in:{digest}:{counted_as(address)}"
