"""System checks: combinations of settings that would lose calls, money or secrets."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004

from gateway import env
from gateway.boot.supervisor import PROCESSES_VARIABLE

TAG = "gatehouse"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@register(TAG)
def check_combinations(**_kwargs: Any) -> list[CheckMessage]:
    return [*_several_processes(), *_debug(), *_foreign_host(), *_proxies(), *_metrics(), *_pool()]


def _several_processes() -> Iterator[CheckMessage]:
    if env.number(PROCESSES_VARIABLE, 1) < 2:
        return
    if not settings.REDIS_URL:
        yield Error(
            "Several web processes without REDIS_URL.",
            hint="Each would count limits for itself. Set REDIS_URL, or run one process.",
            id="gatehouse.E001",
        )
    if not settings.DATABASE_URL or settings.DATABASE_URL.startswith("sqlite"):
        yield Error(
            "Several web processes on SQLite.",
            hint="They would lock each other out. Set DATABASE_URL to PostgreSQL, or run one process.",
            id="gatehouse.E002",
        )


def _debug() -> Iterator[CheckMessage]:
    if settings.DEBUG and not _is_local():
        yield Error(
            f"GATEWAY_DEBUG is on while the server listens on {settings.HOST}.",
            hint="Error pages would show settings to strangers. Switch it off, or set HOST=127.0.0.1.",
            id="gatehouse.E003",
        )


def _foreign_host() -> Iterator[CheckMessage]:
    """A single machine may keep its secrets in its data folder; several must be told the same ones."""
    missing = [name for name in ("GATEWAY_SECRET_KEY", "GATEWAY_CREDENTIAL_KEYS") if not env.text(name)]
    if missing and settings.REDIS_URL and settings.DATABASE_URL and not _is_local():
        yield Warning(
            f"{' and '.join(missing)} not set: this machine uses its own, from {settings.DATA_DIR}.",
            hint="Give all machines the same values; else sessions and stored credentials open only here.",
            id="gatehouse.W001",
        )
    if "*" in settings.ALLOWED_HOSTS and not _is_local():
        yield Warning(
            "GATEWAY_ALLOWED_HOSTS allows every host name.",
            hint="Name the hosts that clients use, so that forged Host headers are refused.",
            id="gatehouse.W002",
        )


def _proxies() -> Iterator[CheckMessage]:
    if settings.SECURE_PROXY_SSL_HEADER and not settings.TRUSTED_PROXIES.networks:
        yield Warning(
            "GATEWAY_BEHIND_TLS_PROXY is on, and GATEWAY_TRUSTED_PROXIES names no proxy.",
            hint="All clients look like one: whoever guesses passwords makes others wait. Name the proxy's address.",
            id="gatehouse.W003",
        )


def _metrics() -> Iterator[CheckMessage]:
    if not settings.METRICS_PORT:
        return
    if settings.METRICS_PORT == settings.PORT:
        yield Error(
            f"GATEWAY_METRICS_PORT is {settings.METRICS_PORT}, where the gateway itself listens.",
            hint="Name another port.",
            id="gatehouse.E005",
        )
    if settings.METRICS_HOST not in LOOPBACK and not settings.METRICS_TOKEN:
        yield Warning(
            f"Whoever reaches port {settings.METRICS_PORT} reads the teams' names and what they spend.",
            hint="Set GATEWAY_METRICS_TOKEN, or let nobody but Prometheus come to that port.",
            id="gatehouse.W004",
        )


def _pool() -> Iterator[CheckMessage]:
    if getattr(settings, "CELERY_WORKER_POOL", "prefork") not in {"threads", "solo"}:
        yield Error(
            f"The worker's pool is {settings.CELERY_WORKER_POOL!r}.",
            hint="A recycled child would inherit the lane's sockets. Use threads.",
            id="gatehouse.E004",
        )


def _is_local() -> bool:
    return settings.HOST in LOOPBACK
