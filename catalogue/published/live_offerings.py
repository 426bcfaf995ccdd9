"""How each offering of a model does at this moment, as routing has it, and how much of a day's quota is used."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.models import F, Q, Sum

from accounts.models import UsageQuarter, UsageSeries
from catalogue.facts import ModelFacts, OfferingFacts
from catalogue.instants import instant_text
from catalogue.published.reading import Reading
from gateway.core.store.interface import REQUESTS
from providers.breaker import CLOSED, OPEN
from providers.facts import OPERATOR, Way
from providers.live_health import LiveHealth, here

_DAY_S = 86_400


def live_health(offering: OfferingFacts, reading: Reading) -> LiveHealth:
    """By the operator's credentials."""
    return here.reader.read(_ways(offering, reading))


def status_of(model: ModelFacts, reading: Reading, requests_today: int) -> dict[str, Any]:
    """An entry of `GET /v1/routing/status`: of the offering that does best, and of each."""
    serving = [each for each in model.offerings if reading.snapshot.serves(each, reading.at)]
    lives = [(offering, live_health(offering, reading)) for offering in serving]
    # Routing leaves those that are open alone, and takes the curators' order among the rest.
    first, best = min(lives, key=lambda each: (each[1].breaker == OPEN, -round(each[1].success_rate, 1)))
    waits = [live.until for _, live in lives if live.until]
    is_cooling = all(live.breaker == OPEN for _, live in lives)
    return {
        "provider": first.provider_slug,
        "healthy": not is_cooling and any(_is_well(each, live, reading) for each, live in lives),
        "success_rate": best.success_rate,
        "avg_latency_ms": None if best.latency_ms is None else round(best.latency_ms, 1),
        "in_cooldown": is_cooling,
        "cooldown_until": instant_text(min(waits)) if is_cooling and waits else None,
        "daily_requests": requests_today,
        "daily_limit": _daily_limit(serving, reading),
        "offerings": [_entry(offering, live, reading) for offering, live in lives],
    }


def count_requests_today(at: datetime) -> Mapping[str, int]:
    """By the model's id; since midnight UTC. One query."""
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    quarters = UsageQuarter.objects.filter(starts_at__gte=int(midnight.timestamp()))
    by_series = dict(quarters.values_list("series_id").annotate(total=Sum("calls")))
    found: dict[str, int] = {}
    asked = UsageSeries.objects.filter(Q(pk__in=list(by_series)))
    for series_id, model in asked.values_list("pk", F("model")):
        found[model] = found.get(model, 0) + (by_series[series_id] or 0)
    return found


def _is_well(offering: OfferingFacts, live: LiveHealth, reading: Reading) -> bool:
    return live.breaker == CLOSED and _probe(offering, reading) != "unhealthy"


def _entry(offering: OfferingFacts, live: LiveHealth, reading: Reading) -> dict[str, Any]:
    return {
        "provider": offering.provider_slug,
        "upstream_name": offering.upstream_name,
        "probe": _probe(offering, reading),
        "breaker": live.breaker,
        "cause": live.cause,
        "until": instant_text(live.until) if live.until else None,
        "success_rate": live.success_rate,
        "avg_latency_ms": None if live.latency_ms is None else round(live.latency_ms, 1),
        "calls_5m": live.windows["5m"].calls,
    }


def _probe(offering: OfferingFacts, reading: Reading) -> str:
    return reading.snapshot.providers[offering.provider_id].health


def _daily_limit(offerings: Sequence[OfferingFacts], reading: Reading) -> int | None:
    """How many requests its offerings take in a day together; None where one of them has no such quota."""
    limits = [_least(offering, reading) for offering in offerings]
    told = [limit for limit in limits if limit is not None]
    return sum(told) if len(told) == len(limits) else None


def _least(offering: OfferingFacts, reading: Reading) -> int | None:
    quotas = (*offering.quotas, *reading.snapshot.providers[offering.provider_id].quotas)
    amounts = [quota.amount for quota in quotas if (quota.unit, quota.window_s) == (REQUESTS, _DAY_S)]
    return min(amounts, default=None)


def _ways(offering: OfferingFacts, reading: Reading) -> Sequence[Way]:
    further = reading.snapshot.credentials_of(OPERATOR, offering.provider_id)
    return [offering.id, *(f"{offering.id}:{credential.id}" for credential in further)]
