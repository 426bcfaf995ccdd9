"""The audit where several write at once, and where the database itself guards it: on PostgreSQL only."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from accounts.audit import record_event
from accounts.auditing.pushing import push_due
from accounts.auditing.receivers import read_receivers
from accounts.auditing.retention import forget_acts
from accounts.models import AuditEntry
from tests.accounts.siem import Siem, listening

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer and no such guard"),
]


@pytest.fixture
def siem(settings: Any) -> Iterator[Siem]:
    with listening() as found:
        settings.AUDIT_PUSH = read_receivers([f"syslog+tcp://127.0.0.1:{found.port}"])
        yield found


@pytest.mark.parametrize(
    "statement", ["UPDATE accounts_auditentry SET event = 'x'", "DELETE FROM accounts_auditentry"]
)
def test_database_lets_nobody_change_the_audit(statement: str) -> None:
    record_event("test.done")
    with (
        pytest.raises(ProgrammingError, match="written once"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert forget_acts(1, at=timezone.now() + timedelta(days=2), most_s=10) == 1


def test_entry_of_a_transaction_that_ends_later_is_not_passed_over(siem: Siem) -> None:
    began, goes_on, found = Event(), Event(), []

    def write_slowly() -> None:
        with transaction.atomic():
            found.append(record_event("test.slow").pk)
            began.set()
            goes_on.wait(30)
        connection.close()

    first = record_event("test.first").pk
    push_due(at=timezone.now() + timedelta(seconds=30), most_s=10)
    writer = Thread(target=write_slowly)
    writer.start()
    assert began.wait(30)
    later = record_event("test.later").pk
    try:
        assert push_due(at=timezone.now() + timedelta(minutes=1), most_s=10) == 0
    finally:
        goes_on.set()
        writer.join()
    assert push_due(at=timezone.now() + timedelta(minutes=2), most_s=10) == 2
    assert siem.ids() == [f"aud_{pk}" for pk in (first, *found, later)]
    assert AuditEntry.objects.count() == 3


def test_number_that_nobody_used_is_passed_over_soon(siem: Siem) -> None:
    record_event("test.first")
    push_due(at=timezone.now() + timedelta(seconds=30), most_s=10)
    with transaction.atomic():
        record_event("test.undone")
        transaction.set_rollback(True)
    record_event("test.later")
    assert push_due(at=timezone.now(), most_s=10) == 0
    assert push_due(at=timezone.now() + timedelta(minutes=1), most_s=10) == 1
