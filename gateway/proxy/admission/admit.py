"""Stop 5: all limits of a call at once, and the first provider with room, in one store call."""

import time
from collections.abc import Sequence

from accounts.keys import KeyFacts
from accounts.rules import KeyRules
from gateway.core.store.interface import REQUESTS, Ask, Limit, Store
from gateway.proxy.admission.admission import Admission
from gateway.proxy.admission.refusal import providers_full, refusal_by, what_limits
from gateway.proxy.admission.standing import standing_headers
from gateway.proxy.client import ClientConnection
from gateway.proxy.errors import RateLimited, Unavailable
from gateway.proxy.observers import CallSpool
from gateway.proxy.routing.plan import RoutePlan
from gateway.proxy.routing.resolve import RoutingContext
from gateway.proxy.routing.ways import Candidate
from providers.wire.call import Call

_SPENT_S = 60.0
"""After which a provider's budget may have been raised, or begun anew."""
LONGEST_SPOOL_LAG_S = 60.0
"""A spool that is further behind stops calls: they could not be accounted for."""


def check_accounting(spool: CallSpool) -> None:
    """Raises Unavailable: the call could not be accounted for."""
    if spool.lag_s > LONGEST_SPOOL_LAG_S:
        raise Unavailable(
            "Calls cannot be accounted for at the moment.", code="ledger_behind", retry_after_s=10
        )


async def admit(
    call: Call,
    rules: KeyRules,
    plan: RoutePlan,
    context: RoutingContext,
    client: ClientConnection,
    admission: Admission,
) -> None:
    """Let the call in, and tell its client how its limits stand; or raise RateLimited or BudgetExceeded."""
    candidates: Sequence[Candidate] = plan.candidates
    if admission.some_have_spent:
        candidates = admission.affordable(candidates, context.snapshot)
        call.offering_ids = tuple([candidate.way for candidate in candidates])
        if not candidates:
            raise providers_full(_SPENT_S)
    verdict = await admission.admit(call, rules, candidates, context.snapshot)
    if verdict.standings:
        client.headers += standing_headers(verdict.standings, call.format, time.time())
    if not verdict.is_admitted:
        client.record.limited_by = what_limits(verdict)
        raise refusal_by(verdict, context.key, call.project)
    if passed_over := verdict.candidate:
        # They are full now, and may have room by the time that it comes to them.
        ids = call.offering_ids
        call.offering_ids = (*ids[passed_over:], *ids[:passed_over])


async def admit_count(
    key: KeyFacts, per_minute: int, form: str, client: ClientConnection, store: Store
) -> None:
    """Counting tokens costs nobody money, but time of ours: so it has a limit of its own. Raises RateLimited."""
    limit = Limit(f"count:{key.lineage_id}", REQUESTS, per_minute, 60)
    verdict = await store.admit(Ask("", (limit,)))
    client.headers += standing_headers(verdict.standings, form, time.time())
    if not verdict.is_admitted:
        message = f"Each key may have tokens counted {per_minute} times a minute. Wait, or count less often."
        raise RateLimited(message, retry_after_s=verdict.retry_after_s)
