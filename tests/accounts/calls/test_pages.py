"""The log page by page: nothing is lost, nothing comes twice, and no page looks at more than it may."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.calls import far, pages
from accounts.calls.pages import Page, read_page
from accounts.calls.places import BACK, ON, place_of, read_place
from accounts.calls.question import read_question
from accounts.models import Key, LedgerEntry, UsageBackfill
from accounts.recording import count_entries
from gateway.core.refusals import InvalidField
from tests.make import make_entry, make_key, make_team

pytestmark = pytest.mark.django_db
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
EVE = "e" * 32
MODELS, PROVIDERS, OUTCOMES = (
    ("acme/one", "acme/two", "acme/rare"),
    ("fast", "slow"),
    ("finished", "failed", "cut"),
)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages, and what they look at, so small that few rows are many."""
    for name, most in {"PAGE": 3, "LOOK": 4, "LOOK_FURTHER": 7, "ROUNDS": 1, "_SPANS_MOST": 2}.items():
        monkeypatch.setattr(pages, name, most)
    for name, most in {"_DEAR_DAYS": 5, "_DEAR_MOST": 3}.items():
        monkeypatch.setattr(far, name, most)


def make_calls(key: Key, random_: random.Random, number: int) -> None:
    """Some of them at one instant, some failed over, some far from all others."""
    at, made = AT, []
    for _ in range(number):
        at -= random_.choice([timedelta(0), timedelta(seconds=1), timedelta(minutes=9), timedelta(days=1.3)])
        call: dict[str, Any] = {
            "call_id": uuid4(),
            "request_id": f"req_{uuid4().hex}",
            "model": random_.choices(MODELS, [9, 4, 1])[0],
            "provider": random_.choice(PROVIDERS),
            "status": random_.choice([200, 429, 503]),
            "is_streamed": random_.random() < 0.5,
            "latency_ms": random_.randrange(1000),
            "project": random_.choice(["", "blue"]),
            "lineage_id": key.pk,
            "cost_usd": Decimal(random_.choices(["0.01", "0.2", "3"], [20, 4, 1])[0]),
            "end_user": random_.choices([None, EVE], [6, 1])[0],
            "own_credential_id": random_.choices([None, 5], [6, 1])[0],
            "error_code": random_.choices(["", "timeout"], [9, 1])[0],
        }
        outcome = random_.choices(OUTCOMES, [8, 2, 1])[0]
        ways_over = random_.choice([0, 0, 0, 1, 2])
        made += [
            make_entry(key, "failed_over", **call, number=place + 1, started_at=at)
            for place in range(ways_over)
        ]
        made.append(make_entry(key, outcome, **call, number=ways_over + 1, started_at=at))
    LedgerEntry.objects.filter(pk__in=[entry.pk for entry in made]).update(lineage_id=None)
    rows = list(LedgerEntry.objects.filter(lineage_id__isnull=True))
    count_entries(rows)
    LedgerEntry.objects.bulk_update(rows, ["lineage_id"])


def plain(key: Key, **conditions: Any) -> list[UUID]:
    rows = LedgerEntry.objects.filter(team=key.team, **conditions).exclude(outcome="failed_over")
    return [row.pk for row in sorted(rows, key=lambda row: (row.started_at, row.pk), reverse=True)]


def walked(asked: dict[str, str], key: Key) -> Iterator[Page]:
    """From the newest page to the oldest."""
    question = read_question(asked, key.team, at=AT, zone="UTC")
    place = None
    while True:
        page = read_page(question, BACK, place)
        yield page
        if page.older is None:
            return
        place = read_place("before", str(page.older))


def walked_on(asked: dict[str, str], key: Key, first: UUID) -> Iterator[Page]:
    question = read_question(asked, key.team, at=AT, zone="UTC")
    place = place_of(LedgerEntry.objects.get(pk=first))
    while True:
        page = read_page(question, ON, place)
        yield page
        if page.newer is None:
            return
        place = page.newer


def ids(found: Iterator[Page]) -> Sequence[UUID]:
    return [entry.pk for page in found for entry in page.entries]


ASKED: Sequence[tuple[dict[str, str], dict[str, Any]]] = [
    ({}, {}),
    ({"model": "acme/rare"}, {"model": "acme/rare"}),
    ({"model": "acme/rare,acme/two"}, {"model__in": ["acme/rare", "acme/two"]}),
    ({"model": "acme/two", "provider": "slow"}, {"model": "acme/two", "provider": "slow"}),
    ({"outcome": "cut"}, {"outcome": "cut"}),
    ({"status": "5xx,429"}, {"status__in": [503, 429]}),
    ({"status": "503", "model": "acme/rare"}, {"status": 503, "model": "acme/rare"}),
    ({"project": "blue", "streamed": "yes"}, {"project": "blue", "is_streamed": True}),
    ({"failed_over": "yes"}, {"number__gt": 1}),
    ({"min_latency": "900"}, {"latency_ms__gte": 900}),
    ({"min_cost": "3"}, {"cost_usd__gte": 3}),
    ({"min_cost": "0.2", "model": "acme/two"}, {"cost_usd__gte": Decimal("0.2"), "model": "acme/two"}),
    ({"min_cost": "0.2", "status": "5xx"}, {"cost_usd__gte": Decimal("0.2"), "status": 503}),
    ({"min_cost": "50"}, {"cost_usd__gte": 50}),
    ({"end_user": EVE}, {"end_user": EVE}),
    ({"end_user": EVE, "streamed": "no"}, {"end_user": EVE, "is_streamed": False}),
    ({"own": "yes"}, {"own_credential_id": 5}),
    ({"own": "yes", "error": "timeout"}, {"own_credential_id": 5, "error_code": "timeout"}),
    ({"own": "no", "failed_over": "yes"}, {"own_credential_id": None, "number__gt": 1}),
    ({"error": "timeout", "model": "acme/rare"}, {"error_code": "timeout", "model": "acme/rare"}),
    ({"outcome": "finished,cut", "status": "200"}, {"outcome__in": ["finished", "cut"], "status": 200}),
    ({"model": "acme/none"}, {"model": "acme/none"}),
    (
        {"model": "acme/rare", "from": "2026-04-01", "until": "2026-05-20T03:00:00Z"},
        {
            "model": "acme/rare",
            "started_at__gte": datetime(2026, 4, 1, tzinfo=UTC),
            "started_at__lt": datetime(2026, 5, 20, 3, tzinfo=UTC),
        },
    ),
    (
        {"streamed": "no", "until": "2026-05-25"},
        {"is_streamed": False, "started_at__lt": datetime(2026, 5, 25, tzinfo=UTC)},
    ),
]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(2))
def test_filters_and_pages_lose_and_repeat_nothing(seed: int) -> None:
    key, _ = make_key(make_team("atlas"))
    make_entry(make_key(make_team("other"))[0], started_at=AT)
    make_calls(key, random.Random(seed), 36)
    for asked, conditions in ASKED:
        expected = plain(key, **conditions)
        assert ids(walked(asked, key)) == expected, asked
        if expected:
            told = [page.entries for page in walked_on(asked, key, expected[-1])]
            assert [entry.pk for page in reversed(told) for entry in page] == expected[:-1], asked


@pytest.mark.usefixtures("small")
def test_nothing_is_lost_where_usage_is_still_to_be_added_up() -> None:
    key, _ = make_key(make_team("atlas"))
    make_calls(key, random.Random(5), 60)
    UsageBackfill.objects.update_or_create(pk=1, defaults={"before": 2_000_000_000})
    for asked, conditions in ASKED:
        assert ids(walked(asked, key)) == plain(key, **conditions), asked


def make_slow_call_far_away(key: Key) -> None:
    for number in range(30):
        make_entry(key, started_at=AT - timedelta(minutes=number), latency_ms=900 if number == 29 else 10)


@pytest.mark.usefixtures("small")
def test_page_that_found_little_says_how_far_it_looked() -> None:
    key, _ = make_key(make_team("atlas"))
    make_slow_call_far_away(key)
    first, *others = walked({"min_latency": "900"}, key)
    assert (list(first.entries), first.looked_to) == ([], AT - timedelta(minutes=11))
    assert [entry.latency_ms for page in others for entry in page.entries] == [900]
    assert others[-1].looked_to is None


@pytest.mark.usefixtures("small")
def test_page_that_found_little_looks_further_while_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    key, _ = make_key(make_team("atlas"))
    make_slow_call_far_away(key)
    monkeypatch.setattr(pages, "ROUNDS", 2)
    monkeypatch.setattr(pages, "ROUND_S", 60)
    (page,) = walked({"min_latency": "900"}, key)
    assert [entry.latency_ms for entry in page.entries] == [900]


@pytest.mark.usefixtures("small")
def test_what_had_trouble_is_found_at_once_however_far_away_it_is() -> None:
    key, _ = make_key(make_team("atlas"))
    for number in range(30):
        make_entry(key, started_at=AT - timedelta(minutes=number), status=503 if number == 29 else 200)
    (page,) = walked({"status": "503"}, key)
    assert [entry.status for entry in page.entries] == [503]


def test_call_whose_last_attempt_was_to_be_followed_is_there() -> None:
    key, _ = make_key(make_team("atlas"))
    lost = make_entry(key, "failed_over", number=1, started_at=AT)
    (page,) = walked({"outcome": "failed"}, key)
    assert [entry.pk for entry in page.entries] == [lost.pk]


def test_what_corrects_a_call_is_no_row() -> None:
    key, _ = make_key(make_team("atlas"))
    entry = make_entry(key, started_at=AT)
    make_entry(key, started_at=AT, kind="refund", corrects_id=entry.pk, call_id=entry.call_id)
    (page,) = walked({}, key)
    assert [each.pk for each in page.entries] == [entry.pk]


def test_page_takes_few_queries_however_far_it_looks() -> None:
    key, _ = make_key(make_team("atlas"))
    make_calls(key, random.Random(7), 40)
    question = read_question({"model": "acme/rare", "status": "5xx"}, key.team, at=AT, zone="UTC")
    with CaptureQueriesContext(connection) as seen:
        read_page(question)
    assert len(seen) <= 7


@pytest.mark.parametrize("text", ["", "x", "1-2", "١٢-" + "0" * 32, "99999999999999999-" + "0" * 32])
def test_places_that_no_page_names_are_refused(text: str) -> None:
    with pytest.raises(InvalidField, match="before is"):
        read_place("before", text)
