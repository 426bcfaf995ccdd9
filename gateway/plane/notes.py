"""Writing down how calls were routed and translated, for their receipts: in bulk, and nothing of it twice.

A plan is the same for most calls of a model, so it is kept once, by its digest, and each call's row names it. It is
no billing record: what a process that is killed has not written yet is lost.
"""

from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction

from accounts.attempts import AttemptRecord
from gateway.proxy.notes import PlanNote, PlanNotes
from gateway.proxy.routing.plan import RoutePlan
from gateway.proxy.routing.ways import Candidate

_BATCH = 500
_PLANS_KNOWN = 5_000
_MOST_TRANSLATIONS = 10_000
_ORDER_SHOWN, _DROPPED_SHOWN = 20, 60
_PLAN = (
    "INSERT INTO accounts_routingplan (id, content, used_at) VALUES (%s, %s, %s)"
    " ON CONFLICT (id) DO UPDATE SET used_at = excluded.used_at"
)
_NOTE = (
    "INSERT INTO accounts_routingnote (call_id, plan_id, scores, noted_at) VALUES (%s, %s, %s, %s)"
    # Of a call that waited while it was made, its process tells twice.
    " ON CONFLICT (call_id) DO UPDATE SET scores = excluded.scores"
)
_TRANSLATION = (
    "INSERT INTO accounts_translationnote (attempt_id, content, noted_at) VALUES (%s, %s, %s)"
    " ON CONFLICT DO NOTHING"
)


class NoteWriter:
    """Of one process; called by its recorder's thread alone."""

    def __init__(self, plans: PlanNotes, *, is_kept: bool = True) -> None:
        self._plans = plans
        self._is_kept = is_kept
        self._translations: deque[tuple[str, Sequence[str]]] = deque(maxlen=_MOST_TRANSLATIONS)
        self._known: dict[Hashable, UUID] = {}
        self._day = ""

    def hear(self, attempts: Iterable[AttemptRecord]) -> None:
        """Of attempts that are in the ledger: what was said in other words."""
        for attempt in attempts:
            if attempt.closed and attempt.closed.translated:
                self._translations.append((attempt.opened.attempt_id, attempt.closed.translated))

    def write(self) -> int:
        """All that waits; the number of it. What SQL refuses is not tried again: it is only told for help."""
        total = 0
        while given := self._plans.give(_BATCH):
            total += len(given)
            if self._is_kept:
                self._write_plans(given)
        told = [self._translations.popleft() for _ in range(len(self._translations))]
        if told and self._is_kept:
            now = _stamp()
            rows = [(_key(attempt), orjson.dumps(list(texts)).decode(), now) for attempt, texts in told]
            with transaction.atomic():
                _write(_TRANSLATION, rows)
        return total + len(told)

    def _write_plans(self, given: Sequence[PlanNote]) -> None:
        now, day = _stamp(), f"{datetime.now(UTC):%Y-%m-%d}"
        if day != self._day or len(self._known) > _PLANS_KNOWN:
            # Once a day each is written again, so that it is known to be in use.
            self._known, self._day = {}, day
        new: dict[Hashable, tuple[UUID, str]] = {}
        rows = []
        for call_id, plan, waited_s in given:
            mark = _mark(plan)
            id_ = self._known.get(mark) or (new[mark][0] if mark in new else None)
            if id_ is None:
                content = orjson.dumps(content_of(plan))
                id_ = UUID(bytes=blake2b(content, digest_size=16).digest())
                new[mark] = id_, content.decode()
            rows.append((_key(call_id), _key(id_.hex), orjson.dumps(scores_of(plan, waited_s)).decode(), now))
        # In the order of their keys, so that two processes never wait for each other in a ring.
        plans = sorted(dict(new.values()).items())
        with transaction.atomic():
            _write(_PLAN, [(_key(id_.hex), content, now) for id_, content in plans])
            _write(_NOTE, rows)
        self._known |= {mark: id_ for mark, (id_, _) in new.items()}


def content_of(plan: RoutePlan) -> Mapping[str, Any]:
    """As it is kept.

    `order`: model, provider, name there, turn, loss, curator's position and rank of each, the best first. `dropped`: by
    reason, model, provider and name there. `more`: how many of each are not told. `choices`: what was named, and the
    model that it meant; null: any. `passed_over`: what was named and could not be called, with the reason.
    `credentials`, where a further one could have opened somebody: its id for each of the order and, by reason, of those
    that were dropped; 0: the provider's main one.
    """
    dropped: dict[str, list[Sequence[str]]] = {}
    dropped_by: dict[str, list[int]] = {}
    for drop in plan.dropped[:_DROPPED_SHOWN]:
        dropped.setdefault(drop.reason, []).append(_place(drop.candidate))
        dropped_by.setdefault(drop.reason, []).append(_credential_of(drop.candidate))
    order_by = [_credential_of(each) for each in plan.candidates[:_ORDER_SHOWN]]
    is_by_further = any(order_by) or any(map(any, dropped_by.values()))
    more = [
        max(0, len(plan.candidates) - _ORDER_SHOWN) + plan.more,
        max(0, len(plan.dropped) - _DROPPED_SHOWN),
    ]
    return {
        "order": [
            [*_place(each), each.turn, each.loss.name.lower(), each.offering.position, each.rank]
            for each in plan.candidates[:_ORDER_SHOWN]
        ],
        "dropped": dropped,
        "more": more,
        "choices": _choices(plan),
        "passed_over": _passed_over(plan),
        **({"credentials": {"order": order_by, "dropped": dropped_by}} if is_by_further else {}),
    }


def scores_of(plan: RoutePlan, waited_s: float = 0.0) -> Mapping[str, Any]:
    """What differs from call to call: the draw, the success rate (0 to 1) and latency (ms) of each of the order as far
    as they were known, and the place of the one that held the prompt's beginning; null where none did. `waited_ms`
    where the call waited before its first attempt.
    """
    order = plan.candidates[:_ORDER_SHOWN]
    return {
        "draw": round(plan.draw, 6),
        "order": [
            [round(each.health.success_rate, 3), each.health.latency_ms and round(each.health.latency_ms)]
            if each.health
            else None
            for each in order
        ],
        "kept_at": next((place for place, each in enumerate(order) if each.way == plan.kept_at), None),
        **({"waited_ms": round(waited_s * 1000, 1)} if waited_s else {}),
    }


def _choices(plan: RoutePlan) -> list[tuple[str, str | None]]:
    return [(choice.name, choice.model.id if choice.model else None) for choice in plan.choices]


def _passed_over(plan: RoutePlan) -> list[tuple[str, str]]:
    return [(each.name, each.refusal.error_code) for each in plan.passed_over]


def _place(candidate: Candidate) -> Sequence[str]:
    offering = candidate.offering
    return candidate.model.id, offering.provider_slug, offering.upstream_name


def _credential_of(candidate: Candidate) -> int:
    return candidate.credential.id if candidate.credential else 0


def _mark(plan: RoutePlan) -> Hashable:
    """The same for plans that read alike."""
    order = tuple(
        (_place(each), each.way, each.turn, each.loss, each.offering.position, each.rank)
        for each in plan.candidates[:_ORDER_SHOWN]
    )
    dropped = tuple(
        (_place(drop.candidate), drop.candidate.way, drop.reason) for drop in plan.dropped[:_DROPPED_SHOWN]
    )
    named = tuple(_choices(plan)), tuple(_passed_over(plan))
    return len(plan.candidates) + plan.more, len(plan.dropped), order, dropped, named


def _write(statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)


def _key(hex_id: str) -> Any:
    return hex_id if connection.vendor == "sqlite" else UUID(hex_id)


def _stamp() -> Any:
    return connection.ops.adapt_datetimefield_value(datetime.now(UTC))
