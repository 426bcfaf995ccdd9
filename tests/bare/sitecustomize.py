"""Python reads it first in each program of ours that tests start: see `BARE` in tests/gateway/program.py."""

import os
import sys

for name in os.environ.get("GATEHOUSE_TESTS_HIDE", "").split():
    sys.modules[name] = None  # type: ignore[assignment]
