"""Models that nobody calls are asked at a cost: inside a budget, one at a time, and booked on the operator."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from accounts.attempts import AttemptRecord
from accounts.models import LedgerEntry, UsageSeries
from catalogue.billed_probes import SURFACE, TURN, probe_quiet_offerings
from catalogue.models import Offering
from providers import live_health
from providers.facts import Way
from providers.live_health import UNKNOWN, LiveHealth
from providers.models import BilledProbe, Provider
from tests import make
from tests.upstream import ScriptedProvider

pytestmark = pytest.mark.django_db


class Heard:
    """Whoever routes in this process."""

    def __init__(self) -> None:
        self.attempts: list[AttemptRecord] = []

    def read(self, ways: Any) -> LiveHealth:
        return UNKNOWN

    def learn(self, attempt: AttemptRecord) -> None:
        self.attempts.append(attempt)

    @property
    def samples(self) -> list[tuple[Way, str | None]]:
        return [(each.sample.offering_id, each.sample.failure) for each in self.attempts if each.sample]


@pytest.fixture
def heard() -> Any:
    live_health.here.reader = heard = Heard()
    yield heard
    live_health.here.forget()


@pytest.fixture
def upstream() -> Any:
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def offering(upstream: ScriptedProvider, settings: Any) -> Offering:
    settings.PRIVATE_ADDRESSES_ALLOWED = ["127.0.0.1"]
    provider = make.make_provider("acme", base_url=upstream.base_url, probe_budget_usd=Decimal("0.01"))
    offering = make.make_offering(
        make.make_model("acme/one"), provider, upstream_name="scripted-model", endpoints=["chat.completions"]
    )
    for meter in ("input_text_tokens", "output_text_tokens"):
        make.make_price(offering, meter, "10")
    make.publish_all()
    return offering


def probe(at: datetime | None = None) -> int:
    return probe_quiet_offerings(at or datetime.now(UTC))


def test_a_quiet_model_is_asked_for_one_token_and_the_operator_pays(offering, upstream, heard) -> None:
    assert probe() == 1
    (asked,) = upstream.calls
    assert asked.body["max_tokens"] == 1
    assert asked.body["model"] == "scripted-model"
    entry = LedgerEntry.objects.get()
    assert (entry.team_id, entry.key_id, entry.surface, entry.model) == (0, 0, SURFACE, "acme/one")
    assert (entry.outcome, entry.cost_usd, entry.charge_usd) == ("finished", 0, 0)
    tokens = entry.input_tokens + entry.output_tokens
    assert entry.loss_usd == Decimal(tokens) * 10 / 1_000_000 > 0
    assert UsageSeries.objects.get().team_id == 0
    row = BilledProbe.objects.get()
    assert (row.offering, row.is_healthy, row.error) == (offering, True, "")
    assert heard.samples == [(offering.pk, None)]


@pytest.mark.parametrize(
    ("behaviour", "code", "kind"),
    [
        ("500", "provider_unavailable", "unavailable"),
        ("401", "provider_auth_error", "auth"),
        ("400", None, "caller"),
    ],
)
def test_what_a_probe_meets_counts_as_a_call_would(offering, upstream, heard, behaviour, code, kind) -> None:
    upstream.script(behaviour)
    assert probe() == 1
    entry = LedgerEntry.objects.get()
    assert (entry.outcome, entry.loss_usd) == ("failed", 0)
    assert code is None or entry.error_code == code
    assert heard.samples == [(offering.pk, kind)]
    assert BilledProbe.objects.get().is_healthy is False


def test_where_nothing_listens_it_is_told(offering, heard) -> None:
    Provider.objects.update(base_url="http://127.0.0.1:9/v1")
    make.publish_all()
    assert probe() == 1
    assert LedgerEntry.objects.get().error_code == "provider_unreachable"


def test_each_is_asked_once_for_a_turn_whoever_runs_the_round(offering, upstream) -> None:
    now = datetime.now(UTC)
    assert [probe(now), probe(now), probe(now + TURN - timedelta(seconds=1))] == [1, 0, 0]
    LedgerEntry.objects.update(started_at=now - TURN)
    assert probe(now + TURN) == 1


@pytest.mark.parametrize(("ago_s", "asked"), [(0, 0), (299, 0), (301, 1)])
def test_where_calls_tell_nobody_is_asked(offering, upstream, ago_s, asked) -> None:
    now = datetime.now(UTC)
    called(offering, now - timedelta(seconds=ago_s))
    assert probe(now) == asked == len(upstream.calls)


@pytest.mark.parametrize("budget", ["0", "0.00000001"])
def test_without_room_in_the_budget_nothing_is_asked(offering, upstream, budget) -> None:
    Provider.objects.update(probe_budget_usd=Decimal(budget))
    assert (probe(), upstream.calls) == (0, [])


def test_what_was_spent_today_counts_and_yesterday_s_does_not(offering, upstream) -> None:
    now = datetime.now(UTC).replace(hour=12)
    spent = called(
        offering, now - timedelta(hours=11), team_id=0, key_id=0, surface=SURFACE, loss_usd=Decimal("0.01")
    )
    assert probe(now) == 0
    LedgerEntry.objects.filter(pk=spent.pk).update(started_at=now - timedelta(hours=13))
    assert probe(now) == 1


def test_one_round_stays_inside_the_budget_of_all(offering, upstream) -> None:
    for number in range(5):
        other = make.make_offering(
            make.make_model(f"acme/{number}"),
            offering.provider,
            upstream_name=f"m{number}",
            endpoints=["chat.completions"],
        )
        make.make_price(other, "input_text_tokens", "1000")
        make.make_price(other, "output_text_tokens", "1000")
    Offering.objects.filter(pk=offering.pk).update(is_enabled=False)
    make.publish_all()
    Provider.objects.update(probe_budget_usd=Decimal("0.02"))
    asked = probe()
    assert 0 < asked < 5
    assert sum(entry.loss_usd for entry in LedgerEntry.objects.all()) <= Decimal("0.05")


@pytest.mark.parametrize(
    "change",
    [
        {"is_enabled": False},
        {"endpoints": ["embeddings"]},
    ],
)
def test_what_cannot_be_called_is_not_asked(offering, upstream, change) -> None:
    Offering.objects.update(**change)
    make.publish_all()
    assert (probe(), upstream.calls) == (0, [])


def test_what_has_no_price_is_not_asked(offering, upstream) -> None:
    offering.prices.all().delete()
    make.publish_all()
    assert (probe(), upstream.calls) == (0, [])


def called(offering: Offering, at: datetime, **fields: Any) -> LedgerEntry:
    given = {
        "attempt_id": uuid4(),
        "call_id": uuid4(),
        "number": 1,
        "lane": "direct",
        "team_id": 1,
        "key_id": 1,
        "requested_model": "acme/one",
        "model": "acme/one",
        "provider": offering.provider.slug,
        "upstream_name": offering.upstream_name,
        "is_streamed": False,
        "started_at": at,
        "outcome": "finished",
        "cost_usd": 0,
        "loss_usd": 0,
    }
    return LedgerEntry.objects.create(**given | fields)
