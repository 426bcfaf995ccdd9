"""Each provider is probed by one leader, when it is due, and only if a call could go there."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.celery import app
from providers import services, tasks
from providers.models import Credential, ProbeResult, Provider

NOW = datetime(2026, 11, 22, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def eager() -> Iterator[None]:
    """Tasks run where they are sent from."""
    app.conf.update(task_always_eager=True, task_eager_propagates=True)
    yield
    app.conf.update(task_always_eager=False, task_eager_propagates=False)


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
    assert services.claim_due_probes(at=NOW) == [provider.pk]
    assert services.claim_due_probes(at=NOW + timedelta(seconds=59)) == []
    assert services.claim_due_probes(at=NOW + timedelta(seconds=60)) == [provider.pk]


def test_second_leader_with_the_same_list_claims_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    make_provider()
    theirs: list[list[int]] = []
    original = services.access_of

    def overtaken(provider: Provider) -> Any:
        monkeypatch.setattr(services, "access_of", original)
        theirs.append(services.claim_due_probes(at=NOW))
        return original(provider)

    monkeypatch.setattr(services, "access_of", overtaken)
    ours = services.claim_due_probes(at=NOW)
    assert (len(theirs[0]), len(ours)) == (1, 0)


@pytest.mark.parametrize("fields", [{"is_enabled": False}, {"is_probed": False}, {"wire_format": "voyage"}])
def test_provider_that_is_off_or_not_probed_is_left_alone(fields: dict[str, Any]) -> None:
    make_provider(**fields)
    assert services.claim_due_probes(at=NOW) == []


def test_provider_that_nothing_opens_is_left_alone() -> None:
    Credential.objects.filter(provider=make_provider()).update(is_enabled=False)
    assert services.claim_due_probes(at=NOW) == []


@pytest.mark.usefixtures("eager")
def test_beat_probes_what_is_due_over_a_real_socket(demo: Provider) -> None:
    assert tasks.probe_due_providers() == 2
    assert tasks.probe_due_providers() == 0
    demo.refresh_from_db()
    assert (demo.health, demo.probe_results.count()) == ("healthy", 1)


def test_provider_that_was_switched_off_meanwhile_is_not_probed(demo: Provider) -> None:
    services.switch_provider(provider=demo, is_enabled=False)
    tasks.probe_provider(demo.pk)
    assert not ProbeResult.objects.exists()


def test_health_of_a_format_without_a_model_list_stays_unknown(demo: Provider) -> None:
    tasks.probe_provider(demo.pk)
    demo.refresh_from_db()
    demo.wire_format = "voyage"
    services.save_provider(provider=demo)
    tasks.probe_provider(demo.pk)
    demo.refresh_from_db()
    assert (demo.health, demo.health_changed_at, demo.probe_results.count()) == ("unknown", None, 1)


def test_provider_that_was_deleted_meanwhile_is_not_probed() -> None:
    tasks.probe_provider(4711)
    assert not ProbeResult.objects.exists()


def test_changed_provider_is_due_at_once(demo: Provider) -> None:
    services.claim_due_probes(at=NOW)
    services.save_provider(provider=demo)
    assert services.claim_due_probes(at=NOW) == [demo.pk]


@pytest.mark.parametrize("task", [tasks.probe_due_providers, tasks.probe_provider])
def test_tasks_have_a_time_limit(task: Any) -> None:
    assert task.time_limit
