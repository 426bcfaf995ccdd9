"""Keeps a process alive that answers scrapes of this host: one, however many processes of ours run on it."""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from gateway.server.serving import CannotStart, bind

_log = logging.getLogger(__name__)
_AGAIN_S = 15.0
_LOOK_S = 0.5
_END_S = 3.0


class Exporter:
    """Whichever process has the port first starts it; the others try again, and take over once that one has ended."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="exporter", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_END_S + 1)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._serve_once()
            self._stopping.wait(_AGAIN_S)

    def _serve_once(self) -> None:
        try:
            listener = bind(settings.METRICS_HOST, settings.METRICS_PORT)
        except CannotStart as error:
            # Usually another process of this host serves already.
            _log.info("Metrics are not served by this process: %s", error)
            return
        with listener:
            descriptor = listener.fileno()
            command = [sys.executable, "-m", "gateway.cli", "metrics", "--descriptor", str(descriptor)]
            process = subprocess.Popen(  # noqa: S603
                [*command, "--parent", str(os.getpid())],
                pass_fds=[descriptor],
                process_group=0,
                stdin=subprocess.DEVNULL,
            )
            while process.poll() is None and not self._stopping.wait(_LOOK_S):
                pass
        if self._stopping.is_set():
            _end(process)
        else:
            _log.warning("What serves the metrics ended with %d; it is started again.", process.returncode)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def serving_metrics() -> Iterator[None]:
    """Where they have a port of their own; else nothing happens."""
    if not settings.METRICS_PORT:
        yield
        return
    exporter = Exporter()
    exporter.start()
    try:
        yield
    finally:
        exporter.stop()
