"""Runs the scripted provider as a process: `python -m tests.upstream --port 9100 --log seen.jsonl`.

One JSON line for each request, written before it is answered. `GET /_seen` tells how each of them ended. The first line
written is the base URL.
"""

import argparse
import signal
import sys
from pathlib import Path

from tests.upstream import ScriptedProvider


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.upstream")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    parser.add_argument(
        "--default", default="ok", help="what a request meets, such as slow?chunks=40&delay=0.05"
    )
    options = parser.parse_args()
    with ScriptedProvider(port=options.port, default=options.default, log_path=options.log) as provider:
        sys.stdout.write(f"{provider.base_url}\n")
        sys.stdout.flush()
        signal.pause()


main()
