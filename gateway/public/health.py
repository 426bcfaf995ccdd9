"""How an offering does, in words beside every number. Pure."""

from dataclasses import dataclass

from accounts.measures import duration
from catalogue.published.call_stats import CallStats
from gateway.public.amounts import share
from providers.breaker import BY_RETRY_AFTER, BY_STAFF, HALF_OPEN, OPEN
from providers.facts import ProviderFacts
from providers.live_health import LiveHealth
from providers.tallies import Percentiles

_WHY = {BY_STAFF: "Staff hold it", BY_RETRY_AFTER: "It asked for a pause"}
_TONES = {"healthy": "good", "unhealthy": "bad"}


@dataclass(frozen=True, slots=True)
class Word:
    """What a chip says, in which tone, and what it means."""

    text: str
    tone: str
    meaning: str


@dataclass(frozen=True, slots=True)
class HealthWords:
    """Of the last 24 hours. The short forms are empty where nothing was measured."""

    stats: CallStats

    @property
    def success(self) -> str:
        return "" if self.stats.success_rate is None else share(self.stats.success_rate)

    @property
    def uptime(self) -> str:
        return "" if self.stats.probe_uptime is None else share(self.stats.probe_uptime)

    @property
    def latency(self) -> str:
        return duration(self.stats.latency_ms.p50) if self.stats.latency_ms else ""

    @property
    def throughput(self) -> str:
        return f"{self.stats.throughput.p50:,.0f} tok/s" if self.stats.throughput else ""

    @property
    def success_words(self) -> str:
        calls = self.stats.calls
        if not calls:
            return "No call in the last 24 hours."
        return f"{self.success} of {calls:,} call{'s' if calls > 1 else ''} succeeded in the last 24 hours."

    @property
    def uptime_words(self) -> str:
        if not self.uptime:
            return "Its provider was not probed in the last 24 hours."
        return f"{self.uptime} of the probes of its provider succeeded in the last 24 hours."

    @property
    def latency_words(self) -> str:
        spread = self.stats.latency_ms
        if spread is None:
            return "No latency measured."
        return f"The first token comes after {duration(spread.p50)} in half of the calls, {_rest(spread)}."

    @property
    def throughput_words(self) -> str:
        spread = self.stats.throughput
        if spread is None:
            return "No throughput measured."
        return (
            f"{spread.p50:,.0f} output tokens a second in half of the calls or fewer, "
            f"up to {spread.p90:,.0f} in 90 % and up to {spread.p99:,.0f} in 99 %."
        )


def verdict(provider: ProviderFacts | None, live: LiveHealth, *, serves: bool) -> Word:
    """Whether calls go there, what its breaker does, and what its provider's probes say."""
    if not serves or provider is None:
        return Word("unavailable", "neutral", "No call goes there now.")
    if live.breaker == OPEN:
        until = f" until {live.until:%H:%M:%S} UTC" if live.until else ""
        return Word(
            "left alone",
            "bad",
            f"{_WHY.get(live.cause or '', 'Its calls failed')}: no call goes there{until}.",
        )
    if live.breaker == HALF_OPEN:
        return Word(
            "left alone", "warning", "Its calls failed: one is let through to find out whether it is well."
        )
    meanings = {
        "healthy": "The last probe of its provider succeeded.",
        "unhealthy": "The last probes of its provider failed; others are tried first.",
    }
    meaning = meanings.get(provider.health, "Its provider was not probed yet.")
    word = provider.health if provider.health in meanings else "callable"
    return Word(word, _TONES.get(provider.health, "info"), meaning)


def _rest(spread: Percentiles) -> str:
    return f"within {duration(spread.p90)} in 90 % and within {duration(spread.p99)} in 99 %"
