"""A sheet of 8,000 rows is previewed and imported on PostgreSQL, and its worker stopped dead: keys are revoked."""

import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest

from tests.patience import HANG_S
from tests.services import PostgresServer, RedisServer, free_port, wait_until
from tests.system.admin_pages import AdminPages, Refused
from tests.system.deployment import WEB, Deployment, deployed

pytestmark = [pytest.mark.drill, pytest.mark.slow]

ROWS = 8_000
PASSWORD = "a-long-password"
BUSY = "did not end in time"


class Site:
    """Web and worker processes, a curator, and what SQL says of the import."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.management = self.new_key("management").text
        deployment.start_web()
        self.worker = deployment.start_worker()
        self.client = httpx.Client(base_url=deployment.url, timeout=HANG_S)
        self.admin_pages = AdminPages(deployment.url, username="curator", password=PASSWORD)
        self.uploads = 0

    def settle(self) -> None:
        """As the next test expects it: a worker at work, and no import."""
        self.worker.send_signal(signal.SIGCONT)
        with psycopg.connect(self.deployment.environment["DATABASE_URL"]) as database:
            database.execute("UPDATE catalogue_sheetimport SET state = 'cancelled'")
        if self.worker.poll() is not None:
            self.worker = self.deployment.start_worker()

    def close(self) -> None:
        self.admin_pages.close()
        self.client.close()

    def sql(self, statement: str) -> Any:
        with psycopg.connect(self.deployment.environment["DATABASE_URL"]) as database:
            return database.execute(statement).fetchone()[0]

    def state(self) -> str:
        return str(self.sql("SELECT state FROM catalogue_sheetimport ORDER BY id DESC LIMIT 1"))

    def done_rows(self) -> int:
        return int(self.sql("SELECT done_rows FROM catalogue_sheetimport ORDER BY id DESC LIMIT 1"))

    def expire_lease(self) -> None:
        with psycopg.connect(self.deployment.environment["DATABASE_URL"]) as database:
            database.execute("UPDATE catalogue_sheetimport SET claimed_until = now() - interval '1 second'")

    def published(self) -> int:
        return int(self.sql("SELECT count(*) FROM catalogue_publishedmodel WHERE edition_to_id IS NULL"))

    def upload(self, rows: int) -> str:
        """A sheet of so many new models; the page of its import."""
        self.uploads += 1
        lines = [f"acme/m-{self.uploads}-{number},Model {number},8000" for number in range(rows)]
        data = "\n".join(["id,name,context_length", *lines]).encode()
        return self.admin_pages.upload("/admin/catalogue/model/import/", data, format="0", resource="0")

    def revoke(self, key: "IssuedKey") -> int:
        """Wait until the edge refuses it too; the status of the revocation."""
        headers = {"authorization": f"Bearer {self.management}"}
        answer = self.client.delete(f"/v1/keys/{key.id}", headers=headers)
        wait_until(lambda: self.call(key) == 401, "the edge's refusal", HANG_S)
        return answer.status_code

    @contextmanager
    def worker_stopped(self) -> Iterator[None]:
        self.worker.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.worker.send_signal(signal.SIGCONT)

    def stop_worker_with_the_lock(self) -> None:
        """Stop it while it holds the row that every change of the catalogue takes."""

        def is_caught() -> bool:
            if not self.is_locked():
                return False
            self.worker.send_signal(signal.SIGSTOP)
            if self.is_locked():
                return True
            self.worker.send_signal(signal.SIGCONT)
            return False

        wait_until(is_caught, "catching the worker with the lock", HANG_S)

    def is_locked(self) -> bool:
        try:
            self.sql("SELECT number FROM accounts_revision WHERE id = 1 FOR UPDATE NOWAIT")
        except psycopg.errors.LockNotAvailable:
            return True
        return False

    def call(self, key: "IssuedKey") -> int:
        body = {"model": "acme/one", "messages": [{"role": "user", "content": "hello"}]}
        headers = {"authorization": f"Bearer {key.text}", "x-gateway-lane": "direct"}
        return self.client.post("/v1/chat/completions", json=body, headers=headers).status_code

    def new_key(self, scope: str) -> "IssuedKey":
        command = ["manage.py", "create_key", "--team", "proof", "--name", "a key", "--scope", scope]
        return IssuedKey(self.deployment.run(sys.executable, *command))


class IssuedKey:
    def __init__(self, printed: str) -> None:
        self.text = re.search(r"sk-gw-\S+", printed).group()
        self.id = self.text.removeprefix("sk-gw-").partition("-")[0]


@pytest.fixture(scope="module")
def shared_site(
    tmp_path_factory: pytest.TempPathFactory,
    redis_server: RedisServer,
    postgres_server: PostgresServer,
    tables: str,
) -> Iterator[Site]:
    redis_server.start()
    redis_server.ask("FLUSHALL")
    url = postgres_server.new_database("imports", like=tables)
    folder = tmp_path_factory.mktemp("imports")
    with deployed(folder, redis_server, url, DJANGO_SUPERUSER_PASSWORD=PASSWORD) as deployment:
        person = ["--username", "curator", "--email", "curator@example.org"]
        deployment.run(sys.executable, "manage.py", "createsuperuser", "--noinput", *person)
        made = Site(deployment)
        yield made
        made.close()


@pytest.fixture
def site(shared_site: Site) -> Iterator[Site]:
    yield shared_site
    shared_site.settle()


def test_key_is_revoked_and_refused_during_a_preview(site: Site) -> None:
    key = site.new_key("inference")
    assert site.call(key) == 200
    site.upload(ROWS)
    wait_until(lambda: site.done_rows() > 0, "the first rows", HANG_S)
    with site.worker_stopped():
        assert site.state() == "reading"
        assert not site.is_locked()
        assert site.revoke(key) == 200
    wait_until(lambda: site.state() == "ready", "the preview", HANG_S)


def test_key_is_revoked_and_refused_while_an_import_holds_the_catalogue(site: Site) -> None:
    key = site.new_key("inference")
    assert site.call(key) == 200
    before = site.published()
    page = site.upload(ROWS)
    wait_until(lambda: site.state() == "ready", "the preview", HANG_S)
    site.admin_pages.press(page, "confirm")
    wait_until(lambda: site.done_rows() > 0, "the first rows", HANG_S)
    site.stop_worker_with_the_lock()
    assert site.revoke(key) == 200
    assert site.state() == "writing"
    done = site.done_rows()
    site.worker.send_signal(signal.SIGCONT)
    wait_until(lambda: site.done_rows() > done, "the next rows", HANG_S)
    site.admin_pages.press(page, "cancel")
    assert f"The first {site.done_rows():,} rows are imported and published" in site.admin_pages.read(page)
    assert site.published() == before + site.done_rows()


def test_change_that_cannot_have_its_lock_is_told_so(site: Site) -> None:
    page = f"/admin/catalogue/model/{site.admin_pages.row_id('catalogue/model', 'acme/one')}/change/"
    with psycopg.connect(site.deployment.environment["DATABASE_URL"]) as holder:
        holder.execute("SELECT number FROM accounts_revision WHERE id = 1 FOR UPDATE")
        with pytest.raises(Refused, match=BUSY):
            site.admin_pages.submit(page, name="Uno")
    assert "Traceback" not in site.deployment.log_of("web")
    site.admin_pages.submit(page, name="Uno")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "told to stop"])
def test_import_whose_worker_ends_is_gone_on_with_from_the_last_row(
    site: Site, number: signal.Signals
) -> None:
    rows, before = 1_000, site.published()
    page = site.upload(rows)
    wait_until(lambda: site.state() == "ready", "the preview", HANG_S)
    site.admin_pages.press(page, "confirm")
    wait_until(lambda: site.done_rows() > 0, "the first rows", HANG_S)
    if number == signal.SIGKILL:
        site.stop_worker_with_the_lock()
    site.worker.send_signal(number)
    site.worker.wait(HANG_S)
    assert (site.state(), site.done_rows() < rows) == ("writing", True)
    if number == signal.SIGKILL:
        site.expire_lease()
    site.worker = site.deployment.start_worker()
    beat = site.deployment.start("beat", sys.executable, "-m", "celery", "-A", "gateway", "beat")
    wait_until(lambda: site.state() == "done", "the rest of the import", HANG_S)
    beat.kill()
    beat.wait(HANG_S)
    assert site.sql("SELECT count(*) FROM catalogue_model") == site.published() == before + rows


def test_preview_is_confirmed_at_another_web_process(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    page = site.upload(3)
    wait_until(lambda: site.state() == "ready", "the preview", HANG_S)
    monkeypatch.setitem(site.deployment.environment, "PORT", str(free_port()))
    other = site.deployment.start("other web", *WEB)
    site.deployment.wait_for_web("other web")
    with AdminPages(site.deployment.url, username="curator", password=PASSWORD) as admin_pages:
        assert "Model 2" in admin_pages.read(page)
        admin_pages.press(page, "confirm")
    wait_until(lambda: site.state() == "done", "the import", HANG_S)
    other.kill()
    other.wait(HANG_S)
