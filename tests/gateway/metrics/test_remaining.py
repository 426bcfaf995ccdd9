"""What is left of providers' own limits, as a scrape of a host's processes has it."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.metrics import remaining
from gateway.metrics.files import OwnFiles
from gateway.metrics.remaining import Remaining
from gateway.metrics.serving import scrape
from gateway.metrics.totals import Totals
from providers.wire.remaining import remaining_in

NAME = "gatehouse_provider_ratelimit_remaining"


class Process:
    def __init__(self, folder: Path, name: str) -> None:
        self.remaining, self._totals, self._files = Remaining(), Totals(), OwnFiles(folder, name)
        self.close = self._files.close

    def hear(self, left: str, at: float) -> None:
        self.remaining.note("acme/one", "acme", {"x-ratelimit-remaining-tokens": left}, at)

    def write(self) -> None:
        self.remaining.look(self._totals)
        self._files.write(self._totals.end_round())


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[list[Process]]:
    with ExitStack() as stack:
        started = [Process(tmp_path, name) for name in ("1-a", "2-b")]
        for each in started:
            stack.callback(each.close)
        yield started


def told(folder: Path) -> list[float]:
    families = text_string_to_metric_families(scrape(folder, "")[0].decode())
    return [sample.value for family in families for sample in family.samples if family.name == NAME]


def test_the_last_word_of_any_process_counts(tmp_path: Path, processes: list[Process]) -> None:
    one, other = processes
    now = time.time()
    one.hear("90", now - 2)
    other.hear("70", now - 1)
    for each in processes:
        each.write()
    assert told(tmp_path) == [70]
    one.hear("0", now)
    one.write()
    assert told(tmp_path) == [0]


def test_what_was_answered_before_is_not_the_last_word(tmp_path: Path, processes: list[Process]) -> None:
    now = time.time()
    processes[0].hear("70", now)
    processes[0].hear("90", now - 5)
    processes[0].write()
    assert told(tmp_path) == [70]


def test_what_nobody_has_said_for_long_is_gone(
    tmp_path: Path, processes: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    processes[0].hear("3", time.time())
    processes[0].write()
    assert told(tmp_path) == [3]
    monkeypatch.setattr(remaining, "_BELIEVED_S", -60.0)
    processes[0].write()
    assert told(tmp_path) == []


@pytest.mark.parametrize("told", ["", "many", "-1", "1.5", "\u0663", "9" * 16])
def test_what_is_no_whole_number_is_left_out(told: str) -> None:
    assert [*remaining_in({"x-ratelimit-remaining-requests": told})] == []


def test_each_vendors_words_are_known() -> None:
    said = {
        "x-ratelimit-remaining-requests": "1",
        "x-ratelimit-remaining-tokens": "2",
        "anthropic-ratelimit-input-tokens-remaining": "3",
        "anthropic-ratelimit-output-tokens-remaining": "4",
        "x-ratelimit-reset-requests": "5",
    }
    assert [*remaining_in(said)] == [
        ("requests", 1),
        ("tokens", 2),
        ("input_tokens", 3),
        ("output_tokens", 4),
    ]
