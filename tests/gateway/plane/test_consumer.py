"""The consumer of tasks goes on trying to reach its broker, however long it is away."""

import socket
import threading
from collections.abc import Iterator

import pytest
from celery import Celery
from celery.exceptions import WorkerShutdown
from celery.worker import WorkController, state

# Celery's own limit is 100.
TRIES = 120


class Broken:
    """A broker that hangs up on everybody, and that has the worker stopped after so many tries."""

    def __init__(self, listener: socket.socket, tries: int) -> None:
        self.left = tries
        self.url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        threading.Thread(target=self._refuse, args=[listener], daemon=True).start()

    def _refuse(self, listener: socket.socket) -> None:
        while self.left:
            listener.accept()[0].close()
            self.left -= 1
        state.should_stop = 0


@pytest.fixture
def broken() -> Iterator[Broken]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Broken(listener, TRIES)
    state.should_stop = None


@pytest.mark.django_db  # Celery has the models checked, and newer versions of Django ask the database for that.
def test_broker_is_tried_until_the_worker_is_asked_to_stop(
    broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.plane.consumer._RETRY_S", 0.001)
    with Celery(broker=broken.url, set_as_current=False) as app:
        consumer = WorkController(
            app=app, pool="threads", consumer_cls="gateway.plane.consumer:Consumer"
        ).consumer
        with pytest.raises(WorkerShutdown):
            consumer.ensure_connected(app.connection_for_read())
    assert broken.left == 0
