"""What a client is told of the models that it uses, from values alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from catalogue.api.lifecycle_serializers import QuestionSerializer
from catalogue.lifecycle.check import Check
from tests.catalogue.lives import a_model, a_snapshot, an_offering, day

HEIR = a_model(an_offering(9), id="acme/two")


def judge(
    policy: str = "advise", *, within_days: int = 10, name: str = "acme/one", **fields: Any
) -> dict[str, Any]:
    """At the beginning of June 10."""
    model = a_model(an_offering(1), **fields)
    check = Check(a_snapshot(model, HEIR), day(10), timedelta(days=within_days), policy)
    return check.judge(name, model)


@pytest.mark.parametrize(
    ("fields", "verdict", "ok"),
    [
        ({}, "ok", True),
        ({"release_at": day(11)}, "announced", False),
        ({"release_at": day(10)}, "ok", True),
        ({"deprecation_at": day(11)}, "ok", True),
        ({"deprecation_at": day(10)}, "deprecated", True),
        ({"retirement_at": day(21)}, "ok", True),
        ({"retirement_at": day(20)}, "retiring", False),
        ({"deprecation_at": day(1), "retirement_at": day(20)}, "retiring", False),
        ({"retirement_at": day(10)}, "retired", False),
        ({"release_at": day(12), "retirement_at": day(15)}, "announced", False),
    ],
)
def test_verdict_follows_the_dates(fields: dict[str, Any], verdict: str, ok: bool) -> None:
    row = judge(**fields)
    assert (row["verdict"], row["ok"]) == (verdict, ok)


@pytest.mark.parametrize(
    ("policy", "active", "deprecated", "retired"),
    [
        ("advise", "answer", "advise", "block"),
        ("warn", "answer", "warn", "block"),
        ("redirect", "answer", "advise", "redirect"),
        ("block", "answer", "block", "block"),
    ],
)
def test_outcome_follows_the_policy(policy: str, active: str, deprecated: str, retired: str) -> None:
    lives: list[dict[str, Any]] = [{}, {"deprecation_at": day(1)}, {"retirement_at": day(1)}]
    rows = [judge(policy, successor_id="acme/two", **fields) for fields in lives]
    assert [row["outcome"] for row in rows] == [active, deprecated, retired]


def test_nothing_is_redirected_to_what_nobody_named() -> None:
    assert judge("redirect", retirement_at=day(1))["outcome"] == "block"


def test_embeddings_are_never_redirected() -> None:
    embeds = an_offering(1, endpoints=frozenset({"embeddings"}))
    model = a_model(embeds, retirement_at=day(1), successor_id="acme/two")
    row = Check(a_snapshot(model, HEIR), day(10), timedelta(), "redirect").judge("acme/one", model)
    assert (row["replacement_model_id"], row["outcome"]) == ("acme/two", "block")


def test_aliass_own_policy_wins() -> None:
    row = judge("advise", name="uno", alias_policies={"uno": "block"}, deprecation_at=day(1))
    assert (row["policy"], row["outcome"], row["ok"]) == ("block", "block", False)


def test_model_that_will_be_blocked_ends_with_its_deprecation() -> None:
    row = judge("block", deprecation_at=day(15), retirement_at=day(30))
    assert (row["verdict"], row["days_left"]) == ("retiring", 5)


def test_row_tells_dates_successor_and_what_happens_then() -> None:
    row = judge("redirect", retirement_at=day(30), successor_id="acme/two", within_days=5)
    told = (
        "verdict",
        "retirement_date",
        "days_left",
        "replacement_model_id",
        "outcome_once_retired",
        "message",
    )
    assert [row[name] for name in told] == [
        "ok",
        "2026-06-30",
        20,
        "acme/two",
        "redirect",
        "Model 'acme/one' will be retired on 2026-06-30; use 'acme/two'.",
    ]


def test_successor_that_is_gone_itself_is_not_advised() -> None:
    gone = replace(HEIR, retirement_at=day(1))
    model = a_model(an_offering(1), retirement_at=day(1), successor_id="acme/two")
    row = Check(a_snapshot(model, gone), day(10), timedelta(), "redirect").judge("acme/one", model)
    assert (row["replacement_model_id"], row["outcome"]) == (None, "block")


@pytest.mark.parametrize("asked", [{"models": [0]}, {"models": [1.5]}, {"models": ["a/b"], "at": 2026}])
def test_a_number_is_no_name_and_no_instant(asked):
    assert not QuestionSerializer(data=asked).is_valid()
