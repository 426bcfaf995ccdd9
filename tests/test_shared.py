"""What all processes of a run share."""

import threading
import time
from pathlib import Path

from tests.patience import HANG_S
from tests.shared import made_once


def test_what_two_ask_for_at_once_is_made_once(tmp_path: Path) -> None:
    name, made, second = tmp_path.name, [], threading.Thread(target=lambda: made_once(name, make))

    def make(folder: Path) -> None:
        made.append(folder)
        if len(made) == 1:
            second.start()
            # It opens the lock, and waits for it.
            time.sleep(0.05)

    folder = made_once(name, make)
    second.join(HANG_S)
    assert made == [folder]
