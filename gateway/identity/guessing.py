"""Whoever guesses passwords, codes or links waits, by the counter that all processes share."""

import math
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django import forms
from django.conf import settings
from django.http import HttpRequest

from accounts.guesses import BEGINNINGS, beginnings_from, here
from gateway.core.client_address import client_of_meta, counted_as
from gateway.core.store.tries import Patience
from gateway.web.middleware import ask_to_wait

_BUSY_S = 3
_BEGUN_S = 1_800


class Busy(Exception):
    """Too many sign-ins are being looked at."""


class Turns:
    """Sign-ins that are looked at in this process: so many, and so many of one address."""

    def __init__(self, most: int = 8, of_one: int = 2) -> None:
        self._most = most
        self._of_one = of_one
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()

    @contextmanager
    def taken(self, address: str) -> Iterator[None]:
        """Raises Busy."""
        with self._lock:
            if self._open.total() >= self._most or self._open[address] >= self._of_one:
                raise Busy
            self._open[address] += 1
        try:
            yield
        finally:
            with self._lock:
                self._open[address] -= 1
                self._open += Counter()  # without those at zero


turns = Turns()


def address_of(request: HttpRequest) -> str:
    """The client's, by the proxies that we trust."""
    return client_of_meta(request.META, settings.TRUSTED_PROXIES)


@contextmanager
def turn(request: HttpRequest) -> Iterator[None]:
    """Raises a ValidationError where many are being looked at."""
    try:
        with turns.taken(counted_as(address_of(request))):
            yield
    except Busy:
        raise refusal(request, "Many people are signing in at this moment", _BUSY_S) from None


def count(request: HttpRequest, subject: str, patience: Patience, why: str) -> None:
    """Count a try. Raises a ValidationError, and has the page answer 429, where its sender has to wait first."""
    if wait_s := here.counter.take(subject, patience):
        raise refusal(request, why, wait_s)


def forgive(subject: str) -> None:
    """The last try was the right one."""
    here.counter.forgive(subject)


def count_beginning(request: HttpRequest) -> float:
    """Before a sign-in leaves anything here: the seconds that its sender has to wait first, or 0.0.

    What the session of somebody who has not signed in holds is of use for minutes only.
    """
    if request.user.is_authenticated:
        return 0.0
    wait_s = here.counter.take(beginnings_from(address_of(request)), BEGINNINGS)
    if not wait_s:
        request.session.set_expiry(_BEGUN_S)
    return wait_s


def end_beginning(request: HttpRequest) -> None:
    """Somebody has signed in: the session lives as long as others do."""
    request.session.set_expiry(None)
    forgive(beginnings_from(address_of(request)))


def refusal(request: HttpRequest, why: str, wait_s: float) -> forms.ValidationError:
    wait_s = math.ceil(wait_s)
    ask_to_wait(request, wait_s)
    return forms.ValidationError(f"{why}. Try again in {wait_s} s.", code="wait")
