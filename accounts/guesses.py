"""Guessing keys and passwords: by what wrong ones are counted, and for how long their sender waits. Pure."""

import hashlib
from typing import Protocol

from gateway.core.client_address import counted_as
from gateway.core.store.tries import Patience, Tries

# Wrong keys cost their sender nothing: so what is kept of each address is forgotten sooner.
WRONG_KEYS = Patience(free=30, longest_s=60, kept_s=600)
WRONG_PASSWORDS = Patience(free=5, longest_s=900)
WRONG_CODES = Patience(free=5, longest_s=900)
WRONG_LINKS = Patience(free=10, longest_s=900)
# Mails that anybody may ask for: from one address, and to one.
MAILS_FROM = Patience(free=20, longest_s=900)
MAILS_TO = Patience(free=3, longest_s=3600)
# Invitations to one address, whoever sends them; and sessions that are begun without a sign-in.
INVITATIONS_TO = Patience(free=5, longest_s=3600)
BEGINNINGS = Patience(free=60, longest_s=60, kept_s=600)
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


def passwords_of(name: str, address: str) -> str:
    """By account and address together: so nobody locks another out. Names that nobody has count alike.

    However a name's letters are written: an e-mail address opens in small ones and in capitals.
    """
    return f"sign-in:{_digest(name)}:{counted_as(address)}"


def codes_of(person_id: int) -> str:
    """Of whoever has proved one thing already: so by account alone, wherever the codes come from."""
    return f"codes:{person_id}"


def links_from(address: str) -> str:
    """What wrong secrets of mailed links are counted by."""
    return f"links:{counted_as(address)}"


def mails_from(address: str) -> str:
    """What mails that strangers ask for are counted by."""
    return f"mails-from:{counted_as(address)}"


def mails_to(recipient: str) -> str:
    """The same by who would get them, whether there is such a person or not."""
    return f"mails-to:{_digest(recipient)}"


def invitations_to(recipient: str) -> str:
    """What invitations are counted by."""
    return f"invitations-to:{_digest(recipient)}"


def beginnings_from(address: str) -> str:
    """What sign-ins are counted by that leave a row until somebody has signed in."""
    return f"beginnings:{counted_as(address)}"


def _digest(name: str) -> str:
    # Databases compare by capitals, which fold more letters into one than small ones do.
    folded = name.strip().upper().casefold()
    return hashlib.sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()[:32]
