"""Asking models that nobody called lately for one token: at a cost, inside what their provider's probes may cost a day.

Whoever runs the round claims each offering by a conditional UPDATE, so that none is asked twice for a turn. What it
cost is a row of the ledger that is the operator's own.
"""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import httpx
import orjson
from django.db.models import F, Sum

from accounts.attempts import OPERATOR, AttemptClosed, AttemptOpened, AttemptRecord, AttemptSample
from accounts.models import LedgerEntry
from accounts.recording import record_attempts
from catalogue.facts import ModelFacts, OfferingFacts
from catalogue.pricing.rate_card import RateCard, RateCards
from catalogue.published.loading import snapshots
from catalogue.published.snapshot import Snapshot
from gateway.core.outbound import OutboundPolicy, httpx_client
from providers import live_health
from providers.facts import ProviderFacts
from providers.models import BilledProbe, Provider
from providers.operations.registry import GENERATION, choose_adapter, serves
from providers.services import outbound_policy
from providers.wire.call import Call
from providers.wire.estimate import estimate_usage
from providers.wire.failure import FailureKind, UpstreamFailure
from providers.wire.upstream import Upstream
from providers.wire.usage import Usage

QUIET = timedelta(minutes=5)
"""Without an attempt for so long, calls tell nothing."""
TURN = timedelta(minutes=10)
"""Between two probes of an offering."""
TOGETHER_MOST = 8
SURFACE = "probe"
_ENDPOINT = "chat.completions"
_WITHIN_S, _BYTES_MOST = 20.0, 1024 * 1024
_MESSAGES = [{"role": "user", "content": "Hi"}]
_UNREACHED = (httpx.ConnectError, httpx.ConnectTimeout)


@dataclass(frozen=True, slots=True)
class Quiet:
    """An offering that may be asked, and what that is thought to cost at the most."""

    model: ModelFacts
    offering: OfferingFacts
    provider: ProviderFacts
    rate_card: RateCard
    most_usd: Decimal


@dataclass(slots=True)
class Found:
    status: int | None = None
    usage: Usage | None = None
    failure: UpstreamFailure | None = None


def probe_quiet_offerings(at: datetime) -> int:
    """One round. How many were asked."""
    budgets = dict(
        Provider.objects.filter(probe_budget_usd__gt=0, is_enabled=True).values_list("pk", "probe_budget_usd")
    )
    if not budgets:
        return 0
    asked = list(_claimed(_quiet(snapshots.refresh(), budgets, at), budgets, at))
    policy = outbound_policy()
    with ThreadPoolExecutor(TOGETHER_MOST, thread_name_prefix="billed probe") as pool:
        records = list(pool.map(lambda each: ask(each, policy), asked))
    if records:
        record_attempts(records)
    for each, record in zip(asked, records, strict=True):
        _note(each, record)
    return len(asked)


def ask(quiet: Quiet, policy: OutboundPolicy) -> AttemptRecord:
    """A chat of one token; every trouble is an outcome. In a thread: no database."""
    call = _call(quiet)
    opened = _opened(quiet, call)
    began = time.monotonic()
    try:
        found = _make(call, quiet, policy)
    except UpstreamFailure as caught:
        caught.hide(quiet.provider.secret)
        found = Found(caught.status, failure=caught)
    latency_ms = (time.monotonic() - began) * 1000
    failure = found.failure
    usage = estimate_usage(call.body, 1) if failure and failure.kind is FailureKind.TIMEOUT else found.usage
    loss = quiet.rate_card.cost_usd(usage) if usage else Decimal(0)
    closed = AttemptClosed(
        attempt_id=opened.attempt_id,
        ended_at=time.time(),
        outcome=LedgerEntry.Outcome.FAILED if failure else LedgerEntry.Outcome.FINISHED,
        status=found.status,
        error_code=failure.code if failure else "",
        usage=usage.counts if usage else None,
        is_estimated=usage is not None and usage.is_estimated,
        cost_usd="0",
        loss_usd=f"{loss:f}",
        latency_ms=latency_ms,
        about_us=failure.about_us if failure else "",
    )
    kind = failure.kind.value if failure else None
    wait_s = failure.retry_after_s if failure else None
    return AttemptRecord(opened, closed, AttemptSample(quiet.offering.id, latency_ms, kind, wait_s))


def _quiet(snapshot: Snapshot, budgets: Mapping[int, Decimal], at: datetime) -> Iterator[Quiet]:
    """Whatever can be asked, is priced and was not called lately."""
    called = set(
        LedgerEntry.objects.filter(started_at__gte=at - QUIET)
        .values_list("provider", "upstream_name")
        .distinct()
    )
    rate_cards = RateCards()
    for model, offering in snapshot.offerings.values():
        provider = snapshot.providers.get(offering.provider_id)
        if provider is None or provider.id not in budgets or not snapshot.serves(offering, at):
            continue
        if not (GENERATION & offering.endpoints and serves(provider.wire_format, _ENDPOINT)):
            continue
        rate_card = rate_cards.find(offering, at.timestamp())
        if rate_card.has_prices and (provider.slug, offering.upstream_name) not in called:
            most = rate_card.cost_usd(estimate_usage({"messages": _MESSAGES}, 1))
            yield Quiet(model, offering, provider, rate_card, most)


def _claimed(quiet: Iterator[Quiet], budgets: Mapping[int, Decimal], at: datetime) -> Iterator[Quiet]:
    """Those whose turn it is and that this round alone asks, as long as their provider's budget has room."""
    left = {pk: budget - _spent(pk, at) for pk, budget in budgets.items()}
    taken = 0
    for each in quiet:
        if taken == TOGETHER_MOST or left[each.provider.id] < each.most_usd:
            continue
        BilledProbe.objects.get_or_create(offering_id=each.offering.id, defaults={"next_at": at})
        if BilledProbe.objects.filter(offering=each.offering.id, next_at__lte=at).update(next_at=at + TURN):
            left[each.provider.id] -= each.most_usd
            taken += 1
            yield each


def _spent(provider_id: int, at: datetime) -> Decimal:
    """By probes since midnight UTC."""
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    slug = Provider.objects.filter(pk=provider_id).values("slug")[:1]
    probes = LedgerEntry.objects.filter(
        team_id=OPERATOR, surface=SURFACE, provider=slug, started_at__gte=midnight
    )
    return probes.aggregate(total=Sum(F("loss_usd") + F("cost_usd")))["total"] or Decimal(0)


def _call(quiet: Quiet) -> Call:
    params = quiet.offering.params
    is_new = "max_completion_tokens" in params and "max_tokens" not in params
    body = {
        "model": quiet.model.id,
        "messages": _MESSAGES,
        "max_completion_tokens" if is_new else "max_tokens": 1,
    }
    return Call(
        _ENDPOINT,
        body,
        id=uuid4().hex,
        created=int(time.time()),
        requested_model=quiet.model.id,
        raw=orjson.dumps(body),
    )


def _opened(quiet: Quiet, call: Call) -> AttemptOpened:
    return AttemptOpened(
        attempt_id=uuid4().hex,
        call_id=call.id,
        request_id=f"{SURFACE}-{call.id}",
        number=1,
        lane=LedgerEntry.Lane.DIRECT,
        endpoint=_ENDPOINT,
        team_id=OPERATOR,
        key_id=OPERATOR,
        requested_model=quiet.model.id,
        model=quiet.model.id,
        provider=quiet.provider.slug,
        upstream_name=quiet.offering.upstream_name,
        is_streamed=False,
        started_at=time.time(),
        prices=quiet.rate_card.standard.fields,
        surface=SURFACE,
    )


def _make(call: Call, quiet: Quiet, policy: OutboundPolicy) -> Found:
    """Raises UpstreamFailure."""
    offering, provider = quiet.offering, quiet.provider
    adapter = choose_adapter(call, provider)
    most = offering.max_output_tokens or quiet.model.max_output_tokens
    upstream = Upstream(
        offering.upstream_name,
        is_streamed=False,
        params=offering.params,
        max_output_tokens=most,
        quirks=provider.quirks,
    )
    request = adapter.request(call, provider, upstream)
    try:
        with httpx_client(policy, timeout_s=_WITHIN_S, total_s=_WITHIN_S, limit_bytes=_BYTES_MOST) as client:
            response = client.request(
                request.method, request.url, headers=dict(request.headers), content=request.body
            )
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise _named(error) from error
    if not response.is_success:
        headers = {name.lower(): value for name, value in response.headers.items()}
        raise adapter.failure(response.status_code, headers, response.content)
    answer = adapter.answer(call, quiet.model.id, response.status_code, response.content, provider.issuer)
    return Found(response.status_code, answer.usage)


def _named(error: Exception) -> UpstreamFailure:
    if isinstance(error, _UNREACHED):
        return UpstreamFailure(
            FailureKind.UNAVAILABLE, "The provider cannot be reached.", code="provider_unreachable"
        )
    if isinstance(error, httpx.TimeoutException):
        return UpstreamFailure(
            FailureKind.TIMEOUT, "The provider did not answer in time.", code="provider_timeout"
        )
    return UpstreamFailure(FailureKind.UNAVAILABLE, "The provider broke off.", code="provider_disconnected")


def _note(quiet: Quiet, record: AttemptRecord) -> None:
    """For pages, and for the health that routing goes by."""
    closed = record.closed
    if closed is None:
        return
    BilledProbe.objects.filter(offering=quiet.offering.id).update(
        at=datetime.fromtimestamp(record.opened.started_at, UTC),
        is_healthy=not closed.error_code,
        latency_ms=round(closed.latency_ms or 0.0, 1),
        error=closed.error_code[:300],
    )
    live_health.here.reader.learn(record)
