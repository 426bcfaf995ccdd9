"""The product as a newcomer starts it: one command, an empty data folder, a free port, nothing else."""

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.gateway.program import Program, curl_line_of, running
from tests.patience import HANG_S
from tests.services import free_port
from tests.shared import made_once
from tests.upstream import ScriptedProvider

RUN = ("gateway.cli", "run")
# What the machine of the tests may have set, and a newcomer has not.
_BARE = {"DATABASE_URL": "", "REDIS_URL": "", "GATEWAY_DEMO_PORT": "", "GATEWAY_CHAT_LANE": "auto"}
_PRINTED = {
    "key": r"First key +(sk-gw-\S+)",
    "admin_password": r"Staff login +admin +(\S+)",
    "member_password": r"Team login +member +(\S+)",
}
# These follow the time, not what anybody did.
_RESTLESS_TABLES = {"accounts_ledgerentry", "accounts_revision", "django_session", "providers_proberesult"}
_RESTLESS_TABLES |= {"sqlite_sequence", "providers_upstreamlist"}
_RESTLESS_TABLES |= {"accounts_alert", "accounts_alertdelivery"}
_RESTLESS_TABLES |= {"accounts_spend", "accounts_spendversion", "accounts_spoolmark"}
_RESTLESS_TABLES |= {"accounts_usageday", "accounts_usagequarter", "accounts_usageseries"}
_RESTLESS_TABLES |= {"accounts_usageclosed", "accounts_usagecoarse"}
_RESTLESS_TABLES |= {"accounts_routingnote", "accounts_routingplan", "accounts_translationnote"}
_RESTLESS_TABLES |= {"accounts_auditreceiver"}
_RESTLESS_TABLES |= {"providers_statusday", "providers_statusprogress"}
_RESTLESS_COLUMNS = {"last_used_at", "last_login", "health", "health_changed_at", "next_probe_at"}
# The demo providers follow their server to whichever port is free.
_ADDRESS = re.compile(r"127\.0\.0\.1:\d+")


@dataclass
class Product:
    """One running product. Secrets are empty where the start made none."""

    url: str
    folder: Path
    program: Program
    key: str = ""
    admin_password: str = ""
    member_password: str = ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    @property
    def log(self) -> str:
        """All that was printed."""
        return self.program.text

    @property
    def curl_line(self) -> str:
        return curl_line_of(self.log)

    def client(self, key: str = "", **headers: str) -> httpx.Client:
        given = {"authorization": f"Bearer {key or self.key}", **headers}
        # There is no TLS here, and loading certificates takes longer than a call.
        return httpx.Client(base_url=self.url, headers=given, timeout=HANG_S, verify=False)

    def chat(
        self, model: str = "demo/chat", *, key: str = "", lane: str = "auto", **body: Any
    ) -> httpx.Response:
        given = {"model": model, "messages": [{"role": "user", "content": "hello"}], **body}
        with self.client(key, **{"x-gateway-lane": lane}) as client:
            return client.post("/v1/chat/completions", json=given)

    def model_ids(self) -> set[str]:
        with self.client() as client:
            return {row["id"] for row in client.get("/v1/models").json()["data"]}

    def demo_url(self, name: str) -> str:
        """Where one of the demo providers is."""
        query = "SELECT base_url FROM providers_provider WHERE slug = ?"
        with closing(self._database()) as database:
            (base_url,) = database.execute(query, [name]).fetchone()
        return str(base_url).removesuffix("/v1")

    def rows(self) -> dict[str, list[str]]:
        """Every row of every table as text, but for what changes with time alone."""
        with closing(self._database()) as database:
            names = [
                name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            return {name: _rows_of(database, name) for name in names if name not in _RESTLESS_TABLES}

    def _database(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.folder}/gatehouse.sqlite3?mode=ro", uri=True)


@contextmanager
def started(folder: Path, *, module: str = RUN[0], **environment: str) -> Iterator[Product]:
    """`python -m gateway.cli run` on that data folder, ready to be asked; or another module that runs that.

    A test of what comes after a first start takes the fixture `prepared`.
    """
    settings = {**_BARE, "GATEWAY_DATA_DIR": str(folder), "PORT": str(free_port()), **environment}
    with running(module, *RUN[1:], **settings) as program:
        program.wait_for("Try it:")
        program.wait_for("curl ")
        yield Product(f"http://127.0.0.1:{settings['PORT']}", folder, program, **_secrets_in(program.text))


@dataclass(frozen=True)
class Prepared:
    """A data folder that `gatehouse prepare` made, to be copied: a first start takes three times as long."""

    folder: Path
    secrets: dict[str, str]

    def copied(self, folder: Path) -> Path:
        """To a folder that is not there yet."""
        return Path(shutil.copytree(self.folder, folder))

    @contextmanager
    def started(self, folder: Path, **environment: str) -> Iterator[Product]:
        """As the function of that name, on a copy in a folder that is not there yet."""
        with started(self.copied(folder), **environment) as product:
            yield replace(product, **self.secrets)


@pytest.fixture(scope="session")
def prepared() -> Prepared:
    folder = made_once("prepared", _prepare)
    return Prepared(folder / "data", json.loads((folder / "secrets.json").read_text()))


def _prepare(folder: Path) -> None:
    with running(RUN[0], "prepare", **_BARE, GATEWAY_DATA_DIR=str(folder / "data")) as program:
        assert program.wait() == 0, program.text
    (folder / "secrets.json").write_text(json.dumps(_secrets_in(program.text)))


@pytest.fixture(scope="session")
def upstream() -> Iterator[ScriptedProvider]:
    """A provider on loopback that `product` may call."""
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture(scope="session")
def product(
    tmp_path_factory: pytest.TempPathFactory, prepared: Prepared, upstream: ScriptedProvider
) -> Iterator[Product]:
    """One for the session. A test that breaks or ends its product takes `prepared`."""
    folder = tmp_path_factory.mktemp("embedded") / "data"
    with prepared.started(
        folder, GATEWAY_ALLOW_PRIVATE=urlsplit(upstream.base_url).netloc
    ) as running_product:
        yield running_product
    assert "Traceback" not in running_product.log, running_product.log


def _secrets_in(printed: str) -> dict[str, str]:
    found = {name: re.search(pattern, printed) for name, pattern in _PRINTED.items()}
    return {name: match.group(1) if match else "" for name, match in found.items()}


def _rows_of(database: sqlite3.Connection, table: str) -> list[str]:
    found = database.execute(f'SELECT * FROM "{table}"')
    names = [column[0] for column in found.description]
    kept = [name for name in names if name not in _RESTLESS_COLUMNS]
    rows = (dict(zip(names, row, strict=True)) for row in found)
    texts = (json.dumps([row[name] for name in kept], default=repr) for row in rows)
    return sorted(_ADDRESS.sub("127.0.0.1:PORT", text) for text in texts)
