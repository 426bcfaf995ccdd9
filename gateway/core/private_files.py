"""Files that only their owner may read, also in a folder that others may look into."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

MODE = 0o600
# SQLite makes these itself, with the mode of the database's file; but earlier ones may lie there.
_BESIDE = ("", "-wal", "-shm", "-journal")


def keep_private(database: Path) -> None:
    """Make SQLite's file before SQLite does, which goes by the umask, and close what lies there already."""
    with suppress(OSError):
        os.close(os.open(database, os.O_RDWR | os.O_CREAT, MODE))
    close_to_others(files_of(database))


def close_to_others(paths: Iterable[Path]) -> None:
    """What belongs to somebody else stays as it is; `exposed` names it."""
    for path in exposed(paths):
        with suppress(PermissionError, FileNotFoundError):
            path.chmod(MODE)


def exposed(paths: Iterable[Path]) -> list[Path]:
    """Those that others than their owner may read or write."""
    return [path for path in paths if path.is_file() and path.stat().st_mode & 0o077]


def files_of(database: Path) -> list[Path]:
    return [Path(f"{database}{ending}") for ending in _BESIDE]


def open_private(path: str, flags: int) -> int:
    """An opener for `open`: the file that it makes is its owner's only."""
    return os.open(path, flags, MODE)
