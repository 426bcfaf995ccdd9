"""What the reader answers besides sums of columns: errors, tokens, other steps, the largest groups, and the rest."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from accounts.recording import record_attempts
from accounts.usage.measures import ERRORS, TOKENS
from accounts.usage.question import Question
from accounts.usage.reader import one_instant, read_usage
from tests.gateway.spooling import attempt
from tests.make import make_team

pytestmark = pytest.mark.django_db
NOON = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp())
HOUR = 3_600
OUTCOMES = ("finished", "failed", "failed_over", "cut", "cancelled", "unknown")


@pytest.fixture
def question() -> Question:
    """Of a team that called `a` six times, each with another outcome, `b` twice an hour later and `c` before."""
    team = make_team()
    record_attempts(
        [
            *(
                attempt(team_id=team.pk, started_at=NOON, model="a", end={"outcome": each})
                for each in OUTCOMES
            ),
            *(attempt(team_id=team.pk, started_at=NOON + HOUR, model="b") for _ in range(2)),
            attempt(team_id=team.pk, started_at=NOON - HOUR, model="c"),
        ]
    )
    measures = ("calls", ERRORS, TOKENS)
    return Question(NOON - HOUR, NOON + 2 * HOUR, groups=("model",), team_id=team.pk, measures=measures)


def told(question: Question, **more: Any) -> list[tuple[Any, ...]]:
    rows = read_usage(question, **more)
    assert all(set(row.sums) == set(question.measures) for row in rows)
    return [(*row.key, *row.sums.values()) for row in rows]


def test_errors_and_tokens_are_read_of_sums(question: Question) -> None:
    low = NOON - HOUR
    assert told(question) == [(low, "a", 5, 3, 48), (low, "b", 2, 0, 16), (low, "c", 1, 0, 8)]


def test_largest_come_first(question: Question) -> None:
    largest = replace(question, largest=TOKENS)
    assert [row[1] for row in told(largest, limit=2)] == ["a", "b"]
    assert [row[1] for row in told(replace(question, largest=ERRORS))] == ["a", "b", "c"]


def test_all_but_those_that_are_kept_are_one_group(question: Question) -> None:
    rows = {row[1]: row[2] for row in told(replace(question, kept=["b"]))}
    assert rows == {"b": 2, None: 6}
    assert {row[1]: row[2] for row in told(replace(question, kept=[]))} == {None: 8}


def test_steps_may_be_cut_anywhere(question: Question) -> None:
    cuts = [NOON - HOUR, NOON - 900, NOON + 900, NOON + 2 * HOUR]
    rows = told(replace(question, groups=(), cuts=cuts))
    assert [row[:2] for row in rows] == [(cuts[0], 1), (cuts[1], 5), (cuts[2], 2)]


def test_several_questions_are_answered_at_one_instant(question: Question) -> None:
    with one_instant(question.team_id) as reader:
        assert len(reader.read(question)) == 3
        assert len(reader.read(replace(question, groups=()))) == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="elsewhere nobody waits to read")
@pytest.mark.django_db(transaction=True)
def test_who_reads_waits_for_nobody_who_writes_and_sees_nothing_of_it(question: Question) -> None:
    with (
        closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other,
        one_instant(question.team_id) as reader,
    ):
        before = reader.read(question)
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM accounts_usagequarter")
        assert read_usage(question) == before
        other.execute("COMMIT")
        assert reader.read(question) == before
    assert read_usage(question) == []
