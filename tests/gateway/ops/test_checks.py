"""Combinations of settings that are refused or warned of."""

import pytest
from django.conf import LazySettings

from gateway.ops.checks import check_combinations


def found() -> list[str]:
    return [message.id for message in check_combinations()]


def test_a_fresh_clone_has_nothing_to_complain_of() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("redis_url", "database_url", "ids"),
    [
        ("", "", ["gatehouse.E001", "gatehouse.E002"]),
        ("redis://127.0.0.1/0", "", ["gatehouse.E002"]),
        ("", "postgres://127.0.0.1/x", ["gatehouse.E001"]),
        ("redis://127.0.0.1/0", "postgres://127.0.0.1/x", []),
    ],
)
def test_several_processes_need_redis_and_postgresql(
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    redis_url: str,
    database_url: str,
    ids: list[str],
) -> None:
    monkeypatch.setenv("GATEWAY_WEB_PROCESSES", "2")
    settings.REDIS_URL, settings.DATABASE_URL = redis_url, database_url
    assert found() == ids


def test_debug_for_strangers_is_refused(settings: LazySettings) -> None:
    settings.DEBUG, settings.HOST = True, "0.0.0.0"
    assert found() == ["gatehouse.E003"]


def test_debug_on_loopback_is_allowed(settings: LazySettings) -> None:
    settings.DEBUG, settings.HOST = True, "127.0.0.1"
    assert found() == []


def test_secrets_of_one_machine_are_told_where_several_share_the_data(settings: LazySettings) -> None:
    settings.HOST, settings.REDIS_URL, settings.DATABASE_URL = "0.0.0.0", "redis://r/0", "postgres://p/x"
    assert found() == ["gatehouse.W001"]


def test_any_host_name_is_warned_of(settings: LazySettings) -> None:
    settings.HOST, settings.ALLOWED_HOSTS = "0.0.0.0", ["*"]
    assert found() == ["gatehouse.W002"]


def test_prefork_pool_is_refused(settings: LazySettings) -> None:
    settings.CELERY_WORKER_POOL = "prefork"
    assert found() == ["gatehouse.E004"]
