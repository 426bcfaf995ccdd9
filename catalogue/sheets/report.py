"""What judging found, in bounds: counts, the first rows to show, and the full list to download."""

import csv
import gzip
import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from catalogue.sheets.judged import JudgedRow, Kind
from gateway.core.formulas import quote_formula

SHOWN_ROWS = 50
_SHOWN_CHARACTERS = 200
_MOST_REPORT_BYTES = 32 * 1024 * 1024
_GZIP_FORM = zlib.MAX_WBITS | 16
_HEADER = ("row", "name", "what", "column", "before", "after or reason")


class _Packed:
    """What lines are written to. Not a file: an import that stops would leave it open."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(wbits=_GZIP_FORM)
        self._bytes = bytearray()

    def write(self, text: str) -> None:
        self._bytes += self._deflate.compress(text.encode())

    def close(self) -> bytes:
        return bytes(self._bytes) + self._deflate.flush()


class Report:
    """Rows are added in the order of the file; then its properties are read."""

    def __init__(self) -> None:
        self._counts = Counter[str]()
        self._shown: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
        self._seal = hashlib.sha256()
        self._packed = _Packed()
        self._lines = csv.writer(self._packed)
        self._lines.writerow(_HEADER)
        self._size_bytes = 0

    def add(self, judged: Iterable[JudgedRow]) -> None:
        for each in judged:
            self._add(each)

    def _add(self, judged: JudgedRow) -> None:
        self._counts[judged.kind] += 1
        for line in _lines(judged):
            self._write(line)
        shown = self._shown[judged.kind is Kind.BAD]
        if judged.kind is not Kind.SAME and len(shown) < SHOWN_ROWS:
            shown.append(_shown(judged))

    @property
    def counts(self) -> dict[str, int]:
        return {kind.value: self._counts[kind] for kind in Kind}

    @property
    def bad_count(self) -> int:
        return self._counts[Kind.BAD]

    @property
    def changes_anything(self) -> bool:
        return bool(self._counts[Kind.NEW] + self._counts[Kind.CHANGED])

    @property
    def shown(self) -> list[dict[str, Any]]:
        """The first bad rows where there are any, else the first that would be made or changed."""
        return self._shown[self.bad_count > 0]

    @property
    def seal(self) -> str:
        """Equal for equal findings, the last row included."""
        return self._seal.hexdigest()

    def close(self) -> bytes:
        """The full list, as CSV packed by gzip."""
        return self._packed.close()

    def _write(self, line: Iterable[str]) -> None:
        cells = list(line)
        self._seal.update("\x1f".join([*cells, "\n"]).encode())
        if self._size_bytes > _MOST_REPORT_BYTES:
            return
        self._size_bytes += sum(len(cell.encode()) for cell in cells)
        too_long = self._size_bytes > _MOST_REPORT_BYTES
        self._lines.writerow(
            ["", "The list ends here: it is too long."] if too_long else map(quote_formula, cells)
        )


def unpack(report: bytes) -> bytes:
    return gzip.decompress(report)


def _lines(judged: JudgedRow) -> Iterator[tuple[str, ...]]:
    row = (str(judged.number), judged.name, judged.kind.value)
    for fault in judged.faults:
        yield (*row, fault.column, "", fault.reason)
    for change in judged.changes:
        yield (*row, change.column, change.before, change.after)
    if not judged.faults and not judged.changes:
        yield row


def _shown(judged: JudgedRow) -> dict[str, Any]:
    """For the page: as JSON keeps it, and with long texts cut."""
    return {
        "number": judged.number,
        "name": _cut(judged.name),
        "kind": judged.kind.value,
        "faults": [{"column": each.column, "reason": _cut(each.reason)} for each in judged.faults],
        "changes": [
            {"column": each.column, "before": _cut(each.before), "after": _cut(each.after)}
            for each in judged.changes
        ],
    }


def _cut(text: str) -> str:
    # NUL, which PostgreSQL cannot keep, is in no value but in the name of a bad row.
    clean = text.replace("\x00", "�")
    return clean if len(clean) <= _SHOWN_CHARACTERS else f"{clean[: _SHOWN_CHARACTERS - 1]}…"
