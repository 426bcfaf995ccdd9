"""The ledger as files: each row once, whatever dies, whenever it came."""

import csv
import hashlib
import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import ledger_files
from accounts.booking import refund
from accounts.file_places import Folder, PlaceFailed, open_place, read_place
from accounts.ledger_export import COLUMNS
from accounts.ledger_files import export_due
from accounts.models import Alert, ExportedDay, Key, LedgerEntry
from accounts.retention import forget_entries
from accounts.tasks import export_ledger
from tests.make import make_entry, make_key
from tests.upstream.bucket import serve_bucket

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 6, 2, tzinfo=UTC)
NEXT = DAY + timedelta(days=1, hours=1)


@pytest.fixture
def key() -> Key:
    return make_key()[0]


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.LEDGER_EXPORT = str(tmp_path / "out")
    settings.LEDGER_EXPORT_FORM = "csv"
    monkeypatch.setattr(ledger_files, "PART_ROWS", 3)
    monkeypatch.setattr(ledger_files, "_PAGE_ROWS", 2)
    return tmp_path / "out"


def entries(key: Key, number: int, at: datetime = DAY) -> list[LedgerEntry]:
    return [
        make_entry(key, started_at=at + timedelta(seconds=n // 2), cost_usd=Decimal(n)) for n in range(number)
    ]


def export(at: datetime = NEXT, most_s: float = 60) -> int:
    return export_due(at=at, most_s=most_s)


def rows_in(folder: Path, day: str = "2026-06-02") -> list[dict[str, str]]:
    files = sorted(folder.glob(f"ledger-{day}-*.csv"))
    return [row for file in files for row in csv.DictReader(io.StringIO(file.read_text(), newline=""))]


def ids_in(folder: Path, day: str = "2026-06-02") -> list[str]:
    return [row["attempt_id"] for row in rows_in(folder, day)]


def ids_of(rows: list[LedgerEntry]) -> list[str]:
    return [str(row.pk) for row in sorted(rows, key=lambda row: (row.started_at, row.pk))]


@pytest.mark.parametrize(("number", "parts"), [(1, 1), (2, 1), (3, 1), (4, 2), (6, 2), (7, 3)])
def test_day_is_written_in_parts_in_order(key: Key, folder: Path, number: int, parts: int) -> None:
    made = entries(key, number)
    assert export() == parts + 1
    assert ids_in(folder) == ids_of(made)
    names = [f"ledger-2026-06-02-{part:04}.csv" for part in range(1, parts + 1)]
    assert sorted(file.name for file in folder.iterdir()) == [*names, "ledger-2026-06-02.json"]


def test_list_of_a_day_says_what_its_files_are(key: Key, folder: Path) -> None:
    entries(key, 4)
    export()
    said = json.loads((folder / "ledger-2026-06-02.json").read_text())
    assert (said["day"], said["rows"]) == ("2026-06-02", 4)
    for file in said["files"]:
        data = (folder / file["name"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert [file["rows"] for file in said["files"]] == [3, 1]


def test_day_is_written_an_hour_after_its_end_and_once(key: Key, folder: Path) -> None:
    entries(key, 1)
    assert export(NEXT - timedelta(microseconds=1)) == 0
    assert export(NEXT) == 2
    assert export(NEXT) == 0
    assert export(NEXT + timedelta(days=1)) == 1
    assert (folder / "ledger-2026-06-03.json").exists()


def test_rows_at_midnight_are_of_the_day_that_begins(key: Key, folder: Path) -> None:
    made = [make_entry(key, started_at=DAY + timedelta(days=1) - timedelta(microseconds=1))]
    later = [make_entry(key, started_at=DAY + timedelta(days=1))]
    export(NEXT + timedelta(days=1))
    assert ids_in(folder) == ids_of(made)
    assert ids_in(folder, "2026-06-03") == ids_of(later)


def test_correction_is_in_the_file_of_the_day_on_which_it_was_booked(key: Key, folder: Path) -> None:
    (entry,) = entries(key, 1)
    LedgerEntry.objects.filter(pk=entry.pk).update(cost_usd=2)
    export()
    made = refund(entry=entry, amount_usd=Decimal("0.5"), note="=cmd()")
    LedgerEntry.objects.filter(pk=made.pk).update(ended_at=DAY + timedelta(days=3, hours=4))
    export(DAY + timedelta(days=4, hours=2))
    assert ids_in(folder) == [str(entry.pk)]
    (row,) = rows_in(folder, "2026-06-05")
    assert (row["corrects_id"], row["charged_usd"], row["note"]) == (str(entry.pk), "-0.5", "'=cmd()")


def test_rows_that_come_late_are_in_a_further_file_once(key: Key, folder: Path) -> None:
    made = entries(key, 4)
    export()
    made += [make_entry(key, started_at=DAY), make_entry(key, started_at=DAY + timedelta(hours=23))]
    assert export(NEXT) == 0
    export(NEXT + timedelta(days=1))
    export(NEXT + timedelta(days=2))
    assert sorted(ids_in(folder)) == sorted(ids_of(made))
    assert json.loads((folder / "ledger-2026-06-02.json").read_text())["rows"] == 6


def test_rows_that_come_late_to_lines_of_json_are_told_apart_too(
    key: Key, folder: Path, settings: Any
) -> None:
    settings.LEDGER_EXPORT_FORM = "jsonl"
    entries(key, 2)
    export()
    late = make_entry(key, started_at=DAY, cost_usd=Decimal("0.0000000001"))
    export(NEXT + timedelta(days=1))
    (line,) = (folder / "ledger-2026-06-02-0002.jsonl").read_text().splitlines()
    said = json.loads(line)
    assert tuple(said) == COLUMNS
    assert (said["attempt_id"], said["cost_usd"], said["status"]) == (str(late.pk), "0.0000000001", None)


class Dying(Folder):
    """It dies once at one of its writes, before the file is there or after."""

    def __init__(self, path: str, at: int, *, is_after: bool) -> None:
        super().__init__(path)
        self.left, self.is_after = at, is_after

    def write(self, name: str, data: bytes) -> None:
        self.left -= 1
        if self.left == 0 and not self.is_after:
            raise KeyboardInterrupt
        super().write(name, data)
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_export_that_dies_anywhere_has_each_row_once(
    key: Key, folder: Path, monkeypatch: pytest.MonkeyPatch, at: int, is_after: bool
) -> None:
    made = entries(key, 7)
    dying = Dying(str(folder), at, is_after=is_after)
    with monkeypatch.context() as patched:
        patched.setattr(ledger_files, "open_place", lambda _address: dying)
        with pytest.raises(KeyboardInterrupt):
            export()
    # As after a kill, which gives nothing back.
    ExportedDay.objects.update(claimed_until=timezone.now() - timedelta(microseconds=1))
    export()
    assert ids_in(folder) == ids_of(made)
    assert json.loads((folder / "ledger-2026-06-02.json").read_text())["rows"] == 7


def test_late_file_that_was_written_and_not_noted_is_written_anew(
    key: Key, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = entries(key, 2)
    export()
    made.append(make_entry(key, started_at=DAY))
    dying = Dying(str(folder), 3, is_after=True)
    with monkeypatch.context() as patched:
        patched.setattr(ledger_files, "open_place", lambda _address: dying)
        with pytest.raises(KeyboardInterrupt):
            export(NEXT + timedelta(days=1))
    export(NEXT + timedelta(days=2))
    assert sorted(ids_in(folder)) == sorted(ids_of(made))


def test_round_that_is_out_of_time_is_gone_on_with(key: Key, folder: Path) -> None:
    made = entries(key, 7)
    assert export(most_s=0) == 0
    while export():
        pass
    assert ids_in(folder) == ids_of(made)


def test_day_that_another_process_writes_is_left_to_it(key: Key, folder: Path) -> None:
    entries(key, 1)
    row = ExportedDay.objects.create(
        day=date(2026, 6, 2), claimed_until=timezone.now() + timedelta(minutes=1)
    )
    assert export() == 0
    ExportedDay.objects.filter(pk=row.pk).update(claimed_until=timezone.now() - timedelta(microseconds=1))
    assert export() == 2


def test_place_that_takes_nothing_is_told_once_a_day(key: Key, folder: Path, settings: Any) -> None:
    folder.write_text("a file where the folder should be")
    made = entries(key, 1, DAY - timedelta(days=200))
    LedgerEntry.objects.update(lineage_id=key.pk)
    for hours in (0, 1, 24):
        assert export(NEXT + timedelta(hours=hours)) == 0
    first, _ = Alert.objects.filter(kind="export.failed").order_by("pk")
    assert "could not be written" in first.data["problem"]
    assert forget_entries(30, at=NEXT, most_s=60) == 0
    folder.unlink()
    assert export() > 2
    assert ids_in(folder, "2025-11-14") == ids_of(made)
    assert forget_entries(30, at=NEXT, most_s=60) == 1


def test_nothing_unfinished_is_left_where_a_name_cannot_be_had(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(PlaceFailed, match="taken could not be written"):
        Folder(str(tmp_path)).write("taken", b"x")
    assert [file.name for file in tmp_path.iterdir()] == ["taken"]


def test_without_a_place_nothing_is_written(key: Key, settings: Any, folder: Path) -> None:
    settings.LEDGER_EXPORT = ""
    entries(key, 1)
    assert export() == export_ledger() == 0
    with pytest.raises(CommandError, match="names no place"):
        call_command("export_ledger")


def test_command_writes_what_is_due(key: Key, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    made = entries(key, 4, today - timedelta(days=2))
    call_command("export_ledger")
    assert ids_in(folder, f"{today - timedelta(days=2):%Y-%m-%d}") == ids_of(made)
    assert "files written" in capsys.readouterr().out


def test_bucket_gets_the_same_files(
    key: Key, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = entries(key, 4)
    with serve_bucket() as bucket:
        for name, value in bucket.variables.items():
            monkeypatch.setenv(name, value)
        settings.LEDGER_EXPORT = "s3://books/ledger"
        assert export() == 3
        late = make_entry(key, started_at=DAY)
        export(NEXT + timedelta(days=1))
        files = sorted(path for path in bucket.files if path.endswith(".csv"))
        assert files == [f"/books/ledger/ledger-2026-06-02-000{part}.csv" for part in (1, 2, 3)]
        lines = b"".join(bucket.files[path] for path in files[:2]).decode().splitlines()
        assert [line[:36] for line in lines if not line.startswith("attempt_id")] == ids_of(made)
        assert str(late.pk).encode() in bucket.files[files[2]]


def test_bucket_that_refuses_is_told_without_secrets(
    key: Key, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries(key, 1)
    with serve_bucket(status=403) as bucket:
        for name, value in bucket.variables.items():
            monkeypatch.setenv(name, value)
        settings.LEDGER_EXPORT = "s3://books"
        assert export() == 0
    problem = Alert.objects.get(kind="export.failed").data["problem"]
    assert "could not be written to the bucket" in problem
    assert bucket.variables["AWS_SECRET_ACCESS_KEY"] not in problem


@pytest.mark.parametrize("text", ["", "/srv/books", "s3://books", "s3://books/some/prefix"])
def test_place_is_a_folder_or_a_bucket(text: str) -> None:
    assert read_place(text) == text


@pytest.mark.parametrize("text", ["books", "s3://", "s3://books?x=1", "s3://key:secret@books", "./books"])
def test_place_that_is_neither_is_refused_by_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="s3://bucket/prefix"):
        read_place(text)


def test_bucket_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ValueError, match=r"gatehouse\[s3\]"):
        read_place("s3://books")


def test_nothing_due_costs_two_queries(key: Key, django_assert_num_queries: Any) -> None:
    entries(key, 1)
    export()
    with django_assert_num_queries(2):
        export()


def test_reading_a_day_counts_on_indexes(key: Key) -> None:
    from django.db import connection

    entries(key, 1)
    with CaptureQueriesContext(connection) as asked:
        export()
    assert any(
        "corrects_id" in query["sql"] and "IS NOT NULL" in query["sql"] for query in asked.captured_queries
    )


def test_unusable_bucket_is_a_failure_of_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "no address")
    with pytest.raises(PlaceFailed):
        open_place("s3://books").write("x", b"x")
