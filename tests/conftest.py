"""What all tests share: real servers, started once a process and only when a test asks, and the order of files."""

import os
import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest
from celery._state import get_current_app
from django.core.management import call_command
from django.core.management.commands import flush
from django.db import connections
from django.test import override_settings

from accounts import guesses
from catalogue.changes.history import change_cache
from catalogue.published.loading import snapshots
from catalogue.published.record_cache import record_cache
from catalogue.quality.worklist import worklist_cache
from gateway.celery import app as celery
from gateway.portal.playground.offered import line_cache
from gateway.status import kept
from gateway.web.static_files import StaticFiles
from tests.emptied import Emptying
from tests.services import PostgresServer, RedisServer, running_postgres, running_redis
from tests.shared import VARIABLE, made_once
from tests.system.deployment import Seeded, make_tables, seed
from tests.system.embedded import prepared, product, upstream

__all__ = ["prepared", "product", "upstream"]
TABLES = "tables"


def pytest_sessionstart(session: pytest.Session) -> None:
    os.environ.setdefault(VARIABLE, str(session.config._tmp_path_factory.mktemp("shared")))  # type: ignore[attr-defined]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest goes first, so that at the end no process is left alone with it; `apart`, which can be spread, later.

    Those that share a running product are the longest of all, in one process: it works also while nobody asks it. Only
    those count that are run, and not what `-m` leaves out.
    """
    apart, slow = (
        {item.path for item in items if item.get_closest_marker(name)} for name in ("apart", "slow")
    )
    sharing = {item.path for item in items if _shares_product(item)}
    for item in items:
        if item.path in sharing:
            item.add_marker(pytest.mark.together("product"))
    ranks = (apart & slow, sharing, slow, apart)
    items.sort(key=lambda item: [item.path not in rank for rank in ranks])


def _shares_product(item: pytest.Item) -> bool:
    found = item._fixtureinfo.name2fixturedefs.get("product", ())  # type: ignore[attr-defined]
    return any(each.scope == "session" for each in found[-1:])


@pytest.fixture(autouse=True)
def forget_snapshot() -> Iterator[None]:
    """What a process remembers of the catalogue was another test's database, and wrong keys another test's guesses."""
    yield
    guesses.here.forget()
    snapshots.forget()
    record_cache.forget()
    change_cache.forget()
    worklist_cache.forget()
    kept.forget()
    line_cache.forget()


@pytest.fixture(scope="session", autouse=True)
def emptied_tables() -> Iterator[None]:
    emptying = Emptying()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "sql_flush", emptying.sql_flush)
        patch.setattr(flush, "emit_post_migrate_signal", emptying.emit_post_migrate_signal)
        yield


@pytest.fixture(autouse=True)
def one_celery() -> Iterator[None]:
    """Shared tasks belong to the current application of their thread: a test that makes another must end so."""
    yield
    assert get_current_app() is celery, "Make other applications with set_as_current=False."


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=["tests.passwords.QuickHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def few_certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nobody here speaks to the world, and to load whom it trusts takes longer than a call: each client does so."""
    file, end = tmp_path_factory.mktemp("trusted") / "one.pem", "-----END CERTIFICATE-----\n"
    file.write_text(certifi.contents().partition(end)[0] + end)
    make = ssl.create_default_context
    trusting = make(cafile=str(file))

    def make_or_share(*arguments: Any, **options: Any) -> ssl.SSLContext:
        return make(*arguments, **options) if arguments or options != {"cafile": str(file)} else trusting

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        patch.setattr(ssl, "create_default_context", make_or_share)
        yield


@pytest.fixture(scope="session", autouse=True)
def static_files_found_once() -> Iterator[None]:
    """Each of Django's test clients has middleware of its own, which would look through all packages for files."""
    find, found = StaticFiles.add_files_from_finders, dict[str, Any]()

    def find_once(self: StaticFiles) -> None:
        if not found:
            find(self)
            found.update(self.files)
        self.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StaticFiles, "add_files_from_finders", find_once)
        yield


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One for the session, not emptied between tests. A test that kills it takes `running_redis()`."""
    with running_redis() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """With the database that `tables` names. All processes copy one cluster: to make it takes five seconds."""
    with running_postgres(like=lambda: made_once("postgresql", _make_cluster) / "cluster") as server:
        yield server


def _make_cluster(folder: Path) -> None:
    with running_postgres() as server:
        make_tables(server.new_database(TABLES), folder)
        server.leave(folder / "cluster")


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """A test's own empty database, without tables; `postgres_server.new_database(name)` makes further ones."""
    return postgres_server.new_database("gatehouse")


@pytest.fixture(scope="session")
def tables(postgres_server: PostgresServer) -> str:
    """The name of a database with all tables and no rows of ours, for `new_database(name, like=tables)`."""
    return TABLES


@pytest.fixture(scope="session")
def seeded(postgres_server: PostgresServer, tables: str, tmp_path_factory: pytest.TempPathFactory) -> Seeded:
    """A database to copy for `deployed`, with all that it needs."""
    url = postgres_server.new_database("seeded", like=tables)
    return Seeded("seeded", seed(url, tmp_path_factory.mktemp("seeded")))


@pytest.fixture
def migrated_url(postgres_server: PostgresServer, tables: str) -> str:
    """For a run of tests with `--reuse-db`: the database that it would make for itself is there, with all tables."""
    postgres_server.new_database("test_again", like=tables)
    return postgres_server.new_database("again")


@pytest.fixture(scope="session")
def django_db_keepdb(request: pytest.FixtureRequest) -> bool:
    """What a copy has already is not migrated anew: see below, and `migrated_url`."""
    return "sqlite" in connections["default"].settings_dict["ENGINE"] or request.config.option.reuse_db


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """SQLite in a file, as in production: in memory, two threads lock each other out of a table without waiting.

    All migrations run once for all processes, of which each takes a copy.
    """
    if "sqlite" not in connections["default"].settings_dict["ENGINE"]:
        return
    file = tmp_path_factory.mktemp("database") / "test.sqlite3"
    with django_db_blocker.unblock():
        tables = made_once("sqlite", _make_sqlite_tables)
    shutil.copy(tables / "tables.sqlite3", file)
    connections["default"].settings_dict["TEST"]["NAME"] = str(file)


def _make_sqlite_tables(folder: Path) -> None:
    connection = connections["default"]
    name, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], folder / "tables.sqlite3"
    call_command("migrate", verbosity=0, interactive=False)
    connection.close()
    connection.settings_dict["NAME"] = name
