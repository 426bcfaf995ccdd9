"""Providers that speak in drops: whatever they do, they get their share of our time and no more."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from celery import Celery
from django.db import connection

from gateway.core.outbound import OutboundPolicy, httpx_client
from providers import tasks
from providers.models import Credential, Provider
from tests.gateway.program import running
from tests.hostile.slow_provider import NEVER, SlowProvider, endless_body, endless_head
from tests.patience import HANG_S
from tests.services import RedisServer, wait_until
from tests.upstream import ScriptedProvider


@pytest.mark.parametrize("drops", [lambda: NEVER, endless_head, endless_body, lambda: [b"HTTP/1.1 2"]])
def test_total_limit_ends_a_call_wherever_its_answer_stands(drops: Callable[[], Iterable[bytes]]) -> None:
    # Each single wait is much longer than the whole, so that nothing else can end it.
    with (
        SlowProvider(drops()) as provider,
        httpx_client(OutboundPolicy(frozenset({provider.address})), timeout_s=600, total_s=0.5) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.get(f"{provider.base_url}/models")


@pytest.fixture
def slow_ones(settings: Any) -> Iterator[list[SlowProvider]]:
    """Four servers and their rows, each dripping its head."""
    with ExitStack() as held:
        servers = [held.enter_context(SlowProvider(endless_head())) for _ in range(4)]
        settings.PRIVATE_ADDRESSES_ALLOWED = [server.address for server in servers]
        for number, server in enumerate(servers):
            add_provider(f"slow-{number}", server.base_url)
        yield servers


def add_provider(slug: str, base_url: str) -> Provider:
    provider = Provider.objects.create(slug=slug, name=slug.title(), base_url=base_url)
    Credential.objects.create(provider=provider, kind="none")
    return provider


@pytest.mark.django_db
def test_slow_providers_are_given_up_and_the_others_found_healthy(
    slow_ones: list[SlowProvider], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.probes.TIMEOUT_S", 1.0)
    with ScriptedProvider() as quick:
        settings.PRIVATE_ADDRESSES_ALLOWED += [quick.address]
        add_provider("quick", quick.base_url)
        assert tasks.probe_due_providers() == 5
    found = Provider.objects.values_list("slug", "probe_results__is_healthy", "probe_results__error")
    slow = {(f"slow-{number}", False, "no answer in time") for number in range(4)}
    assert set(found) == slow | {("quick", True, "")}
    assert [server.asked for server in slow_ones] == [1, 1, 1, 1]


@pytest.mark.django_db(transaction=True)
def test_round_that_finds_the_previous_one_running_is_left_out_and_says_so(
    slow_ones: list[SlowProvider], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.probes.TIMEOUT_S", 600.0)

    def probe() -> None:
        tasks.probe_due_providers()
        connection.close()

    previous = threading.Thread(target=probe)
    previous.start()
    wait_until(lambda: all(server.asked for server in slow_ones), "asking all", HANG_S)
    Provider.objects.update(next_probe_at=None)
    assert tasks.probe_due_providers() == 0
    assert "probe_due_providers: left out, the round of " in caplog.text
    assert [server.most_at_once for server in slow_ones] == [1, 1, 1, 1]
    for server in slow_ones:
        server.stop()
    previous.join()


@pytest.mark.drill
def test_slow_providers_leave_a_worker_room_for_its_other_duties(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    with ExitStack() as held:
        slow, other = (held.enter_context(SlowProvider(drops)) for drops in (endless_head(), NEVER))
        redis_server.start()
        redis_server.ask("FLUSHALL")
        environment = {
            "DATABASE_URL": "",
            "REDIS_URL": redis_server.url,
            "GATEWAY_DATA_DIR": str(tmp_path),
            "GATEWAY_ALLOW_PRIVATE": slow.address,
        }
        for command in (("manage", "migrate", "-v0"), ("tests.hostile.seed_slow", slow.base_url, "8")):
            with running(*command, **environment) as program:
                assert program.wait() == 0, program.text
        worker = ("celery", "-A", "gateway", "worker", "-c", "2", "-I", "tests.hostile.lingering")
        held.enter_context(running(*worker, **environment))
        with Celery(broker=redis_server.url, set_as_current=False) as beat:
            for _ in range(20):
                beat.send_task("providers.tasks.probe_due_providers")
            wait_until(lambda: slow.asked == 8, "probing", HANG_S)
            beat.send_task("tests.linger", args=[other.base_url])
        wait_until(lambda: other.asked == 1, "another duty", HANG_S)
