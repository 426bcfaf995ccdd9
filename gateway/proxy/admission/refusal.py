"""What a call is answered that is not let in: whose limit or budget it was, which, and when there is room. Pure."""

import math
from datetime import UTC, datetime

from accounts.keys import KeyFacts
from accounts.money import UNITS_A_USD
from gateway.core.store.interface import Limit, Verdict, WindowLimit
from gateway.proxy.errors import BeyondLimit, BudgetExceeded, GatewayError, RateLimited

_UNITS = {
    "requests": "requests",
    "tokens": "tokens",
    "input_tokens": "input tokens",
    "output_tokens": "output tokens",
}
_WINDOWS = {60: "a minute", 86_400: "a day"}
_HELD_S = 1.0
"""How long what is held for other calls is worth waiting for: nobody knows when they end."""

PROVIDERS_FULL = "providers_at_quota"


def refusal_by(verdict: Verdict, key: KeyFacts, project: str) -> GatewayError:
    """Of a verdict that admits nobody."""
    if limit := verdict.refused_by:
        return _by_limit(limit, verdict.retry_after_s, whose(limit.subject, key, project))
    if verdict.budget:
        subject, window = verdict.budget
        return _by_budget(window, whose(subject, key, project), is_spent=verdict.reason == "spent")
    return providers_full(verdict.retry_after_s)


def what_limits(verdict: Verdict) -> tuple[str, str] | None:
    """For gateway.proxy.observers.CallRecord; None: providers' quotas."""
    if limit := verdict.refused_by:
        return limit.unit, _kind_of(limit.subject)
    if verdict.budget is None:
        return None
    return "spent" if verdict.reason == "spent" else "held", _kind_of(verdict.budget[0])


def _kind_of(subject: str) -> str:
    return subject.partition(":")[0]


def providers_full(wait_s: float) -> RateLimited:
    """Nobody's limit but the operator's own."""
    return RateLimited(
        "Every provider that could take this call is at its quota. Wait, or name another model.",
        code=PROVIDERS_FULL,
        retry_after_s=wait_s,
    )


def whose(subject: str, key: KeyFacts, project: str) -> str:
    """A subject as its people know it, at the beginning of a sentence."""
    kind, _, name = subject.partition(":")
    return {
        "key": f"Key '{key.name}'",
        "member": f"The owner of key '{key.name}'",
        "service_account": f"The service account of key '{key.name}'",
        "project": f"Project '{project}'",
        "team": f"Team '{key.team_slug}'",
        "provider": f"Provider '{name}'",
        "deployment": "This gateway",
    }.get(kind, subject)


def _by_limit(limit: Limit, wait_s: float, who: str) -> GatewayError:
    if limit.unit == "concurrency":
        message = f"{who} already has {limit.amount} calls running, its limit. Wait for one to end."
        return RateLimited(message, retry_after_s=wait_s)
    allowed = f"{who} is limited to {limit.amount} {_UNITS[limit.unit]} {_WINDOWS[limit.window_s]}"
    if math.isinf(wait_s):
        message = f"{allowed}, and this request alone would take more: lower its max_tokens or shorten it."
        return BeyondLimit(message)
    return RateLimited(f"{allowed}. Wait, or have the limit raised.", retry_after_s=wait_s)


def _by_budget(window: WindowLimit, who: str, *, is_spent: bool) -> GatewayError:
    budget = f"its budget of ${usd(window.amount)} {_period(window)}"
    if is_spent:
        return BudgetExceeded(f"{who} has spent {budget}. {_way_out(window)}")
    message = f"What is left to {who[0].lower()}{who[1:]} of {budget} is held for calls that still run. Wait for them."
    return RateLimited(message, code="budget_held", retry_after_s=_HELD_S)


def usd(amount: int) -> str:
    """`amount` in 10⁻¹⁰ USD; at least two places, and no more than it has."""
    whole, part = divmod(amount, UNITS_A_USD)
    return f"{whole:,}.{f'{part:010d}'.rstrip('0'):0<2}"


def _period(window: WindowLimit) -> str:
    kind = window.window.partition(":")[0]
    return "in all" if kind == "lifetime" else f"this {kind}"


def _way_out(window: WindowLimit) -> str:
    if not window.ends_at:
        return "Have it raised."
    ends_at = datetime.fromtimestamp(window.ends_at, UTC)
    return f"It begins anew at {ends_at:%Y-%m-%dT%H:%M:%SZ}; until then have it raised."
