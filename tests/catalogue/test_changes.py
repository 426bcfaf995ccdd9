"""What changed between two instants, from values alone."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from catalogue.changes.change_text import tell_change
from catalogue.changes.model_changes import INSTANT, Change, Kind, Version, changes_between
from catalogue.published.record import record
from tests.catalogue.lives import a_model, a_price, a_snapshot, a_version, an_offering, day

_FIRST, _LAST = day(1), day(30)


def told(
    *versions: Version, begins: datetime = _FIRST, ends: datetime = _LAST
) -> list[tuple[str, int | None]]:
    """Kind and edition of each change, the oldest first."""
    return [
        (change.kind.value, change.edition) for change in reversed(changes_between(versions, begins, ends))
    ]


def fields(change: Change) -> dict[str, tuple[object, object]]:
    return {each.field: (each.before, each.after) for each in change.fields}


def test_first_edition_of_a_model_adds_it() -> None:
    assert told(a_version(a_model(), 2)) == [("added", 2)]


def test_model_published_before_its_release_is_announced_then_released_by_its_date() -> None:
    assert told(a_version(a_model(release_at=day(9)), 2)) == [("announced", 2), ("released", None)]


def test_model_is_deprecated_and_retired_at_midnight_with_no_edition_in_between() -> None:
    model = a_model(deprecation_at=day(9), retirement_at=day(20))
    changes = changes_between([a_version(model, 2)], day(5), day(30))
    assert [(change.kind, change.at, change.edition) for change in changes] == [
        (Kind.RETIRED, day(20), None),
        (Kind.DEPRECATED, day(9), None),
    ]


def test_date_set_into_the_past_is_a_change_of_its_edition() -> None:
    plain, ended = a_model(), a_model(retirement_at=day(5))
    assert told(a_version(plain, 2, 8), a_version(ended, 8), begins=day(3)) == [
        ("retired", 8),
        ("changed", 8),
    ]


def test_date_that_was_moved_before_it_came_does_not_come() -> None:
    first, moved = a_model(retirement_at=day(9)), a_model(retirement_at=day(25))
    assert told(a_version(first, 2, 8), a_version(moved, 8), begins=day(3)) == [
        ("changed", 8),
        ("retired", None),
    ]


def test_date_and_edition_of_one_instant_are_both_told() -> None:
    first = a_model(deprecation_at=day(8))
    second = replace(first, context_length=8000)
    assert told(a_version(first, 2, 8), a_version(second, 8), begins=day(3)) == [
        ("deprecated", 8),
        ("changed", 8),
    ]


def test_withdrawn_model_tells_the_edition_that_closed_it() -> None:
    assert told(a_version(a_model(), 2, 8)) == [("added", 2), ("withdrawn", 8)]


def test_model_that_comes_back_is_added_again() -> None:
    versions = [a_version(a_model(), 2, 5), a_version(a_model(), 9)]
    assert told(*versions) == [("added", 2), ("withdrawn", 5), ("added", 9)]


def test_rollback_is_a_change_of_its_own() -> None:
    plain, renamed = a_model(), a_model(description="Other.")
    changes = changes_between(
        [a_version(plain, 2, 5), a_version(renamed, 5, 9), a_version(plain, 9)], day(3), day(30)
    )
    assert [fields(change)["description"] for change in changes] == [("Other.", None), (None, "Other.")]
    assert len({change.id for change in changes}) == 2


def test_price_that_begins_by_date_reprices_without_an_edition() -> None:
    prices = a_price("1", valid_to=day(9)), a_price("2", valid_from=day(9))
    (change,) = changes_between([a_version(a_model(an_offering(1, *prices)), 2)], day(3), day(30))
    assert (change.kind, change.at, change.edition) == (Kind.REPRICED, day(9), None)
    assert fields(change) == {
        "pricing.prompt": ("0.000001", "0.000002"),
        "offerings.p1:one.pricing.input_text_tokens": ("0.000001", "0.000002"),
    }


def test_price_replaced_by_an_edition_reprices_and_its_rows_are_not_told_twice() -> None:
    old = a_model(an_offering(1, a_price("1")))
    new = a_model(an_offering(1, a_price("1", valid_to=day(8)), a_price("3", valid_from=day(8))))
    assert told(a_version(old, 2, 8), a_version(new, 8), begins=day(3)) == [("repriced", 8)]


def test_price_to_come_is_a_change_until_it_comes() -> None:
    old = a_model(an_offering(1, a_price("1")))
    new = a_model(an_offering(1, a_price("1", valid_to=day(20)), a_price("3", valid_from=day(20))))
    versions = [a_version(old, 2, 8), a_version(new, 8)]
    assert told(*versions, begins=day(3)) == [("changed", 8), ("repriced", None)]
    change = changes_between(versions, day(8), day(9))[0]
    assert fields(change)["offerings.p1:one.prices"] == (
        ["input_text_tokens: 0.000001 USD a token"],
        [
            "input_text_tokens: 0.000001 USD a token until 2026-06-20",
            "input_text_tokens: 0.000003 USD a token from 2026-06-20",
        ],
    )


@pytest.mark.parametrize(
    "condition", [{"plan": "batch"}, {"currency": "EUR"}, {"conditions": ({"above": 1},)}]
)
def test_price_that_lists_do_not_show_reprices_nothing(condition: dict[str, object]) -> None:
    prices = a_price("1"), a_price("2", valid_from=day(9), **condition)
    assert told(a_version(a_model(an_offering(1, *prices)), 2), begins=day(3)) == []


def test_offering_that_begins_by_date_is_told() -> None:
    model = a_model(an_offering(1), an_offering(2, effective_from=day(9)))
    (change,) = changes_between([a_version(model, 2)], day(3), day(30))
    assert fields(change) == {"providers": (["p1"], ["p1", "p2"])}


def test_range_includes_its_beginning_and_excludes_its_end() -> None:
    version = a_version(a_model(retirement_at=day(9)), 2)
    assert told(version, begins=day(9), ends=day(10)) == [("retired", None)]
    assert told(version, begins=day(3), ends=day(9)) == []


def test_newest_comes_first_and_models_of_one_instant_by_id() -> None:
    versions = [a_version(a_model(id=f"acme/{name}", retirement_at=day(9)), 2) for name in ("b", "a")]
    ids = [change.model.id for change in changes_between(versions, day(1), day(30))]
    assert ids == ["acme/a", "acme/b", "acme/a", "acme/b"]


def test_ids_are_the_same_whenever_asked_and_differ_between_changes() -> None:
    versions = [a_version(a_model(deprecation_at=day(5), retirement_at=day(9)), 2)]
    whole = [change.id for change in changes_between(versions, day(1), day(30))]
    part = [change.id for change in changes_between(versions, day(4), day(30))]
    assert whole[: len(part)] == part
    assert len(set(whole)) == 3
    assert all(id_.startswith("urn:uuid:") for id_ in whole)


def test_sentences_name_the_end_and_the_way_out() -> None:
    model = a_model(deprecation_at=day(9), retirement_at=day(20))
    deprecated = changes_between([a_version(model, 2)], day(9), day(10))[0]
    assert tell_change(deprecated, a_model(id="acme/two")) == (
        "Model 'acme/one' is deprecated and will be retired on 2026-06-20; use 'acme/two'."
    )


def _random_model(dice: random.Random) -> object:
    """Dates in order, and a price that changes at one of them."""
    dates = sorted(dice.sample(range(2, 29), 4))
    release, deprecation, retirement, price = (
        day(number) if dice.random() < 0.7 else None for number in dates
    )
    prices = [a_price("1", valid_to=price), a_price(str(dice.randint(1, 3)), valid_from=price)]
    if price is None:
        prices = prices[:1]
    return a_model(
        an_offering(1, *prices),
        release_at=release,
        deprecation_at=deprecation,
        retirement_at=retirement,
        context_length=dice.choice([None, 8000]),
    )


def _random_life(dice: random.Random) -> Sequence[Version]:
    editions = sorted(dice.sample(range(2, 29), dice.randint(1, 4)))
    ends = [*editions[1:], None]
    return [
        a_version(_random_model(dice), opened, closed) for opened, closed in zip(editions, ends, strict=True)
    ]  # type: ignore[arg-type]


def _seen(versions: Sequence[Version], at: datetime) -> dict[str, object] | None:
    """What clients read of the model at that instant."""
    live = [version.model for version in versions if version.is_live(at)]
    if not live:
        return None
    shown = record(live[-1], a_snapshot(live[-1]), at)
    return {
        name: shown[name] for name in ("status", "pricing", "release_date", "retirement_date", "top_provider")
    }


@pytest.mark.parametrize("seed", range(60))
def test_lists_change_exactly_where_changes_are_told(seed: int) -> None:
    versions = _random_life(random.Random(seed))
    instants = {change.at for change in changes_between(versions, day(1), day(30))}
    for number in range(1, 30):
        at = day(number)
        if _seen(versions, at - INSTANT) != _seen(versions, at):
            assert at in instants, at


@pytest.mark.parametrize("seed", range(60))
def test_parts_of_a_range_tell_what_the_whole_tells(seed: int) -> None:
    versions = _random_life(random.Random(seed))
    whole = [change.id for change in changes_between(versions, day(1), day(30))]
    parts = [
        change.id
        for number in range(29, 0, -1)
        for change in changes_between(versions, day(number), day(number) + timedelta(days=1))
    ]
    assert parts == whole
