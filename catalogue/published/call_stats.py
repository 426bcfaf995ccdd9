"""How calls of a model went lately, offering by offering, from the ledger and from probes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import quantiles

from accounts.models import LedgerEntry
from catalogue.facts import ModelFacts
from providers.models import ProbeResult
from providers.tallies import Percentiles

WINDOW = timedelta(hours=24)
_SAMPLES = 2000
_SERVED = frozenset({LedgerEntry.Outcome.FINISHED, LedgerEntry.Outcome.CANCELLED})
_OURS = frozenset({401, 402, 403, 408, 429})
_MS = 1000.0


@dataclass(frozen=True, slots=True)
class CallStats:
    """Of the last 24 hours, callers' own mistakes left out. Rates are 0 to 1; None where nothing was measured.

    `latency_ms` is to the first token where the answer was streamed, else to its end; `throughput` is in output
    tokens a second.
    """

    calls: int
    success_rate: float | None
    probe_uptime: float | None
    latency_ms: Percentiles | None
    throughput: Percentiles | None


def read_call_stats(model: ModelFacts, at: datetime) -> dict[int, CallStats]:
    """By the offering's id. Two queries, over at most the newest 2,000 attempts."""
    since = at - WINDOW
    entries = list(
        LedgerEntry.objects.attempts()
        .filter(model=model.id, started_at__gte=since)
        .order_by("-started_at")[:_SAMPLES]
    )
    uptimes = _uptimes({offering.provider_id for offering in model.offerings}, since)
    return {
        offering.id: _stats(
            [
                entry
                for entry in entries
                if (entry.provider, entry.upstream_name) == (offering.provider_slug, offering.upstream_name)
            ],
            uptimes.get(offering.provider_id),
        )
        for offering in model.offerings
    }


def _stats(entries: Sequence[LedgerEntry], uptime: float | None) -> CallStats:
    entries = [entry for entry in entries if not _is_callers(entry)]
    served = [entry for entry in entries if entry.outcome in _SERVED]
    return CallStats(
        calls=len(entries),
        success_rate=round(len(served) / len(entries), 4) if entries else None,
        probe_uptime=uptime,
        latency_ms=_percentiles([ms for e in served if (ms := e.first_token_ms or e.latency_ms) is not None]),
        throughput=_percentiles([rate for e in served if (rate := _rate(e)) is not None]),
    )


def _is_callers(entry: LedgerEntry) -> bool:
    """The provider refused what it was asked: what concerns ourselves has codes and statuses of its own."""
    is_refused = entry.outcome == LedgerEntry.Outcome.FAILED and 400 <= (entry.status or 0) < 500
    return is_refused and entry.status not in _OURS and not entry.error_code.startswith("provider_")


def _rate(entry: LedgerEntry) -> float | None:
    """Of what came at once, from the beginning."""
    if not entry.output_tokens or entry.latency_ms is None:
        return None
    spent_ms = entry.latency_ms - ((entry.first_token_ms or 0) if entry.is_streamed else 0)
    return entry.output_tokens / spent_ms * _MS if spent_ms > 0 else None


def _percentiles(values: Sequence[float]) -> Percentiles | None:
    if not values:
        return None
    if len(values) == 1:
        return Percentiles(*[round(values[0], 2)] * 3)
    cuts = quantiles(values, n=100, method="inclusive")
    return Percentiles(round(cuts[49], 2), round(cuts[89], 2), round(cuts[98], 2))


def _uptimes(provider_ids: set[int], since: datetime) -> dict[int, float]:
    found: dict[int, list[bool]] = {}
    probes = ProbeResult.objects.filter(provider_id__in=provider_ids, at__gte=since).order_by()
    for provider_id, is_healthy in probes.values_list("provider_id", "is_healthy"):
        found.setdefault(provider_id, []).append(is_healthy)
    return {provider_id: round(sum(seen) / len(seen), 4) for provider_id, seen in found.items()}
