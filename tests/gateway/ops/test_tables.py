"""Tables are judged by what they are, not by the names of applied migrations."""

from collections.abc import Iterator

import pytest
from django.db import connection

from gateway.ops.tables import find_differences

pytestmark = pytest.mark.django_db(transaction=True)


def test_migrated_database_has_no_differences() -> None:
    assert find_differences() == []


@pytest.fixture
def without_a_column() -> Iterator[None]:
    _change("ALTER TABLE accounts_team DROP COLUMN keeps_responses")
    yield
    _change("ALTER TABLE accounts_team ADD COLUMN keeps_responses bool NOT NULL DEFAULT true")


@pytest.fixture
def with_another_column() -> Iterator[None]:
    _change("ALTER TABLE accounts_team ADD COLUMN colour varchar(9) NULL")
    yield
    _change("ALTER TABLE accounts_team DROP COLUMN colour")


@pytest.fixture
def without_an_index() -> Iterator[None]:
    _change("DROP INDEX ledger_by_team")
    yield
    _change("CREATE INDEX ledger_by_team ON accounts_ledgerentry (team_id, started_at DESC)")


def test_missing_column_is_named(without_a_column: None) -> None:
    assert find_differences() == ["accounts_team has no column keeps_responses"]


def test_strange_column_is_named(with_another_column: None) -> None:
    assert find_differences() == ["accounts_team has a column colour that is not ours"]


def test_missing_index_is_named(without_an_index: None) -> None:
    assert find_differences() == ["accounts_ledgerentry has no ledger_by_team"]


def _change(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
