"""Stop 5: requests a minute and concurrency, all levels at once, in one store call."""

from collections.abc import Sequence

from accounts.keys import KeyFacts
from gateway.core.store.interface import CONCURRENCY, REQUESTS, Ask, Limit, Store, Verdict
from gateway.proxy.errors import RateLimited, Unavailable
from gateway.proxy.observers import CallSpool

LONGEST_SPOOL_LAG_S = 60.0
"""A spool that is further behind stops calls: they could not be accounted for."""
_ADMITTED = Verdict(is_admitted=True)


async def admit(call_id: str, limits: Sequence[Limit], store: Store, spool: CallSpool) -> Verdict:
    """Count the call and take its slots, if the limits allow it. Raises Unavailable: it could not be accounted for."""
    if spool.lag_s > LONGEST_SPOOL_LAG_S:
        raise Unavailable(
            "Calls cannot be accounted for at the moment.", code="ledger_behind", retry_after_s=10
        )
    return await store.admit(Ask(call_id, limits)) if limits else _ADMITTED


async def admit_count(key: KeyFacts, per_minute: int, store: Store) -> Verdict:
    """Counting tokens costs nobody money, but time of ours: so it has a limit of its own. Raises RateLimited."""
    limit = Limit(f"count:{key.lineage_id}", REQUESTS, per_minute, 60)
    verdict = await store.admit(Ask("", (limit,)))
    if not verdict.is_admitted:
        message = f"Each key may have tokens counted {per_minute} times a minute. Wait, or count less often."
        raise RateLimited(message, retry_after_s=verdict.retry_after_s)
    return verdict


def refusal_by(verdict: Verdict, key: KeyFacts) -> RateLimited:
    """What a call is answered that its key's limits do not let in."""
    limit = verdict.refused_by
    if limit is not None and limit.unit == CONCURRENCY:
        message = (
            f"Key '{key.name}' already has {limit.amount} calls running, its limit. Wait for one to end."
        )
    else:
        message = (
            f"Key '{key.name}' is limited to {key.requests_per_minute} requests a minute. "
            "Wait, or raise its limit."
        )
    return RateLimited(message, retry_after_s=verdict.retry_after_s)
