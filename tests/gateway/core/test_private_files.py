"""What holds records and secrets is for its owner only, whatever the folder and the umask."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from gateway.boot import local_secrets
from gateway.core.private_files import files_of, hold, keep_private
from gateway.ops import doctor
from tests.system.embedded import Product


@pytest.fixture(autouse=True)
def _open_hearted() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    return {path.name: oct(path.stat().st_mode & 0o777) for path in folder.rglob("*") if path.is_file()}


def test_a_new_database_and_what_sqlite_lays_beside_it_are_private(tmp_path: Path) -> None:
    path = tmp_path / "gatehouse.sqlite3"
    keep_private(path)
    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA journal_mode=WAL; CREATE TABLE one (id);")
    found = modes(tmp_path)
    connection.close()
    assert found == dict.fromkeys((f"gatehouse.sqlite3{end}" for end in ("", "-wal", "-shm")), "0o600")


def test_an_earlier_database_is_closed_to_others_and_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "gatehouse.sqlite3"
    for file in files_of(path):
        file.write_text("rows")
        file.chmod(0o644)
    keep_private(path)
    assert set(modes(tmp_path).values()) == {"0o600"}
    assert path.read_text() == "rows"


def test_secrets_that_lie_open_are_closed(tmp_path: Path) -> None:
    made = local_secrets.load(tmp_path)
    (tmp_path / "secrets.json").chmod(0o644)
    assert local_secrets.load(tmp_path) == made
    assert modes(tmp_path) == {"secrets.json": "0o600"}


def test_the_lock_is_private_too(tmp_path: Path) -> None:
    hold(tmp_path).close()
    assert modes(tmp_path) == {"gatehouse.lock": "0o600"}


def test_all_that_a_running_product_makes_is_private(product: Product) -> None:
    assert product.chat().status_code == 200
    found = modes(product.folder)
    assert {"gatehouse.sqlite3", "secrets.json"} <= set(found)
    assert set(found.values()) == {"0o600"}, found


def test_a_folder_that_is_not_there_is_left_to_its_user(tmp_path: Path) -> None:
    keep_private(tmp_path / "missing" / "gatehouse.sqlite3")
    assert not list(tmp_path.iterdir())


def test_doctor_names_what_others_may_read(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA_DIR = settings.SPOOL_DIR = tmp_path
    keep_private(Path(settings.DATABASES["default"]["NAME"]))
    (tmp_path / "1-abc.spool").touch(mode=0o644)
    assert doctor._ask("files", doctor._files).says.endswith(f"run: chmod 600 {tmp_path / '1-abc.spool'}")
