"""How a client names what is to answer: `[provider:]model[:suffix]`. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

AUTO = "auto"
"""Any model that can do what the request needs."""
PRICE, LATENCY, THROUGHPUT = "price", "latency", "throughput"
_SORTS = {"fast": THROUGHPUT, "cheap": PRICE}
_FREE = "free"


@dataclass(frozen=True, slots=True)
class Asked:
    """`name` as the client wrote it; `model` is an id, an alias or `auto`, whether it exists or not.

    `provider` is the slug of the one that has to answer; `sort` what its offerings are ordered by, before all else
    that is wished. `is_free`: only offerings of which no meter charges.
    """

    name: str
    model: str
    provider: str = ""
    sort: str = ""
    is_free: bool = False


def _nothing(_: str) -> bool:
    return False


def read_name(name: str, is_known: Callable[[str], bool] = _nothing) -> Asked:
    """What of it is known whole, as a model's id or alias, is not taken apart: those may have colons of their own."""
    rest, sort, is_free = name, "", False
    while not (rest == AUTO or is_known(rest)):
        before, _, suffix = rest.rpartition(":")
        if not before or not (suffix in _SORTS or suffix == _FREE):
            return _pinned(name, rest, sort, is_free)
        rest, sort, is_free = before, sort or _SORTS.get(suffix, ""), is_free or suffix == _FREE
    return Asked(name, rest, "", sort, is_free)


def _pinned(name: str, rest: str, sort: str, is_free: bool) -> Asked:
    """No slug of a provider has a slash, and most models' ids have one before their first colon."""
    provider, _, model = rest.partition(":")
    if not (provider and model) or "/" in provider:
        provider, model = "", rest
    return Asked(name, model, provider, sort, is_free)
