"""What web processes share is loaded in a way that survives being forked."""

import json
import signal
import subprocess
import sys
from pathlib import Path

from tests.gateway.program import ROOT

# Prints what a process has once it has loaded that.
LOADED = """
import gateway.boot.preloaded, gc, json, os, signal, sys, threading
open_files = [os.readlink(f"/proc/self/fd/{each}") for each in range(3, 64) if os.path.exists(f"/proc/self/fd/{each}")]
os.kill(os.getpid(), signal.SIGTERM)
if (child := os.fork()) == 0:
    signal.pause()
os.kill(child, signal.SIGTERM)
print(json.dumps({
    "child_ended_by": os.WTERMSIG(os.waitpid(child, 0)[1]),
    "is_loaded": "gateway.asgi" in sys.modules, "frozen": gc.get_freeze_count(),
    "threads": threading.active_count(), "files": open_files,
}))
"""


def load(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {"PATH": "", "GATEWAY_DATA_DIR": str(folder), **environment}
    command = [sys.executable, "-c", LOADED]
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=True)


def test_neither_threads_nor_files_are_open_where_children_are_forked_off(tmp_path: Path) -> None:
    loaded = json.loads(load(tmp_path).stdout)
    assert loaded["is_loaded"]
    assert (loaded["threads"], loaded["files"]) == (1, [])
    assert loaded["frozen"] > 100_000


def test_a_signal_to_end_is_heard_by_each_child_from_its_first_moment_and_not_by_what_forks_it(
    tmp_path: Path,
) -> None:
    assert json.loads(load(tmp_path).stdout)["child_ended_by"] == signal.SIGTERM


def test_settings_that_cannot_be_used_are_left_for_the_children_to_tell(tmp_path: Path) -> None:
    done = load(tmp_path, GATEWAY_CHAT_LANE="fast")
    assert not json.loads(done.stdout)["is_loaded"]
    assert done.stderr == ""
