"""A spool folder that holds what is not ours: our own is carried over all the same."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accounts.models import LedgerEntry
from gateway.plane.recorder import Recorder
from gateway.plane.spool import Spool
from tests.gateway.spooling import record_call

NOBODY = 65_534


def leave_behind(folder: Path) -> None:
    """An attempt whose process has ended."""
    spool = Spool(folder)
    record_call(spool)
    spool.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Shared with others. The test goes on as an ordinary user, whom permissions bind."""
    folder = tmp_path / "spool"
    folder.mkdir(mode=0o777)
    folder.chmod(0o1777)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_mode & 0o011 != 0o011:
            parent.chmod(parent.stat().st_mode | 0o011)
    user = os.geteuid()
    yield folder
    os.seteuid(user)


def unreadable(path: Path) -> None:
    path.write_bytes(b"of somebody else\n")
    path.chmod(0)


def foreign(path: Path) -> None:
    """One that could be read, but not be removed."""
    leave_behind(path.parent)
    [left] = path.parent.glob("*.spool")
    left.chmod(0o644)
    left.rename(path)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "make", [unreadable, foreign, Path.mkdir, os.mkfifo, lambda path: path.symlink_to(path)]
)
def test_what_is_not_ours_is_told_once_and_left_alone(
    folder: Path, make: Callable[[Path], object], caplog: pytest.LogCaptureFixture
) -> None:
    if make is foreign and os.geteuid():
        pytest.skip("only root can make a file of another user")
    # Sorted before all others.
    make(folder / "0-foreign.spool")
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
    leave_behind(folder)
    spool = Spool(folder)
    assert [Recorder(spool).drain_orphans() for _ in range(3)] == [1, 0, 0]
    spool.close()
    assert LedgerEntry.objects.count() == 1
    assert caplog.text.count("0-foreign.spool is left alone") == 1


@pytest.mark.django_db
def test_file_that_cannot_be_read_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        leave_behind(tmp_path)
    first, _second = sorted(tmp_path.glob("*.spool"))
    spool = Spool(tmp_path)
    original = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path == first:
            raise OSError(5, "Input/output error")
        return original(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    with pytest.raises(OSError, match="Input/output"):
        Recorder(spool).drain_orphans()
    spool.close()
    assert LedgerEntry.objects.count() == 1
