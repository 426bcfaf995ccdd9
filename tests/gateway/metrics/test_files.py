"""Several processes' numbers in one scrape: what the dead counted stays, what they were is gone."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.metrics import families, files
from gateway.metrics.files import OwnFiles
from gateway.metrics.serving import scrape
from gateway.metrics.totals import Totals


class Counted:
    """What one process wrote."""

    def __init__(self, folder: Path, name: str) -> None:
        self.totals, self.files, self.is_alive = Totals(), OwnFiles(folder, name), True

    def say(
        self, *, calls: int = 0, streams: int | None = None, at: float = 0, lag: float | None = None
    ) -> None:
        for _ in range(calls):
            self.totals.add(families.TASKS, "a", "success")
            self.totals.observe(families.OVERHEAD_SECONDS, "direct", value=0.002)
        if streams is not None:
            self.totals.set(families.OPEN_STREAMS, to=streams)
        if lag is not None:
            self.totals.set(families.LEDGER_LAG, to=lag)
        if at:
            self.totals.set(families.TASK_SUCCESS, "a", to=at)
        self.files.write(self.totals.end_round())

    def die(self) -> None:
        self.is_alive = False
        self.files.close()


Start = Callable[[Path, str], Counted]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Counted] = []

    def start(folder: Path, name: str) -> Counted:
        started.append(Counted(folder, name))
        return started[-1]

    yield start
    for process in started:
        if process.is_alive:
            process.die()


def told(folder: Path) -> dict[str, float]:
    """The numbers of a scrape, without those of buckets."""
    text = scrape(folder, "")[0].decode()
    return {
        sample.name.removeprefix("gatehouse_"): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_bucket")
    }


def test_processes_are_added_up_and_the_dead_keep_what_they_counted(tmp_path: Path, start: Start) -> None:
    one, other = start(tmp_path, "1-a"), start(tmp_path, "2-b")
    one.say(calls=3, streams=2, at=50, lag=4)
    other.say(calls=4, streams=5, at=40, lag=1)
    assert told(tmp_path) == {
        "tasks_total": 7,
        "overhead_seconds_count": 7,
        "overhead_seconds_sum": pytest.approx(0.014),
        "open_streams": 7,
        "ledger_lag_seconds": 4,
        "task_last_success_timestamp_seconds": 50,
    }
    one.die()
    expected = {
        "tasks_total": 7,
        "overhead_seconds_count": 7,
        "overhead_seconds_sum": pytest.approx(0.014),
        "open_streams": 5,
        "ledger_lag_seconds": 1,
        "task_last_success_timestamp_seconds": 50,
    }
    assert told(tmp_path) == expected
    assert told(tmp_path) == expected
    other.say(calls=1)
    third = start(tmp_path, "3-c")
    third.say(calls=2)
    third.die()
    assert told(tmp_path)["tasks_total"] == told(tmp_path)["overhead_seconds_count"] == 10


def test_buckets_of_the_dead_are_added_up_once(tmp_path: Path, start: Start) -> None:
    for name in ("1-a", "2-b", "3-c"):
        process = start(tmp_path, name)
        process.say(calls=2)
        process.die()
        scrape(tmp_path, "")
    text = scrape(tmp_path, "")[0].decode()
    buckets = [
        line.split()[1] for line in text.splitlines() if line.startswith("gatehouse_overhead_seconds_bucket")
    ]
    assert [float(each) for each in buckets] == [0, 0, 6, 6, 6, 6, 6, 6, 6, 6, 6]


def test_files_of_the_dead_are_removed(tmp_path: Path, start: Start) -> None:
    for number in range(3):
        process = start(tmp_path, f"{number}-a")
        process.say(calls=1, streams=1, at=1, lag=1)
        process.die()
    scrape(tmp_path, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("counter_ended.db", "gauge_max_ended.db", "histogram_ended.db", "readers")
    ]


def test_all_files_are_their_owners_alone(tmp_path: Path, start: Start) -> None:
    folder = tmp_path / "metrics"
    process = start(folder, "1-a")
    process.say(calls=1, streams=1)
    scrape(folder, "")
    assert {path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir())} == {0}


def test_too_much_of_the_dead_is_forgotten(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_MOST_OF_THE_DEAD", 3)
    process = start(tmp_path, "1-a")
    for number in range(4):
        process.totals.add(families.TASKS, f"task-{number}", "success")
    process.say()
    process.die()
    assert "tasks_total" not in told(tmp_path)


def test_every_metric_is_told_by_name_before_it_has_a_number(tmp_path: Path) -> None:
    text = scrape(tmp_path, "")[0].decode()
    for family in families.FAMILIES:
        assert f"# HELP {family.name} {family.help}" in text


def test_a_file_that_is_just_being_made_is_not_read(tmp_path: Path, start: Start) -> None:
    start(tmp_path, "1-a").say(calls=1)
    os.close(os.open(tmp_path / "counter_2-b.draft", os.O_CREAT | os.O_RDWR))
    assert told(tmp_path)["tasks_total"] == 1
