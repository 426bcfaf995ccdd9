"""Where rows are kept, as Django is told it: a file of SQLite, or what DATABASE_URL names."""

from pathlib import Path
from typing import Any

import dj_database_url

from gateway.core.private_files import keep_private
from gateway.env import BadEnvironment

_SQLITE, _POSTGRESQL = "django.db.backends.sqlite3", "django.db.backends.postgresql"
# The network that is gone is noticed by these, the server that is mute by `gateway.core.sql`.
_ALIVE = {
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_OF_SQLITE = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 5,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}


def database(url: str, file: Path, connections: int) -> dict[str, Any]:
    """The database at `url`, or without one in `file`, which nobody else may read.

    `connections` is how many the pages and the API of one web process share. Raises BadEnvironment.
    """
    settings: dict[str, Any] = _at(url) if url else {"ENGINE": _SQLITE, "NAME": file}
    if settings["ENGINE"] == _POSTGRESQL:
        settings["ENGINE"] = "gateway.core.postgresql"
        # What the address itself says wins.
        settings["OPTIONS"] = _ALIVE | settings.get("OPTIONS", {}) | {"pool": _pool(connections)}
    if settings["ENGINE"] == _SQLITE:
        if settings["NAME"] != ":memory:":
            keep_private(Path(settings["NAME"]))
        settings["OPTIONS"] = dict(_OF_SQLITE)
    return settings


def _at(url: str) -> dict[str, Any]:
    try:
        # Under ASGI a kept connection is one per request thread and is never given back: so age 0.
        return dict(dj_database_url.parse(url, conn_max_age=0))
    except ValueError:
        # Never repeated: it may hold the password.
        raise BadEnvironment(
            "DATABASE_URL cannot be used; write it as postgres://user:password@host:5432/name."
        ) from None


def _pool(connections: int) -> dict[str, Any]:
    return {
        "min_size": 0,
        "max_size": connections,
        # A short queue, and a short wait in it: then 503, which is honest, and not a page that hangs.
        "queue": 8 * connections,
        "timeout": 5,
        # Whoever waits asks again: a pool that pauses longer and longer would sleep on after the database is back.
        "reconnect_timeout": 0,
    }
