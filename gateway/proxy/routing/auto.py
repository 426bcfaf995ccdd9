"""Any model that can do a request, found among thousands of offerings in few steps. Pure.

What does not depend on the request is worked out once for a snapshot, as sets of offerings: whole numbers, of which the
bit n stands for the offering n. What is in all the sets that a request needs is looked at one by one, the best first,
by the same filters as the offerings of a model that is named: the sets only spare those that would fall out there. The
order is as it was at most a second ago; what is found is put in order anew, by what is known now.
"""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from operator import itemgetter
from typing import TypeVar

from accounts.floors import Floor
from accounts.keys import KeyFacts
from accounts.policies import LifecyclePolicy
from catalogue.lifecycle.status import Status
from catalogue.published.snapshot import Snapshot
from gateway.proxy.routing.filters import reason_against, weigh
from gateway.proxy.routing.names import PRICE
from gateway.proxy.routing.ordering import TIERS, Nearness, Ordering, is_sick, nearness, usual_cost_usd
from gateway.proxy.routing.preferences import NO_PREFERENCES, ProviderPreferences
from gateway.proxy.routing.prospects import CREDENTIAL_MISSING, EVER, NEVER, Prospect, prospects_of
from gateway.proxy.routing.request import LEVELS, RouteRequest
from gateway.proxy.routing.resolve import ResolvedModel, RoutingContext
from gateway.proxy.routing.ways import Candidate, Dropped
from providers.facts import Way
from providers.health import HealthStatus
from providers.operations.parameters import declares
from providers.operations.registry import operation_of

MOST = 24
"""Candidates that a plan has for it: no call comes so far down."""
MOST_WEIGHED = 96
"""Offerings that are looked at for one that loses nothing, where there are enough that lose something."""
_KEPT_S = 1.0
_MOST_KEYS, _MOST_FLOORS = 10_000, 256
_NO_FLOOR = Floor()
_LEVELS: tuple[str | None, ...] = (*LEVELS, None)
_Word = TypeVar("_Word", bound=Hashable)
_Kept = TypeVar("_Kept")
_UNKNOWN = HealthStatus(is_open=False, success_rate=1.0, latency_ms=None)


@dataclass(slots=True)
class Field:
    """All offerings that serve an endpoint from `since` until before `until`, by what the static facts say of them."""

    rows: tuple[Prospect, ...]
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
    unmeasured: list[tuple[int, int, Way, Nearness]]
    """The number of each, of its list in `order`, its way and its place there while nobody has measured it; the best
    first, so that little is left to sort.
    """
    declaring: dict[str, int] = field(default_factory=dict)
    """By a parameter: those that declare it, or nothing at all. Filled as requests ask."""
    by_key: dict[int, tuple[KeyFacts, int]] = field(default_factory=dict)
    by_floor: dict[Floor, int] = field(default_factory=dict)
    """By what calls keep to or wish, those that do; likewise."""
    order: list[list[int]] = field(default_factory=list)
    """Offerings, the best first: a list for the healthy of each of _LEVELS, then for the sick of each."""
    ordered_at: datetime = NEVER

    def able(
        self, choice: ResolvedModel, request: RouteRequest, wishes: ProviderPreferences, key: KeyFacts
    ) -> int:
        """Those that the static facts do not rule out; `wishes` as the key narrows them."""
        required = request.required
        found = self._open_to(key) if wishes is NO_PREFERENCES else self._open_to(key) & self._wished(wishes)
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
                _make_room(self.by_key, _MOST_KEYS)
                kept = self.by_key[key.id] = key, self._callable_by(key)
            found = kept[1]
        return found & ~self.deprecated if key.lifecycle_policy == LifecyclePolicy.BLOCK else found

    def _callable_by(self, key: KeyFacts) -> int:
        models = {row.model.id: row.model for row in self.rows}
        known = {id_ for id_, model in models.items() if key.may_call(id_, model.aliases)}
        return _those(self.rows, lambda row: row.model.id in known)

    def _wished(self, wishes: ProviderPreferences) -> int:
        """Those that are among the providers that are wished, and handle calls as is wished and kept to."""
        found = self.all
        if wishes.only is not None:
            found = 0
            for slug in wishes.only:
                found |= self.by_slug.get(slug, 0)
        for slug in wishes.ignore:
            found &= ~self.by_slug.get(slug, 0)
        regions = (wishes.regions,) if wishes.regions else ()
        asked = Floor(regions, wishes.zero_retention, wishes.no_data_collection, wishes.quantizations or None)
        for floor in (asked, wishes.floor):
            if floor is not None and floor != _NO_FLOOR:
                found &= self._keeping_to(floor)
        return found

    def _keeping_to(self, floor: Floor) -> int:
        found = self.by_floor.get(floor)
        if found is None:
            _make_room(self.by_floor, _MOST_FLOORS)
            found = self.by_floor[floor] = _those(
                self.rows, lambda row: not floor.reason_against(row.offering)
            )
        return found

    def _taking(self, name: str) -> int:
        found = self.declaring.get(name)
        if found is None:
            found = self.declaring[name] = _those(self.rows, lambda row: _may_take(row, name))
        return found

    def in_order(self, able: int, effort: str, *, sick: bool) -> Iterator[Prospect]:
        """The healthy or the sick of them, by the levels of reasoning as the effort has them."""
        bits, rows = able.to_bytes(len(self.rows) // 8 + 1, "little"), self.rows
        for level in sorted(range(len(_LEVELS)), key=lambda number: TIERS[effort][_LEVELS[number]]):
            for index in self.order[sick * len(_LEVELS) + level]:
                if bits[index >> 3] >> (index & 7) & 1:
                    yield rows[index]

    def learn_order(self, context: RoutingContext) -> None:
        """As it is now, unless it is known from within the last second."""
        if 0.0 <= (context.at - self.ordered_at).total_seconds() < _KEPT_S:
            return
        health_of, headroom_of = context.health_of, context.headroom_of
        order: list[list[tuple[Nearness, int]]] = [[] for _ in range(2 * len(_LEVELS))]
        for index, unmeasured_in, way, unmeasured_at in self.unmeasured:
            health, number, place = health_of(way), unmeasured_in, unmeasured_at
            if health.latency_ms is not None or health.success_rate < 1.0 or headroom_of is not None:
                row = self.rows[index]
                headroom = headroom_of(row.offering) if headroom_of else 1.0
                place = nearness(row.candidate, health, headroom, usual_cost_usd(row.candidate.tariff))
                if is_sick(row.provider, health):
                    number = len(_LEVELS) + number % len(_LEVELS)
            order[number].append((place, index))
        self.order = [[index for _, index in sorted(entries)] for entries in order]
        self.ordered_at = context.at


def is_ready(endpoint: str, context: RoutingContext) -> bool:
    """Whether the sets are there: making them takes long enough to be done off the loop."""
    return _kept_field(endpoint, context.snapshot, context.at) is not None


def pick(
    choice: ResolvedModel, rank: int, ordering: Ordering, dropped: list[Dropped]
) -> tuple[list[Candidate], int]:
    """The best that can do the request, at most MOST, and how many more there may be.

    `dropped` grows by those that were looked at in vain.
    """
    request, context = ordering.request, ordering.context
    found = field_of(request.required.endpoint, context)
    wishes = ordering.preferences
    # Where credentials lead elsewhere than their offerings, regions are asked for one by one.
    wishes = wishes.beyond_regions() if context.places is not None else wishes
    able = found.able(choice, request, wishes, context.key)
    best: list[Candidate] = []
    losing: list[Candidate] = []
    full: list[Candidate] = []
    headroom_of = context.headroom_of
    looked_at, is_weighed = 0, _is_weighed(request)
    for row in _in_order(found, able, choice, ordering):
        health = context.health_of(row.offering.id)
        candidate = row.candidate.of_call(rank, health)
        looked_at += 1
        if reason := reason_against(row, choice, request, ordering.preferences, context, health):
            dropped.append(Dropped(candidate, reason))
        elif headroom_of is not None and not headroom_of(row.offering):
            full.append(candidate)
        elif is_weighed and not weigh(candidate, request.required, context, dropped):
            continue
        else:
            (losing if candidate.loss else best).append(candidate)
            is_enough = looked_at >= MOST_WEIGHED and len(best) + len(losing) >= MOST
            if len(best) == MOST or is_enough:
                break
    losing.sort(key=lambda candidate: candidate.loss)
    fit = [*best, *losing, *full]
    return fit[:MOST], able.bit_count() - looked_at + len(fit[MOST:])


def _in_order(found: Field, able: int, choice: ResolvedModel, ordering: Ordering) -> Iterable[Prospect]:
    """By what the client wishes, if it does; the offering that keeps the beginning of its prompt before all others."""
    found.learn_order(ordering.context)
    effort = ordering.request.reasoning_effort
    healthy, sick = (found.in_order(able, effort, sick=is_sick) for is_sick in (False, True))
    if sort := ordering.sort_of(choice):
        wish = _cost_of(ordering) if sort == PRICE else _speed_of(ordering, choice)
        return chain(sorted(healthy, key=wish), sorted(sick, key=wish))
    number = found.numbers.get(ordering.kept_at) if ordering.kept_at is not None else None
    if number is None or not able >> number & 1:
        return chain(healthy, sick)
    keeper = found.rows[number]
    return chain([keeper], (row for row in chain(healthy, sick) if row is not keeper))


def _cost_of(ordering: Ordering) -> Callable[[Prospect], float]:
    """What the call would cost: here without a look at health, which does not change it."""
    return lambda row: ordering.cost_usd(
        row.candidate.tariff, is_cached=row.candidate.way == ordering.kept_at
    )


def _speed_of(ordering: Ordering, choice: ResolvedModel) -> Callable[[Prospect], float]:
    health_of = ordering.context.health_of
    return lambda row: ordering.wish_for(row.candidate, choice, health_of(row.candidate.way))


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
    of_unknown_input = _those(rows, lambda row: not row.model.input_types)
    reading = _by_words(rows, lambda row: row.model.input_types)
    windows = _by_words(rows, lambda row: (row.window,))
    return Field(
        rows,
        snapshot.last_boundary(at) or NEVER,
        snapshot.next_boundary(at) or EVER,
        all=(1 << len(rows)) - 1,
        streaming=_those(rows, lambda row: row.offering.streams),
        deprecated=_those(rows, lambda row: row.model.status(at) is Status.DEPRECATED),
        free=_those(rows, lambda row: row.candidate.tariff is not None and row.candidate.tariff.is_free),
        by_slug=_by_words(rows, lambda row: (row.slug,)),
        by_level=dict.fromkeys(LEVELS, 0) | _by_words(rows, _levels_of),
        reading={kind: found | of_unknown_input for kind, found in reading.items()},
        of_unknown_input=of_unknown_input,
        windows=sorted(windows.keys() - {0}),
        larger=_larger(windows),
        numbers={row.offering.id: number for number, row in enumerate(rows)},
        unmeasured=sorted((_unmeasured(number, row) for number, row in enumerate(rows)), key=itemgetter(3)),
    )


def _unmeasured(number: int, row: Prospect) -> tuple[int, int, Way, Nearness]:
    level = _LEVELS.index(row.model.reasoning_tier if row.model.reasoning_tier in LEVELS else None)
    place = nearness(row.candidate, _UNKNOWN, 1.0, usual_cost_usd(row.candidate.tariff))
    return number, level + is_sick(row.provider, _UNKNOWN) * len(_LEVELS), row.offering.id, place


def _larger(windows: Mapping[int, int]) -> list[int]:
    """For each size but 0, which is unknown, those whose windows are larger or unknown."""
    found, so_far = [], windows.get(0, 0)
    for size in sorted(windows.keys() - {0}, reverse=True):
        found.append(so_far)
        so_far |= windows[size]
    return found[::-1]


def _make_room(kept: dict[_Word, _Kept], most: int) -> None:
    if len(kept) >= most:
        kept.clear()


def _serving(endpoint: str, snapshot: Snapshot, at: datetime) -> Iterator[Prospect]:
    """What no credential opens may be opened by one of a team's: only where some team has one."""
    opened = {provider_id for there in snapshot.credentials.values() for provider_id in there}
    for model in snapshot.models.values():
        if not model.members and model.is_listed(at):
            rows = prospects_of(model, endpoint, snapshot, at).rows
            for row in rows:
                if not row.reason or (
                    row.reason == CREDENTIAL_MISSING and row.offering.provider_id in opened
                ):
                    yield row


def _those(rows: Iterable[Prospect], belongs: Callable[[Prospect], bool]) -> int:
    """The set of those."""
    return _by_words(rows, lambda row: (True,) if belongs(row) else ()).get(True, 0)


def _by_words(rows: Iterable[Prospect], words_of: Callable[[Prospect], Iterable[_Word]]) -> dict[_Word, int]:
    """By each word, the set of those that have it."""
    rows = list(rows)
    bits: dict[_Word, bytearray] = {}
    for index, row in enumerate(rows):
        for word in words_of(row):
            if word not in bits:
                bits[word] = bytearray(len(rows) // 8 + 1)
            bits[word][index >> 3] |= 1 << (index & 7)
    return {word: int.from_bytes(each, "little") for word, each in bits.items()}


def _may_take(row: Prospect, name: str) -> bool:
    params = row.offering.params
    return not params or row.provider is None or declares(params, row.provider.quirks, name, is_strict=False)


def _levels_of(row: Prospect) -> tuple[str, ...]:
    """That of its model, and those below."""
    tier = row.model.reasoning_tier
    return LEVELS[: LEVELS.index(tier) + 1] if tier in LEVELS else ()
