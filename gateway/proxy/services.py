"""What calls are made with, in whichever process they are made."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from accounts.attempts import AttemptRecord
from catalogue.pricing.rate_card import RateCards
from gateway.proxy.admission.admission import Admission
from gateway.proxy.ports import Snapshots
from gateway.proxy.retries import RetryBudget
from providers.adapters.base import Adapter
from providers.engine import Timeouts, UpstreamEngine
from providers.facts import ProviderFacts, Way
from providers.health import HealthTable
from providers.wire.call import Call


class AttemptObservers(Protocol):
    """Who is told of attempts: see gateway.proxy.observers. An attempt whose opening raises OSError is not made."""

    def attempt_opened(self, attempt: AttemptRecord, /) -> None: ...

    def attempt_closed(self, attempt: AttemptRecord, /) -> None: ...


async def _claim_nothing(_: Way) -> None:
    """As it is where no other process sees the same offerings."""


@dataclass(frozen=True, slots=True)
class CallServices:
    """What making calls takes, in whichever process they are made."""

    engine: UpstreamEngine
    adapters: Callable[[Call, ProviderFacts], Adapter]
    """Raises KeyError for what the provider's format does not have."""
    snapshots: Snapshots
    observers: AttemptObservers
    health: HealthTable
    timeouts: Timeouts
    answer_bytes: int
    admission: Admission
    rate_cards: RateCards = field(default_factory=RateCards)
    retries: RetryBudget = field(default_factory=RetryBudget)
    claim: Callable[[Way], Awaitable[None]] = _claim_nothing
    """Ask to be the process that finds out how a half-open offering is."""
