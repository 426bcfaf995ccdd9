"""Each provider is probed by one leader, when it is due, and only if a call could go there."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery.schedules import crontab

from providers import services, tasks
from providers.models import Credential, ProbeResult, Provider
from providers.probes import TIMEOUT_S, ProbeOutcome

NOW = datetime(2026, 11, 22, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(demo_port: int) -> Provider:
    services.ensure_demo_providers(demo_port)
    return Provider.objects.get(slug="demo-a")


def make_provider(**fields: Any) -> Provider:
    provider = Provider.objects.create(
        **{"slug": "some", "name": "Some", "base_url": "https://x.invalid/v1"} | fields
    )
    Credential.objects.create(provider=provider, kind="none")
    return provider


def test_provider_is_claimed_once_an_interval(settings: Any) -> None:
    settings.PROBE_INTERVAL_S = 60
    provider = make_provider()
    assert services.claim_due_probes(at=NOW, most=9) == [provider.pk]
    assert services.claim_due_probes(at=NOW + timedelta(seconds=59), most=9) == []
    assert services.claim_due_probes(at=NOW + timedelta(seconds=60), most=9) == [provider.pk]


def test_second_leader_with_the_same_list_claims_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    make_provider()
    theirs: list[list[int]] = []
    original = services.access_of

    def overtaken(provider: Provider) -> Any:
        monkeypatch.setattr(services, "access_of", original)
        theirs.append(services.claim_due_probes(at=NOW, most=9))
        return original(provider)

    monkeypatch.setattr(services, "access_of", overtaken)
    ours = services.claim_due_probes(at=NOW, most=9)
    assert (len(theirs[0]), len(ours)) == (1, 0)


@pytest.mark.parametrize("fields", [{"is_enabled": False}, {"is_probed": False}, {"wire_format": "voyage"}])
def test_provider_that_is_off_or_not_probed_is_left_alone(fields: dict[str, Any]) -> None:
    make_provider(**fields)
    assert services.claim_due_probes(at=NOW, most=9) == []


def test_provider_that_nothing_opens_is_left_alone() -> None:
    Credential.objects.filter(provider=make_provider()).update(is_enabled=False)
    assert services.claim_due_probes(at=NOW, most=9) == []


def test_beat_probes_what_is_due_over_a_real_socket(demo: Provider) -> None:
    assert tasks.probe_due_providers() == 2
    assert tasks.probe_due_providers() == 0
    demo.refresh_from_db()
    assert (demo.health, demo.probe_results.count()) == ("healthy", 1)


def test_health_of_a_format_without_a_model_list_stays_unknown(demo: Provider) -> None:
    tasks.probe_due_providers()
    demo.refresh_from_db()
    demo.wire_format = "voyage"
    services.save_provider(provider=demo)
    tasks.probe_due_providers()
    demo.refresh_from_db()
    assert (demo.health, demo.health_changed_at, demo.probe_results.count()) == ("unknown", None, 1)


@pytest.mark.parametrize("change", [{"wire_format": "voyage"}, None], ids=["another format", "deleted"])
def test_probe_of_a_provider_that_changed_meanwhile_is_forgotten(change: dict[str, str] | None) -> None:
    provider = make_provider()
    found = Provider.objects.filter(pk=provider.pk)
    found.update(**change) if change else found.delete()
    services.record_probe(provider_id=provider.pk, outcome=ProbeOutcome(True, 200, 1.0), at=NOW)
    assert not ProbeResult.objects.exists()


def test_those_that_have_waited_longest_are_claimed_first_and_no_more_than_were_asked_for() -> None:
    ages = {"a": 1, "b": None, "c": 3, "d": 2, "not yet": -1}
    pks = {
        slug: make_provider(slug=slug, next_probe_at=age and NOW - timedelta(seconds=age)).pk
        for slug, age in ages.items()
    }
    assert services.claim_due_probes(at=NOW, most=3) == [pks["b"], pks["c"], pks["d"]]
    assert services.claim_due_probes(at=NOW, most=3) == [pks["a"]]


def test_providers_that_nothing_opens_do_not_stand_in_the_way_of_others() -> None:
    for number in range(3):
        Credential.objects.filter(provider=make_provider(slug=f"shut-{number}")).update(is_enabled=False)
    usable = make_provider(next_probe_at=NOW)
    assert services.claim_due_probes(at=NOW, most=1) == [usable.pk]


def test_provider_is_not_claimed_again_while_its_probe_can_still_run(settings: Any) -> None:
    settings.PROBE_INTERVAL_S = 1
    provider = make_provider()
    ends_at = NOW + timedelta(seconds=TIMEOUT_S)
    assert services.claim_due_probes(at=NOW, most=1) == [provider.pk]
    assert services.claim_due_probes(at=ends_at - timedelta(microseconds=1), most=1) == []
    assert services.claim_due_probes(at=ends_at, most=1) == [provider.pk]


def test_changed_provider_is_due_at_once(demo: Provider) -> None:
    services.claim_due_probes(at=NOW, most=9)
    services.save_provider(provider=demo)
    assert services.claim_due_probes(at=NOW, most=9) == [demo.pk]


def test_rounds_that_nobody_took_do_not_pile_up(settings: Any) -> None:
    waits = {name: entry["options"]["expires"] for name, entry in settings.CELERY_BEAT_SCHEDULE.items()}
    rounds_s = {name: _round_s(entry["schedule"]) for name, entry in settings.CELERY_BEAT_SCHEDULE.items()}
    most = {name: waits[name] / rounds_s[name] for name in waits}
    assert max(most.values()) <= 60


def _round_s(schedule: float | crontab) -> float:
    """Those that follow the clock come once a day."""
    return 86_400.0 if isinstance(schedule, crontab) else schedule
