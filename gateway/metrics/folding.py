"""Ended calls and attempts become numbers. Pure, but for the small memory of calls that go on at another target."""

from collections import OrderedDict
from collections.abc import Iterable
from decimal import Decimal

from accounts.attempts import AttemptClosed, AttemptOpened, AttemptRecord
from gateway.metrics import families
from gateway.metrics.faults import word_for
from gateway.metrics.labels import NONE, Bounded, TeamNames
from gateway.metrics.observer import EndedCall
from gateway.metrics.remaining import Remaining
from gateway.metrics.totals import Totals
from gateway.proxy.settle import FAILED_OVER, FINISHED
from gateway.proxy.surfaces import BY_PATH
from providers.wire.failure import FailureKind

_MOST_UNDER_WAY = 10_000
_MOST_MODELS, _MOST_PROVIDERS, _MOST_SURFACES, _MOST_TYPES = 500, 200, 50, 40
_CALLERS = frozenset({400, 413, 422})


class Fold:
    """Of one process. `teams` tells slugs by id."""

    def __init__(self, totals: Totals, teams: TeamNames) -> None:
        self._totals = totals
        self._team = teams
        self._model, self._provider = Bounded(_MOST_MODELS), Bounded(_MOST_PROVIDERS)
        self._surface, self._type = Bounded(_MOST_SURFACES), Bounded(_MOST_TYPES)
        self.remaining = Remaining()
        self._failed_over: OrderedDict[str, tuple[str, str]] = OrderedDict()
        """By call: whom it left, and why."""

    def take(self, attempts: Iterable[AttemptRecord], calls: Iterable[EndedCall]) -> None:
        for attempt in attempts:
            if attempt.closed:
                self._take_attempt(attempt, attempt.opened, attempt.closed)
        for call in calls:
            self._take_call(call)

    def _take_call(self, call: EndedCall) -> None:
        add, head = self._totals.add, call.head
        surface = self._surface(surface_name(call.surface.path))
        team = self._team(call.key.team_id) if call.key else NONE
        model = self._model(head.model if head else call.plan.model.id if call.plan else "")
        provider = self._provider(head.provider if head else "")
        error = word_for(call.error_code, is_callers=call.status is not None and 400 <= call.status < 500)
        add(families.REQUESTS, surface, model, provider, call.outcome, error)
        add(families.TEAM_REQUESTS, team, call.outcome)
        if call.limited_by:
            is_budget = call.limited_by[0] in {"spent", "held"}
            add(families.BUDGET_REFUSALS if is_budget else families.LIMIT_REFUSALS, *call.limited_by)
        if call.plan:
            tried = call.result.attempts if call.result else head.attempts if head else 0
            self._totals.observe(families.ATTEMPTS_EACH, value=tried)
        if head:
            self._take_times(call, surface, is_streamed=head.length is None)

    def _take_times(self, call: EndedCall, surface: str, *, is_streamed: bool) -> None:
        took_s = call.ended_at - call.started_at
        self._totals.observe(families.REQUEST_SECONDS, surface, _flag(is_streamed), value=took_s)
        if call.outcome == FINISHED and call.result and call.result.spent_ms:
            own_s = max(0.0, took_s - call.result.spent_ms / 1000)
            self._totals.observe(families.OVERHEAD_SECONDS, call.lane, value=own_s)

    def _take_attempt(self, attempt: AttemptRecord, opened: AttemptOpened, closed: AttemptClosed) -> None:
        add = self._totals.add
        model, provider = self._model(opened.model), self._provider(opened.provider)
        error = word_for(closed.error_code, is_callers=_is_callers(attempt))
        add(families.ATTEMPTS, model, provider, closed.outcome, error)
        self._follow(opened, closed, provider, error)
        self._take_money(opened, closed, attempt.charge_usd, provider)
        if not opened.prices:
            add(families.UNPRICED, model)
        if closed.is_estimated:
            add(families.ESTIMATED, provider)
        self._take_usage(opened, closed, model, provider)
        if attempt.answered and not (opened.own_credential_id or opened.operator_credential_id):
            self.remaining.note(model, provider, attempt.answered, opened.started_at)
        if closed.latency_ms is not None:
            labels = provider, _flag(opened.is_streamed)
            self._totals.observe(families.ATTEMPT_SECONDS, *labels, value=closed.latency_ms / 1000)
            if opened.is_streamed and closed.first_token_ms is not None:
                self._take_pace(closed, closed.latency_ms, closed.first_token_ms, (model, provider))

    def _follow(self, opened: AttemptOpened, closed: AttemptClosed, provider: str, error: str) -> None:
        before = self._failed_over.pop(opened.call_id, None)
        if before:
            self._totals.add(families.FALLBACKS, before[0], provider, before[1])
        if closed.outcome == FAILED_OVER:
            self._failed_over[opened.call_id] = provider, error
            if len(self._failed_over) > _MOST_UNDER_WAY:
                self._failed_over.popitem(last=False)

    def _take_usage(self, opened: AttemptOpened, closed: AttemptClosed, model: str, provider: str) -> None:
        for name, count in (closed.usage or {}).items():
            kind = self._type(name.removesuffix("_tokens"))
            if count:
                self._totals.add(families.TOKENS, model, provider, kind, by=count)
            if count and kind in {"input", "output"}:
                self._totals.add(families.TEAM_TOKENS, self._team(opened.team_id), kind, by=count)

    def _take_money(
        self, opened: AttemptOpened, closed: AttemptClosed, charge_usd: str | None, provider: str
    ) -> None:
        """Zeros, too: a series that is there from a team's first call on."""
        add, team = self._totals.add, self._team(opened.team_id)
        add(families.COST, team, provider, by=float(Decimal(closed.cost_usd)))
        add(families.CHARGE, team, by=float(charge_usd or 0))
        add(families.LOSS, provider, by=float(Decimal(closed.loss_usd)))
        if opened.own_credential_id:
            add(families.OWN_COST, team, provider, by=float(Decimal(closed.own_cost_usd)))

    def _take_pace(
        self, closed: AttemptClosed, latency_ms: float, first_ms: float, labels: tuple[str, str]
    ) -> None:
        self._totals.observe(families.FIRST_TOKEN_SECONDS, *labels, value=first_ms / 1000)
        further = (closed.usage or {}).get("output_tokens", 0) - 1
        if closed.outcome == FINISHED and further > 0:
            pace_s = (latency_ms - first_ms) / 1000 / further
            self._totals.observe(families.EACH_TOKEN_SECONDS, *labels, value=max(0.0, pace_s))


def surface_name(path: str) -> str:
    """Of a path that a surface answers: never with the model that Google's paths have."""
    return path.removeprefix("/v1/") if path in BY_PATH else path.rpartition(":")[2]


def _is_callers(attempt: AttemptRecord) -> bool:
    if attempt.sample:
        return attempt.sample.failure in {FailureKind.CALLER.value, FailureKind.UNSUPPORTED.value}
    return attempt.closed is not None and attempt.closed.status in _CALLERS


def _flag(is_true: bool) -> str:
    return "true" if is_true else "false"
