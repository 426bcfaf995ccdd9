"""Files that only their owner may read, also in a folder that others may look into; a folder that one process holds."""

import fcntl
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

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


class FolderInUse(Exception):
    """Another process holds the folder; the message says which and what to do."""


def hold(folder: Path) -> TextIO:
    """Hold the folder until the returned file is closed, which the end of the process does too.

    Raises FolderInUse.
    """
    file = open(folder / "gatehouse.lock", "a+", encoding="utf-8", opener=open_private)  # noqa: SIM115
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise FolderInUse(
            f"Another Gatehouse (process {holder}) runs on the data folder {folder}. Stop it, name another "
            "folder with GATEWAY_DATA_DIR, or run several processes with DATABASE_URL and REDIS_URL."
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
