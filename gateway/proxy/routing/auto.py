"""Any model that can do a request, found among thousands of offerings in few steps. Pure.

What does not depend on the request is worked out once for a snapshot, as sets of offerings: whole numbers, of which the
bit n stands for the offering n. What is in all the sets that a request needs is looked at one by one, the best first,
by the same filters as the offerings of a model that is named: the sets only spare those that would fall out there. The
order is as it was at most a second ago; what is found is put in order anew, by what is known now.
"""

"""Any model that can do a request, found among thousands of offerings in few steps. Pure.

What does not depend on the request is worked out once for a snapshot, as sets of offerings: whole numbers, of which the
bit n stands for the offering n. What is in all the sets that a request needs is looked at one by one, the best first,
by the same filters as the offerings of a model that is named: the sets only spare those that would fall out there.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain

from accounts.keys import KeyFacts
from accounts.policies import LifecyclePolicy
from catalogue.lifecycle.status import Status
from catalogue.published.snapshot import Snapshot
from gateway.proxy.routing.filters import reason_against, weigh
from gateway.proxy.routing.ordering import TIERS, Nearness, Ordering, is_sick, nearness, usual_cost_usd
from gateway.proxy.routing.request import LEVELS, RouteRequest
from gateway.proxy.routing.resolve import ResolvedModel, RoutingContext
from gateway.proxy.routing.standing import CREDENTIAL_MISSING, EVER, NEVER, Standing, standings_of
from gateway.proxy.routing.ways import Candidate, Dropped
from providers.facts import Way
from providers.health import HealthStatus
from providers.operations.parameters import declares
from providers.operations.registry import operation_of

MOST = 24
"""Candidates that a plan has for it: no call comes so far down."""
MOST_WEIGHED = 256
"""Offerings that are looked at for one that loses nothing, where there are enough that lose something."""
_KEPT_S = 1.0
_MOST_KEYS = 10_000
_LEVELS: tuple[str | None, ...] = (*LEVELS, None)
_UNKNOWN = HealthStatus(is_open=False, success_rate=1.0, latency_ms=None)


@dataclass(slots=True)
class Field:
    """All offerings that serve an endpoint from `since` until before `until`, by what the static facts say of them."""

    rows: tuple[Standing, ...]
    since: datetime
    until: datetime
    all: int
    streaming: int
    deprecated: int
    free: int
    by_slug: dict[str, int]
    by_level: dict[str, int]
    """Those of models that reason at that level or above."""
    reading: dict[str, int]
    """By a type of input: those of models that read it, or of which that is not known."""
    of_unknown_input: int
    windows: list[int]
    """All sizes of context windows that there are, the smallest first."""
    larger: list[int]
    """For each of those sizes, those whose windows are larger, or unknown."""
    numbers: dict[Way, int]
    unmeasured: list[Nearness]
    """Where each has its place while nobody has measured it."""
    declaring: dict[str, int] = field(default_factory=dict)
    """By a parameter: those that declare it, or nothing at all. Filled as requests ask."""
    by_key: dict[int, tuple[KeyFacts, int]] = field(default_factory=dict)
    order: list[list[int]] = field(default_factory=list)
    """Offerings, the best first: a list for the healthy of each of _LEVELS, then for the sick of each."""
    ordered_at: datetime = NEVER

    def able(self, choice: ResolvedModel, request: RouteRequest, key: KeyFacts) -> int:
        """Those that the static facts do not rule out."""
        required = request.required
        found = self._open_to(key)
        if choice.provider:
            found &= self.by_slug.get(choice.provider, 0)
        if choice.is_free:
            found &= self.free
        if required.is_streamed:
            found &= self.streaming
        for kind in required.input_types:
            found &= self.reading.get(kind, self.of_unknown_input)
        if least := request.min_reasoning_level or request.reasoning_effort:
            found &= self.by_level[least]
        for name in required.params:
            found &= self._taking(name)
        if too_small := bisect_left(self.windows, required.input_tokens):
            found &= self.larger[too_small - 1]
        return found

    def _open_to(self, key: KeyFacts) -> int:
        """Those of models that a key may call."""
        if key.restrictions is None and not key.model_patterns:
            found = self.all
        else:
            kept = self.by_key.get(key.id)
            if kept is None or kept[0] is not key:
                if len(self.by_key) >= _MOST_KEYS:
                    self.by_key.clear()
                kept = self.by_key[key.id] = key, self._callable_by(key)
            found = kept[1]
        return found & ~self.deprecated if key.lifecycle_policy == LifecyclePolicy.BLOCK else found

    def _callable_by(self, key: KeyFacts) -> int:
        models = {row.model.id: row.model for row in self.rows}
        known = {id_ for id_, model in models.items() if key.may_call(id_, model.aliases)}
        return _those(self.rows, lambda row: row.model.id in known)

    def _taking(self, name: str) -> int:
        found = self.declaring.get(name)
        if found is None:
            found = self.declaring[name] = _those(self.rows, lambda row: _may_take(row, name))
        return found

    def in_order(self, able: int, effort: str) -> Iterator[Standing]:
        """The healthy before the sick, and of either the levels of reasoning as the effort has them."""
        bits, rows = able.to_bytes(len(self.rows) // 8 + 1, "little"), self.rows
        levels = sorted(range(len(_LEVELS)), key=lambda number: TIERS[effort][_LEVELS[number]])
        for number in [*levels, *(len(_LEVELS) + each for each in levels)]:
            for index in self.order[number]:
                if bits[index >> 3] >> (index & 7) & 1:
                    yield rows[index]

    def learn_order(self, context: RoutingContext) -> None:
        """As it is now, unless it is known from within the last second."""
        if 0.0 <= (context.at - self.ordered_at).total_seconds() < _KEPT_S:
            return
        health_of, headroom_of = context.health_of, context.headroom_of
        order: list[list[tuple[Nearness, int]]] = [[] for _ in range(2 * len(_LEVELS))]
        for index, row in enumerate(self.rows):
            health, place = health_of(row.offering.id), self.unmeasured[index]
            headroom = headroom_of(row.offering) if headroom_of else 1.0
            if health.success_rate < 1.0 or health.latency_ms is not None or headroom < 1.0:
                place = nearness(row.candidate, health, headroom, usual_cost_usd(row.candidate.tariff))
            level = _LEVELS.index(row.model.reasoning_tier or None)
            is_last = is_sick(row.provider, health)
            order[level + is_last * len(_LEVELS)].append((place, index))
        self.order = [[index for _, index in sorted(entries)] for entries in order]
        self.ordered_at = context.at


def is_ready(endpoint: str, context: RoutingContext) -> bool:
    """Whether the sets are there: making them takes long enough to be done off the loop."""
    return _kept_field(endpoint, context.snapshot, context.at) is not None


def pick(
    choice: ResolvedModel, rank: int, ordering: Ordering, dropped: list[Dropped]
) -> tuple[list[Candidate], int]:
    """The best that can do the request, at most MOST, and how many there may be in all.

    `dropped` grows by those that were looked at in vain.
    """
    request, context = ordering.request, ordering.context
    found = field_of(request.required.endpoint, context)
    able = found.able(choice, request, context.key)
    best: list[Candidate] = []
    losing: list[Candidate] = []
    looked_at = 0
    for row in _in_order(found, able, choice, ordering):
        candidate = replace(row.candidate, rank=rank)
        looked_at += 1
        if reason := reason_against(row, choice, request, ordering.preferences, context):
            dropped.append(Dropped(candidate, reason))
        elif _is_weighed(request) and not weigh(candidate, request.required, context, dropped):
            continue
        else:
            (losing if candidate.loss else best).append(candidate)
            is_enough = looked_at >= MOST_WEIGHED and len(best) + len(losing) >= MOST
            if len(best) == MOST or is_enough:
                break
    losing.sort(key=lambda candidate: candidate.loss)
    return [*best, *losing][:MOST], able.bit_count()


def _in_order(found: Field, able: int, choice: ResolvedModel, ordering: Ordering) -> Iterable[Standing]:
    """By what the client wishes, if it does; the offering that keeps the beginning of its prompt before all others."""
    found.learn_order(ordering.context)
    rows = found.in_order(able, ordering.request.reasoning_effort)
    if ordering.sort_of(choice):
        return sorted(rows, key=lambda row: _place_by_wish(row, choice, ordering))
    number = found.numbers.get(ordering.kept_at) if ordering.kept_at is not None else None
    if number is None or not able >> number & 1:
        return rows
    keeper = found.rows[number]
    return chain([keeper], (row for row in rows if row is not keeper))


def _place_by_wish(row: Standing, choice: ResolvedModel, ordering: Ordering) -> tuple[bool, float]:
    health = ordering.context.health_of(row.offering.id)
    return is_sick(row.provider, health), ordering.wish_for(row.candidate, choice, health)


def _is_weighed(request: RouteRequest) -> bool:
    required = request.required
    return required.call is not None and operation_of(required.endpoint).may_lose(required)


def field_of(endpoint: str, context: RoutingContext) -> Field:
    kept = _kept_field(endpoint, context.snapshot, context.at)
    if kept is None:
        kept = context.snapshot.prepared[Field, endpoint] = _make_field(
            endpoint, context.snapshot, context.at
        )
    return kept


def _kept_field(endpoint: str, snapshot: Snapshot, at: datetime) -> Field | None:
    kept: Field | None = snapshot.prepared.get((Field, endpoint))
    return kept if kept is not None and kept.since <= at < kept.until else None


def _make_field(endpoint: str, snapshot: Snapshot, at: datetime) -> Field:
    rows = tuple(_serving(endpoint, snapshot, at))
    windows = sorted({row.window for row in rows if row.window})
    kinds = {kind for row in rows for kind in row.model.input_types}
    slugs = {row.slug for row in rows}
    return Field(
        rows,
        snapshot.last_boundary(at) or NEVER,
        snapshot.next_boundary(at) or EVER,
        all=(1 << len(rows)) - 1,
        streaming=_those(rows, lambda row: row.offering.streams),
        deprecated=_those(rows, lambda row: row.model.status(at) is Status.DEPRECATED),
        free=_those(rows, lambda row: row.candidate.tariff is not None and row.candidate.tariff.is_free),
        by_slug={slug: _those(rows, lambda row, slug=slug: row.slug == slug) for slug in slugs},
        by_level={
            level: _those(rows, lambda row, least=least: _level_of(row) >= least)
            for least, level in enumerate(LEVELS)
        },
        reading={
            kind: _those(
                rows, lambda row, kind=kind: not row.model.input_types or kind in row.model.input_types
            )
            for kind in kinds
        },
        of_unknown_input=_those(rows, lambda row: not row.model.input_types),
        windows=windows,
        larger=[_those(rows, lambda row, size=size: not row.window or row.window > size) for size in windows],
        numbers={row.offering.id: number for number, row in enumerate(rows)},
        unmeasured=[
            nearness(row.candidate, _UNKNOWN, 1.0, usual_cost_usd(row.candidate.tariff)) for row in rows
        ],
    )


def _serving(endpoint: str, snapshot: Snapshot, at: datetime) -> Iterator[Standing]:
    """What no credential opens may be opened by one of a team's."""
    hidden = frozenset({""}) if not snapshot.credentials else frozenset({"", CREDENTIAL_MISSING})
    for model in snapshot.models.values():
        if not model.members and model.is_listed(at):
            rows = standings_of(model, endpoint, snapshot, at).rows
            yield from (row for row in rows if row.reason in hidden)


def _those(rows: Iterable[Standing], belongs: Callable[[Standing], bool]) -> int:
    """The set of those."""
    bits = bytearray()
    for index, row in enumerate(rows):
        if not index & 7:
            bits.append(0)
        bits[-1] |= belongs(row) << (index & 7)
    return int.from_bytes(bits, "little")


def _may_take(row: Standing, name: str) -> bool:
    params = row.offering.params
    return not params or row.provider is None or declares(params, row.provider.quirks, name, is_strict=False)


def _level_of(row: Standing) -> int:
    tier = row.model.reasoning_tier
    return LEVELS.index(tier) if tier in LEVELS else -1
