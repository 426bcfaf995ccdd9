"""The local record of calls, through full disks, rotation and death."""

import errno
import os
import stat
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from accounts.attempts import AttemptRecord
from gateway.plane.spool import LEAST_ROOM_BYTES, Spool
from tests.gateway.spooling import attempt, begun, die_with, record_call
from tests.patience import HANG_S


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool")
    yield made
    made.close()


def left_behind(spool: Spool) -> list[AttemptRecord]:
    found: list[AttemptRecord] = []
    for orphan in spool.orphans():
        found += orphan.read()[0]
        orphan.discard()
    return found


def files(spool: Spool) -> list[str]:
    return sorted(path.suffix for path in spool.folder.iterdir())


def test_finished_attempts_wait_in_order_until_forgotten(spool: Spool) -> None:
    ids = [record_call(spool) for _ in range(3)]
    assert [each.opened.attempt_id for each in spool.finished(2)] == ids[:2]
    spool.forget(2)
    assert [each.opened.attempt_id for each in spool.finished(9)] == ids[2:]


def test_attempts_are_numbered_from_one_as_they_end(spool: Spool) -> None:
    first, second = attempt(), attempt()
    for each in (first, second):
        spool.attempt_opened(each)
    for each in (second, first):
        spool.attempt_closed(each)
    assert [(each.seq, each) for each in spool.finished(9)] == [(1, second), (2, first)]


def test_its_size_is_that_of_all_its_files(tmp_path: Path) -> None:
    spool = Spool(tmp_path, segment_bytes=2_000)
    for _ in range(10):
        record_call(spool)
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) > 2
    assert spool.size == sum(sizes)
    spool.close()


def test_files_are_told_apart_by_the_process_that_made_them(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "web-1")
    assert spool.name == "web-1"
    assert [spool.has_files_of(process) for process in ("web-1", "web", "web-2")] == [True, False, False]
    spool.close()


def test_open_attempt_is_not_finished(spool: Spool) -> None:
    spool.attempt_opened(begun())
    assert spool.finished(9) == []


def test_attempt_closed_twice_counts_once(spool: Spool) -> None:
    twice = attempt()
    spool.attempt_opened(twice)
    spool.attempt_closed(twice)
    spool.attempt_closed(twice)
    assert len(spool.finished(9)) == 1


def test_lag_is_the_age_of_the_oldest_finished_attempt(tmp_path: Path) -> None:
    now = 100.0
    spool = Spool(tmp_path, clock=lambda: now)
    assert spool.lag_s == 0.0
    record_call(spool)
    now = 107.0
    assert spool.lag_s == 7.0
    spool.forget(1)
    assert spool.lag_s == 0.0
    spool.close()


@pytest.mark.parametrize(("later", "lag_s"), [(-1.0, 0.0), (0.5, 0.5)])
def test_lag_is_exact_and_never_under_nothing(tmp_path: Path, later: float, lag_s: float) -> None:
    now = 100.0
    spool = Spool(tmp_path, clock=lambda: now)
    record_call(spool)
    now += later
    record_call(spool)
    assert spool.lag_s == lag_s
    spool.close()


def test_files_are_for_their_owner_only(spool: Spool) -> None:
    [path] = spool.folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_new_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Spool(tmp_path / "new").close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_living_process_keeps_its_files(spool: Spool, tmp_path: Path) -> None:
    record_call(spool)
    other = Spool(tmp_path / "spool")
    assert list(other.orphans()) == []
    assert list(spool.orphans()) == []
    other.close()


def test_drained_spool_leaves_no_file(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    record_call(spool)
    spool.forget(1)
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_closing_again_closes_nothing_that_is_not_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)
    spool.close()
    closed: list[int] = []
    monkeypatch.setattr(os, "close", closed.append)
    spool.close()
    monkeypatch.undo()
    assert closed == []


def test_spool_closed_with_records_leaves_them_to_the_next(tmp_path: Path, spool: Spool) -> None:
    first = Spool(spool.folder)
    record_call(first)
    first.attempt_opened(begun())
    first.close()
    assert [each.closed is None for each in left_behind(spool)] == [False, True]


def test_spool_closed_with_open_attempts_only_leaves_them_to_the_next(spool: Spool) -> None:
    first = Spool(spool.folder)
    first.attempt_opened(begun(attempt_id="still running"))
    first.close()
    assert [(left.opened.attempt_id, left.closed) for left in left_behind(spool)] == [("still running", None)]


def test_killed_process_loses_nothing(spool: Spool) -> None:
    die_with(spool.folder, finished=50, unfinished=7)
    found = left_behind(spool)
    assert len(found) == 57
    assert sum(each.closed is None for each in found) == 7


def test_attempt_reads_back_from_a_dead_process_as_it_was(spool: Spool) -> None:
    first = Spool(spool.folder)
    told = attempt(requested_model="né ☃", prices=[{"amount": "0.1"}])
    first.attempt_opened(told)
    first.attempt_closed(told)
    first.close()
    assert left_behind(spool) == [told]


def test_claimed_orphan_is_claimed_by_one_only(spool: Spool, tmp_path: Path) -> None:
    die_with(spool.folder, finished=1, unfinished=0)
    other = Spool(tmp_path / "spool")
    [mine] = spool.orphans()
    assert list(other.orphans()) == []
    mine.release()
    [theirs] = other.orphans()
    theirs.discard()
    other.close()


def test_torn_last_line_is_no_record(spool: Spool) -> None:
    die_with(spool.folder, finished=2, unfinished=0)
    [path] = [path for path in spool.folder.iterdir() if path.stat().st_size]
    path.write_bytes(path.read_bytes()[:-20])
    assert [each.closed is None for each in left_behind(spool)] == [False, True]


def test_unreadable_line_is_handed_over_and_the_rest_is_read(spool: Spool) -> None:
    die_with(spool.folder, finished=1, unfinished=0)
    [path] = [path for path in spool.folder.iterdir() if path.stat().st_size]
    path.write_bytes(b"{nonsense\n" + path.read_bytes())
    [orphan] = spool.orphans()
    attempts, unreadable = orphan.read()
    orphan.discard()
    assert (len(attempts), unreadable) == (1, [b"{nonsense"])


def test_fields_of_another_version_are_passed_over(spool: Spool) -> None:
    die_with(spool.folder, finished=1, unfinished=0)
    [path] = [path for path in spool.folder.iterdir() if path.stat().st_size]
    path.write_bytes(path.read_bytes().replace(b'"number":1', b'"number":1,"mood":"good"'))
    assert len(left_behind(spool)) == 1


def test_ends_of_a_version_that_numbered_none_have_no_number(spool: Spool) -> None:
    die_with(spool.folder, finished=1, unfinished=0)
    [path] = [path for path in spool.folder.iterdir() if path.stat().st_size]
    numbered = path.read_bytes()
    assert b',"s":1}' in numbered
    path.write_bytes(numbered.replace(b',"s":1}', b"}"))
    assert [each.seq for each in left_behind(spool)] == [0]


@pytest.mark.parametrize(
    "changes",
    [
        {"requested_model": "lone \ud800"},
        {"prices": [MappingProxyType({"amount": Decimal("0.1")})]},
        {"number": 10**40},
        {"project": "line\nbreak\0"},
    ],
)
def test_whatever_a_client_sends_can_be_recorded(spool: Spool, changes: dict[str, Any]) -> None:
    first = Spool(spool.folder)
    record_call(first, **changes)
    first.close()
    [each] = left_behind(spool)
    assert each.closed is not None


def test_rotation_begins_new_files_and_drops_drained_ones(tmp_path: Path) -> None:
    spool = Spool(tmp_path, segment_bytes=4_000)
    for _ in range(40):
        record_call(spool)
    assert len(files(spool)) > 3
    spool.forget(40)
    assert len(files(spool)) == 1
    spool.close()


@pytest.mark.parametrize("is_closed", [False, True])
@pytest.mark.parametrize(("more", "is_full"), [(0, True), (1, False)])
def test_file_that_is_just_full_is_followed_by_another(
    tmp_path: Path, more: int, is_full: bool, is_closed: bool
) -> None:
    record = attempt(attempt_id="a" * 32)

    def write(spool: Spool) -> None:
        spool.attempt_opened(record)
        if is_closed:
            spool.attempt_closed(record)

    probe = Spool(tmp_path / "probe")
    write(probe)
    [file] = probe.folder.iterdir()
    spool = Spool(tmp_path / "spool", segment_bytes=file.stat().st_size + more)
    write(spool)
    assert (max(path.name[-12:] for path in spool.folder.iterdir()) == "000002.spool") is is_full
    probe.close()
    spool.close()


def test_new_file_that_cannot_be_had_is_asked_for_again_once_as_much_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(tmp_path, segment_bytes=20_000)

    def fail(*_: Any) -> None:
        raise OSError(errno.EMFILE, "no descriptor")

    monkeypatch.setattr(spool, "_new_segment", fail)
    while "could not begin a new file" not in caplog.text:
        record_call(spool)
    for _ in range(5):
        record_call(spool)
    assert caplog.text.count("could not begin a new file") == 1
    monkeypatch.undo()
    spool.close()


def test_open_attempt_outlives_rotations_and_ends_once(spool: Spool) -> None:
    first = Spool(spool.folder, segment_bytes=4_000)
    long_one = attempt()
    first.attempt_opened(long_one)
    for _ in range(30):
        record_call(first)
    first.attempt_closed(long_one)
    first.close()
    assert [left for left in left_behind(spool) if left.opened == long_one.opened] == [long_one]


def test_death_after_rotations_leaves_each_attempt_once(spool: Spool) -> None:
    die_with(spool.folder, finished=60, unfinished=5, segment_bytes=4_000)
    found = left_behind(spool)
    assert len({each.opened.attempt_id for each in found}) == len(found) == 65
    assert sum(each.closed is None for each in found) == 5


def test_many_open_attempts_do_not_rotate_without_end(tmp_path: Path) -> None:
    spool = Spool(tmp_path, segment_bytes=2_000)
    for _ in range(50):
        spool.attempt_opened(begun())
    record_call(spool)
    assert len(files(spool)) < 30
    spool.close()


def test_full_disk_refuses_the_call_before_it_is_made(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "write", _full_disk)
    with pytest.raises(OSError, match="full"):
        spool.attempt_opened(begun())


def test_full_disk_is_told_until_there_is_room_again(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "write", _full_disk)
    with pytest.raises(OSError, match="full"):
        spool.attempt_opened(begun())
    spool.examine()
    assert spool.trouble == "the disk is full"
    monkeypatch.undo()
    spool.examine()
    assert spool.trouble == ""


def test_disk_that_fills_up_is_told_before_a_call_finds_out(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = os.statvfs(spool.folder)
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result((*room[:4], 0, *room[5:])))
    spool.examine()
    assert spool.trouble == "no space is left"


@pytest.mark.parametrize(("lacking", "trouble"), [(1, "no space is left"), (0, "")])
def test_the_least_room_is_room_enough(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, lacking: int, trouble: str
) -> None:
    room = SimpleNamespace(f_frsize=1, f_bavail=LEAST_ROOM_BYTES - lacking)
    monkeypatch.setattr(os, "statvfs", lambda _: room)
    spool.examine()
    assert spool.trouble == trouble


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_no_spool(spool: Spool, make: Callable[[Path], object]) -> None:
    make(spool.folder / "0.spool")
    assert left_behind(spool) == []


def test_root_carries_over_what_another_user_left(spool: Spool) -> None:
    if os.geteuid():
        pytest.skip("only root can make a file of another user")
    first = Spool(spool.folder)
    record_call(first)
    first.close()
    [left] = [path for path in spool.folder.iterdir() if path.stat().st_size]
    os.chown(left, 65_534, -1)
    assert len(left_behind(spool)) == 1


def test_looking_for_room_leaves_no_record(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    left = Spool(spool.folder)
    left.trouble = "the disk is full"
    left.examine()
    attempt_id = record_call(left)
    left.close()
    [orphan] = spool.orphans()
    attempts, unreadable = orphan.read()
    orphan.release()
    assert ([each.opened.attempt_id for each in attempts], unreadable) == ([attempt_id], [])


def test_end_of_a_call_survives_a_full_disk_in_memory(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    told = attempt()
    spool.attempt_opened(told)
    monkeypatch.setattr(os, "write", _full_disk)
    spool.attempt_closed(told)
    assert len(spool.finished(9)) == 1


def test_full_disk_is_logged_when_it_begins_and_when_it_ends(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    running = [attempt() for _ in range(2)]
    for each in running:
        spool.attempt_opened(each)
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda *_: 0)
        for each in running:
            spool.attempt_closed(each)
            with pytest.raises(OSError, match="full"):
                spool.attempt_opened(begun())
    spool.examine()
    assert [entry.levelname for entry in caplog.records] == ["ERROR", "WARNING"]


def test_half_written_line_does_not_spoil_the_next(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    first, write = Spool(spool.folder), os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:30]))
    with pytest.raises(OSError, match="full"):
        first.attempt_opened(begun())
    monkeypatch.undo()
    attempt_id = record_call(first)
    first.close()
    assert [each.opened.attempt_id for each in left_behind(spool)] == [attempt_id]


def test_appending_and_draining_at_once_loses_nothing(spool: Spool) -> None:
    drained: list[str] = []

    def drain() -> None:
        while len(drained) < 2_000:
            batch = spool.finished(50)
            drained.extend(each.opened.attempt_id for each in batch)
            spool.forget(len(batch))

    thread = threading.Thread(target=drain)
    thread.start()
    ids = [record_call(spool) for _ in range(2_000)]
    thread.join(HANG_S)
    assert drained == ids


def test_spool_holds_no_line_of_a_rejected_record(spool: Spool) -> None:
    spool.reject(begun(), "DataError")
    spool.reject(b"\xff not text", "unreadable")
    [path] = spool.folder.glob("*.rejected")
    assert len(path.read_text().splitlines()) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def _full_disk(descriptor: int, data: bytes) -> int:
    raise OSError(errno.ENOSPC, "The disk is full")
