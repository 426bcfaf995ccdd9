from dataclasses import replace

import pytest

from accounts.models import LedgerEntry
from accounts.subjects import (
    bears_losses,
    everybody,
    owners_of,
    payers,
    store_name,
    subjects_of,
    subjects_told,
)
from accounts.windows import quarter_of
from tests.accounts.test_rules import FACTS


@pytest.mark.parametrize(
    "subjects",
    [
        (("key", 1), ("team", 9)),
        (("key", 1), ("member", 4), ("team", 9)),
        (("key", 1), ("service_account", 5), ("project", 7), ("team", 9)),
    ],
)
def test_call_counts_for_the_same_by_its_key_and_by_its_record(subjects: tuple[tuple[str, int], ...]) -> None:
    key = replace(FACTS, subjects=subjects)
    told = (key.owners["lineage_id"], *(key.owners[each] for each in _OTHERS))
    assert subjects_told(told, 9) == subjects_of(key)
    assert [*payers(told, 9)] == [*map(store_name, subjects), "deployment"]
    assert [*everybody(told, 9, "acme")] == [*payers(told, 9), "provider:acme"]


_OTHERS = ("member_id", "service_account_id", "project_id")


def test_row_of_the_ledger_tells_owners_as_a_record_does() -> None:
    row = LedgerEntry(lineage_id=1, member_id=None, service_account_id=5, project_id=None)
    assert owners_of(row) == (1, 0, 5, 0)


def test_only_the_operators_subjects_bear_losses() -> None:
    assert [name for name in everybody((1, 2, 0, 4), 9, "acme") if bears_losses(name)] == [
        "deployment",
        "provider:acme",
    ]


@pytest.mark.parametrize(("at", "quarter"), [(899.999999, 0), (899.9999996, 900), (900.0, 900)])
def test_quarter_is_that_of_the_microsecond_that_the_ledger_has(at: float, quarter: int) -> None:
    assert quarter_of(at) == quarter
