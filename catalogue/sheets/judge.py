"""Judging a sheet's rows by the rules that forms have, without writing and without a query a row."""

import copy
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from django.core.exceptions import ValidationError

from catalogue.models import Model
from catalogue.publishing.editions import reasons_against
from catalogue.sheets.cells import is_empty, shown
from catalogue.sheets.judged import Change, Fault, JudgedRow, Kind
from catalogue.sheets.known_base import Key, Known
from catalogue.sheets.upload import Row

BATCH = 100
"""Rows that are read together, and later written in one transaction."""


class Judge:
    """Of one file. Rows come in the order of the file: what an earlier one makes, a later one may name."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self._fields = known.sheet.get_import_fields()
        self._columns = {each.attribute: each.column_name for each in self._fields} | {"slug": "id"}
        self._seen: dict[Key, int] = {}

    def judge(self, rows: Sequence[Row]) -> list[JudgedRow]:
        self.known.load(rows)
        return [self._judge(row) for row in rows]

    def _judge(self, given: Row) -> JudgedRow:
        key = self.known.key_of(given)
        found = self.known.find(key)
        row = copy.copy(found) if found is not None else self.known.new(key)
        name = " ".join(filter(None, [given.sheet and f"{given.sheet}:", *key]))
        judged = JudgedRow(given.number, name, Kind.NEW if found is None else Kind.CHANGED, row)
        judged.faults += self._faults_of_cells(given, key)
        bad = {fault.column for fault in judged.faults}
        judged.faults += [fault for fault in self._take(row, given) if fault.column not in bad]
        if not judged.faults and found is None:
            self.known.settle(row)
        if not judged.faults and found is None and self.known.is_there(row):
            judged.kind = Kind.SAME
            return judged
        if not judged.faults:
            judged.faults += self.known.check(row)
        if judged.faults:
            judged.kind = Kind.BAD
            return judged
        self._compare(judged, found, given)
        self.known.keep(key, row)
        return judged

    def _faults_of_cells(self, given: Row, key: Key) -> Iterator[Fault]:
        for column, value in given.cells.items():
            if isinstance(value, str) and "\x00" in value:
                yield Fault(column, "NUL characters are not allowed.")
        for column, why in given.unread.items():
            yield Fault(column, f"{shown(given.cells[column])} {why}")
        if given.excess:
            are = "is 1 cell" if given.excess == 1 else f"are {given.excess} cells"
            yield Fault("", f"There {are} beyond the header.")
        earlier = self._seen.setdefault(key, given.number)
        if self.known.is_key_unique and earlier != given.number:
            yield Fault("", f"Row {earlier} is about the same.")

    def _take(self, row: Any, given: Row) -> list[Fault]:
        """Set the row's fields to what the cells say, and check each of them."""
        faults = {}
        for each in self._fields:
            if each.column_name not in given.cells:
                continue
            try:
                each.save(row, given.cells)
            except ValueError as error:
                faults[each.attribute] = str(error)
        relations = {each.name for each in row._meta.fields if each.is_relation}
        told = [Fault(self._columns.get(name, name), reason) for name, reason in faults.items()]
        return told + list(self._complaints(row, given, exclude=relations | set(faults)))

    def _complaints(self, row: Any, given: Row, *, exclude: Collection[str]) -> Iterator[Fault]:
        """Each with the value that it is about."""
        further = [getattr(row, name) for name in ("settle_words", "check_dates") if hasattr(row, name)]
        for check in (lambda: row.clean_fields(exclude=exclude), *further):
            try:
                check()
            except ValidationError as error:
                for name, reasons in error.message_dict.items():
                    column = self._columns.get(name, name)
                    value = given.cells.get(column)
                    if name not in exclude:
                        said = "" if is_empty(value) else f"{shown(value)}: "
                        yield Fault(column, f"{said}{' '.join(reasons)}")

    def _compare(self, judged: JudgedRow, found: Any, given: Row) -> None:
        for each in self._fields:
            if each.readonly or each.column_name not in given.cells:
                continue
            before = each.get_value(found) if found is not None else None
            after = each.get_value(judged.row)
            if before != after:
                judged.names.append(each.attribute)
                before_text = str(each.widget.render(before)) if found is not None else ""
                judged.changes.append(Change(each.column_name, before_text, str(each.widget.render(after))))
        if found is None:
            judged.changes += self.known.changes(judged.row)
        elif not judged.names:
            judged.kind = Kind.SAME


def refuse_unpublishable(known: Known, judged: Iterable[JudgedRow]) -> None:
    """What is wrong with a model beside these rows would keep them from clients too: it is their fault as well."""
    of_model: dict[int, list[JudgedRow]] = defaultdict(list)
    for each in judged:
        model_id = known.model_id(each.row) if each.kind in {Kind.NEW, Kind.CHANGED} else None
        if model_id is not None:
            of_model[model_id].append(each)
    models = list(Model.objects.complete().filter(pk__in=of_model))
    for pk, reason in reasons_against(models).items():
        mended = tuple(place for each in of_model[pk] if (place := known.place_of(each.row)))
        rest = [line for line in reason.splitlines() if not line.startswith(mended)]
        if rest:
            first = of_model[pk][0]
            first.kind = Kind.BAD
            first.faults += [Fault("", f"Its model cannot be published. {line}") for line in rest]
