"""What is counted, and what of it is written."""

import pytest

from gateway.metrics.families import FAMILIES, Counter, Gauge, Histogram
from gateway.metrics.labels import NONE, OTHER, Bounded, TeamNames
from gateway.metrics.totals import Totals

CALLS = Counter("calls_total", "Calls.", ("kind",))
SECONDS = Histogram("seconds", "Seconds.", (0.1, 1.0))
OPEN = Gauge("open", "Open.", "livesum", ("kind",))
LAST = Gauge("last", "Last.", "max")
SEEN = Gauge("seen", "Seen.", "livemostrecent", ("kind",))


def changed(totals: Totals) -> dict[tuple[str, ...], float]:
    return {
        (series.family.name + series.suffix, *series.labels, *([str(series.le)] if series.le else [])): value
        for series, value, _ in totals.end_round()
    }


def test_counters_grow_and_are_told_once() -> None:
    totals = Totals()
    totals.add(CALLS, "a")
    totals.add(CALLS, "a", by=2)
    assert changed(totals) == {("calls_total", "a"): 3}
    assert changed(totals) == {}
    totals.add(CALLS, "a")
    assert changed(totals) == {("calls_total", "a"): 4}


@pytest.mark.parametrize(
    ("value", "bucket"), [(0.0, "0.1"), (0.1, "0.1"), (0.11, "1.0"), (1.0, "1.0"), (1.1, "inf")]
)
def test_a_value_goes_into_the_first_bucket_that_holds_it(value: float, bucket: str) -> None:
    totals = Totals()
    totals.observe(SECONDS, value=value)
    told = changed(totals)
    assert told.pop(("seconds_sum",)) == value
    # Each for itself: readers add them up.
    assert told == {("seconds_bucket", bound): float(bound == bucket) for bound in ("0.1", "1.0", "inf")}


def test_a_gauge_of_which_a_round_says_nothing_is_0() -> None:
    totals = Totals()
    totals.set(OPEN, "a", to=2)
    totals.set(OPEN, "b", to=1)
    assert changed(totals) == {("open", "a"): 2, ("open", "b"): 1}
    totals.set(OPEN, "a", to=2)
    assert changed(totals) == {("open", "b"): 0}
    totals.set(OPEN, "a", to=2)
    assert changed(totals) == {}
    totals.set(OPEN, "b", to=5)
    assert changed(totals) == {("open", "a"): 0, ("open", "b"): 5}


def test_what_is_seen_at_an_instant_is_told_with_it_and_gone_when_it_is_not_known_any_more() -> None:
    totals = Totals()
    totals.tell(SEEN, "a", to=3, at=50.0)
    assert [told[1:] for told in totals.end_round()] == [(3, 50.0)]
    totals.tell(SEEN, "a", to=3, at=50.0)
    assert not [*totals.end_round()]
    totals.tell(SEEN, "a", to=0, at=60.0)
    assert [told[1:] for told in totals.end_round()] == [(0, 60.0)]
    assert [told[1:] for told in totals.end_round()] == [(0, 0.0)]
    assert not [*totals.end_round()]


def test_an_instant_stays() -> None:
    totals = Totals()
    totals.set(LAST, to=7)
    assert changed(totals) == {("last",): 7}
    assert changed(totals) == {}


def test_only_so_many_words_are_labels() -> None:
    bounded = Bounded(2)
    assert [bounded(word) for word in ("a", "b", "c", "a", "", "c")] == ["a", "b", OTHER, "a", NONE, OTHER]


def test_the_oldest_teams_are_told_apart() -> None:
    asked = []

    def load() -> dict[int, str]:
        asked.append(1)
        return {3: "third", 7: "seventh", 9: "ninth"}

    teams = TeamNames(load, 2)
    assert [teams(pk) for pk in (3, 7, 9, 3, 9, 0, 404, 404)] == [
        *("third", "seventh", OTHER, "third", OTHER, "operator", OTHER, OTHER)
    ]
    # Once for the first, once for the one that nobody knows.
    assert len(asked) == 2


def test_teams_whose_names_cannot_be_read_are_others_until_they_can(caplog: pytest.LogCaptureFixture) -> None:
    names: dict[int, str] = {}

    def load() -> dict[int, str]:
        if not names:
            raise OSError("The database is away.")
        return names

    teams = TeamNames(load, 2)
    assert teams(3) == OTHER
    names[3] = "third"
    teams.forget()
    assert teams(3) == "third"
    assert "The database is away." in caplog.text


def test_names_are_of_one_kind() -> None:
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    for family in FAMILIES:
        assert family.name.startswith("gatehouse_")
        assert family.name.endswith("_total") == isinstance(family, Counter)
        # By which prometheus-client tells the parts of a file's name apart.
        assert "_" not in getattr(family, "merged", "")
        assert family.help.endswith(".")
