"""What pages and API answer while the database is away or busy, and what stands in the log."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from gateway.core import sql
from gateway.responses.tasks import forget_expired_responses
from tests import make

PAGES = ["/models", "/models?q=demo", "/keys", "/admin/", "/admin/catalogue/model/"]


def failure(kind: type[Exception], cause: Exception) -> Exception:
    error = kind(str(cause))
    error.__cause__ = cause
    return error


def sqlite_error(words: str, code: int) -> Exception:
    cause = sqlite3.OperationalError(words)
    cause.sqlite_errorcode = code
    return failure(OperationalError, cause)


AWAY = {
    "refused": failure(OperationalError, psycopg.OperationalError("connection refused")),
    "silent": failure(OperationalError, sql.Unanswered("nothing came from the database for 10 s")),
    "closed": failure(InterfaceError, psycopg.InterfaceError("the connection is closed")),
}
BUSY = {
    "no lock": failure(OperationalError, psycopg.errors.LockNotAvailable("lock timeout")),
    "deadlock": failure(OperationalError, psycopg.errors.DeadlockDetected("deadlock detected")),
    "locked": sqlite_error("database is locked", sqlite3.SQLITE_BUSY),
    "locked snapshot": sqlite_error("database is locked", sqlite3.SQLITE_BUSY_SNAPSHOT),
}


@contextmanager
def database_says(error: Exception) -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise error

    with connection.execute_wrapper(refuse):
        yield


@pytest.fixture(autouse=True)
def tally(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "refusals", sql.Refusals())


@pytest.fixture
def staff(db: None) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(make.make_staff())
    return client


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("kind", AWAY)
def test_page_without_a_database_is_a_503_in_the_frame_of_the_site(
    staff: Client, path: str, kind: str
) -> None:
    with database_says(AWAY[kind]):
        response = staff.get(path)
    assert (response.status_code, response["retry-after"]) == (503, "5")
    assert "The database does not answer" in response.text
    assert "Go to the home page" in response.text


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("kind", BUSY)
def test_page_that_waited_too_long_for_another_change_says_so(staff: Client, path: str, kind: str) -> None:
    with database_says(BUSY[kind]):
        response = staff.get(path)
    assert (response.status_code, response["retry-after"]) == (503, "5")
    assert sql.BUSY in response.text


@pytest.mark.parametrize("kind", [*AWAY, *BUSY])
def test_api_without_a_database_is_a_503_in_its_own_form(db: None, kind: str) -> None:
    _, text = make.make_key(scope="management")
    with database_says((AWAY | BUSY)[kind]):
        response = Client().get("/v1/keys", headers={"authorization": f"Bearer {text}"})
    assert (response.status_code, response["retry-after"]) == (503, "5")
    assert response.json()["error"]["code"] == ("busy" if kind in BUSY else "database_unavailable")


@pytest.mark.django_db(transaction=True)
def test_a_write_that_waits_too_long_for_another_one_is_a_503() -> None:
    make.make_user("member")
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        given = {"username": "member", "password": "password"}
        response = Client(raise_request_exception=False).post("/sign-in", given)
    assert (response.status_code, response["retry-after"]) == (503, "5")


def test_a_wrong_statement_is_no_outage(staff: Client) -> None:
    with database_says(sqlite_error("no such column: x", sqlite3.SQLITE_ERROR)):
        assert staff.get("/keys").status_code == 500


def test_an_outage_is_told_once_and_then_counted(
    staff: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = make.make_key(scope="management")
    with caplog.at_level(logging.WARNING), database_says(AWAY["refused"]):
        for _ in range(20):
            staff.get("/keys")
            staff.get("/v1/keys", headers={"authorization": f"Bearer {text}"})
        assert [record.getMessage() for record in ours(caplog)] == [
            "Requests and tasks that failed with the database since last told: 1; it says: connection refused"
        ]
        monkeypatch.setattr(sql, "_TELL_EVERY_S", 0.0)
        staff.get("/keys")
    assert "since last told: 40;" in ours(caplog)[-1].getMessage()
    assert not any(record.exc_info for record in ours(caplog))


def test_a_task_without_a_database_is_counted_too(
    transactional_db: None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), database_says(AWAY["refused"]):
        results = [forget_expired_responses.apply() for _ in range(5)]
    assert {result.state for result in results} == {"FAILURE"}
    [told] = ours(caplog)
    assert (told.name, told.exc_info) == ("gateway.core.sql", None)


def test_a_task_with_a_wrong_statement_says_where(
    transactional_db: None, caplog: pytest.LogCaptureFixture
) -> None:
    with database_says(sqlite_error("no such column: x", sqlite3.SQLITE_ERROR)):
        forget_expired_responses.apply()
    [told] = ours(caplog)
    assert told.exc_info


def ours(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Without what the settings keep out of the log, and what Celery says beside: pytest listens before filters."""
    beside = {"django.request", "celery.app.trace"}
    return [record for record in caplog.records if record.name not in beside or record.exc_info]
