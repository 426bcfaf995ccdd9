"""A task that lingers at a slow provider; and `gatehouse` with that task, as `python -m tests.hostile.lingering`."""

import socket
import sys
from urllib.parse import urlsplit

from celery import shared_task

from gateway.cli import main

LINGER_S = 4.0


@shared_task(name="tests.linger")
def linger(url: str) -> None:
    address = urlsplit(url)
    with socket.create_connection(
        (address.hostname or "", address.port or 80), timeout=LINGER_S
    ) as connection:
        try:
            connection.recv(1)
        except TimeoutError:
            return


if __name__ == "__main__":
    sys.exit(main())
