"""How calls were routed is written down once for all that were routed alike."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from accounts.models import RoutingNote, RoutingPlan, TranslationNote
from catalogue.facts import ModelFacts, OfferingFacts
from gateway.plane.notes import NoteWriter, content_of
from gateway.plane.recorder import Recorder
from gateway.plane.spool import Spool
from gateway.proxy.notes import PlanNotes
from gateway.proxy.routing.plan import RoutePlan
from gateway.proxy.routing.ways import Candidate, Dropped
from providers.facts import CredentialFacts
from providers.health import HealthStatus
from tests.gateway.spooling import attempt, record_call

pytestmark = pytest.mark.django_db
MODEL = ModelFacts("acme/one", "One")


def candidate(id: int, **facts: Any) -> Candidate:  # noqa: A002  # the field's name
    given = {"provider_slug": f"p{id}", "endpoints": frozenset(), "params": frozenset()} | facts
    offering = OfferingFacts(id=id, provider_id=id, upstream_name="one", **given)
    return Candidate(MODEL, offering, id)


def plan(*order: int, dropped: tuple[tuple[int, str], ...] = ()) -> RoutePlan:
    return RoutePlan(
        MODEL,
        tuple(candidate(id_, position=id_) for id_ in order),
        tuple(Dropped(candidate(id_), reason) for id_, reason in dropped),
    )


@pytest.fixture
def plans() -> Iterator[PlanNotes]:
    return PlanNotes()


def test_a_plan_names_the_further_credential_of_each() -> None:
    further = CredentialFacts(7, team_id=0, label="extra", place="before", secret="s3cret")
    broken = Dropped(candidate(3).by(further), "breaker_open")
    told = content_of(RoutePlan(MODEL, (candidate(1), candidate(2).by(further)), (broken,)))
    assert told["credentials"] == {"order": [0, 7], "dropped": {"breaker_open": [7]}}
    assert "credentials" not in content_of(plan(1, 2, dropped=((3, "breaker_open"),)))


def test_calls_that_were_routed_alike_share_one_plan(plans: PlanNotes) -> None:
    ids = [uuid4().hex for _ in range(3)]
    writer = NoteWriter(plans)
    for id_ in ids[:2]:
        plans.take((id_, plan(1, 2, dropped=((3, "breaker_open"),)), 0.0))
    assert writer.write() == 2
    plans.take((ids[2], plan(1, 2, dropped=((3, "breaker_open"),)), 0.0))
    plans.take((uuid4().hex, plan(2, 1), 0.0))
    assert writer.write() == 2
    assert (RoutingPlan.objects.count(), RoutingNote.objects.count()) == (2, 4)
    assert len(set(RoutingNote.objects.filter(pk__in=map(UUID, ids)).values_list("plan_id", flat=True))) == 1
    kept = json.loads(RoutingPlan.objects.get(pk=RoutingNote.objects.get(pk=UUID(ids[0])).plan_id).content)
    assert kept["order"][0] == ["acme/one", "p1", "one", 0, "nothing", 1, 0]
    assert kept["dropped"] == {"breaker_open": [["acme/one", "p3", "one"]]}


def test_what_differs_from_call_to_call_is_kept_with_the_call(plans: PlanNotes) -> None:
    ids = [uuid4().hex, uuid4().hex]
    for id_, rate, waited_s in zip(ids, (0.99, 0.51), (0.25, 0.0), strict=True):
        given = plan(1, 2)
        given.draw, given.kept_at = 0.25, 2
        given.candidates[0].health = HealthStatus(is_open=False, success_rate=rate, latency_ms=12.4)
        plans.take((id_, given, waited_s))
    NoteWriter(plans).write()
    assert RoutingPlan.objects.count() == 1
    kept = [json.loads(RoutingNote.objects.get(pk=UUID(id_)).scores) for id_ in ids]
    assert kept == [
        {"draw": 0.25, "order": [[0.99, 12], None], "kept_at": 1, "waited_ms": 250.0},
        {"draw": 0.25, "order": [[0.51, 12], None], "kept_at": 1},
    ]


def test_other_processes_plan_and_one_that_is_told_twice_are_no_second_row(plans: PlanNotes) -> None:
    id_ = uuid4().hex
    for writer in (NoteWriter(plans), NoteWriter(plans)):
        plans.take((id_, plan(1, 2), 0.0))
        writer.write()
    assert (RoutingPlan.objects.count(), RoutingNote.objects.count()) == (1, 1)


def test_call_that_is_told_again_has_waited_meanwhile(plans: PlanNotes) -> None:
    id_, routed = uuid4().hex, plan(1, 2)
    for waited_s in (0.0, 0.5):
        plans.take((id_, routed, waited_s))
    NoteWriter(plans).write()
    assert json.loads(RoutingNote.objects.get().scores)["waited_ms"] == 500.0


def test_long_plan_is_cut_and_says_by_how_much() -> None:
    cut = content_of(plan(*range(1, 31), dropped=tuple((id_, "unpriced") for id_ in range(100, 200))))
    assert (len(cut["order"]), len(cut["dropped"]["unpriced"]), cut["more"]) == (20, 60, [10, 40])


def test_nothing_is_written_where_nothing_is_kept_and_only_the_latest_wait(plans: PlanNotes) -> None:
    for _ in range(10_001):
        plans.take((uuid4().hex, plan(1, 2), 0.0))
    assert NoteWriter(plans, is_kept=False).write() == 10_000
    assert not RoutingNote.objects.exists()


def test_what_was_said_in_other_words_is_kept_of_attempts_that_say_it(plans: PlanNotes) -> None:
    writer = NoteWriter(plans)
    told, silent = attempt(end={"translated": ["seed -> left out"]}), attempt()
    writer.hear([told, silent, attempt(end={"translated": []})])
    assert writer.write() == 1
    note = TranslationNote.objects.get()
    assert (note.pk.hex, json.loads(note.content)) == (told.opened.attempt_id, ["seed -> left out"])


def test_recorder_hears_of_what_it_carried_over(plans: PlanNotes, tmp_path: Any) -> None:
    spool, writer = Spool(tmp_path), NoteWriter(plans)
    recorder = Recorder(spool, notes=writer)
    record_call(spool, end={"translated": ["n -> left out"], "cost_usd": str(Decimal(0))})
    recorder.drain()
    assert writer.write() == 1
    spool.close()
