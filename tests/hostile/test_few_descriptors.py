"""More connections than a process may open files: who is in goes on, and spool and ledger have theirs."""

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import orjson
import pytest

from gateway.server.descriptors import share_for_clients
from tests.hostile.few_descriptors import MOST
from tests.hostile.guarded_server import CHAT, Client
from tests.services import wait_until
from tests.system.embedded import Product, started

pytestmark = pytest.mark.drill

CALLS = 3
ROOM = share_for_clients(MOST, 10_000, 2_000)


def call(client: Client, key: str) -> int:
    body = orjson.dumps({"model": "demo/chat", "messages": [{"role": "user", "content": "hello"}]})
    head = b"POST %s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n" % CHAT.encode()
    client.say(
        head + b"authorization: Bearer %s\r\ncontent-length: %d\r\n\r\n" % (key.encode(), len(body)) + body
    )
    return client.read_answer()[0]


def rows_of(product: Product) -> int:
    with closing(sqlite3.connect(f"file:{product.folder}/gatehouse.sqlite3?mode=ro", uri=True)) as database:
        return database.execute("SELECT count(*) FROM accounts_ledgerentry").fetchone()[0]


def test_flood_of_silent_connections_stops_neither_calls_nor_the_ledger(tmp_path: Path) -> None:
    with started(tmp_path / "data", module="tests.hostile.few_descriptors") as product, ExitStack() as flood:
        assert f"enough for {ROOM} connections" in product.log
        with Client.to(product.port) as client:
            assert call(client, product.key) == 200
            for _ in range(3 * MOST):
                flood.enter_context(Client.to(product.port))
            assert not _is_answered(Client.to(product.port), product.key)
            assert [call(client, product.key) for _ in range(CALLS - 1)] == [200] * (CALLS - 1)
            wait_until(lambda: rows_of(product) == CALLS, "writing the ledger")
            flood.close()
            wait_until(lambda: _is_answered(Client.to(product.port), product.key), "having room again")
    assert "Too many open files" not in product.log


def _is_answered(client: Client, key: str) -> bool:
    with client:
        try:
            return call(client, key) == 200
        except (AssertionError, OSError):
            return False
