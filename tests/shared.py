"""What all processes of a run of tests share: made by the first that asks, and read by the others."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

# Set before processes are forked; one that a test starts inherits it.
VARIABLE = "GATEHOUSE_TESTS_SHARED"


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """A folder that `make` fills, which may be called by name in one process only."""
    folder = Path(os.environ[VARIABLE]) / name
    folder.mkdir(exist_ok=True)
    with (folder.parent / f"{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Not where this process would write, which is where the file ended when it was opened: before it was made.
        if not os.fstat(lock.fileno()).st_size:
            make(folder)
            lock.write("made")
    return folder
