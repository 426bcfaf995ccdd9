"""One process at a time on a data folder: without Redis, two would not know of each other's limits."""

import fcntl
import os
from pathlib import Path
from typing import TextIO

from gateway.core.private_files import open_private


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
