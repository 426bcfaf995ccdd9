"""The way of a sheet's import: judged without a lock, confirmed, written in batches, cancelled, gone on with."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import revision
from accounts.models import AuditEntry
from catalogue import tasks
from catalogue.models import Alias, Edition, Model, Offering, PublishedModel, SheetImport
from catalogue.sheets import services, upload, work
from catalogue.sheets.columns import ModelSheet, OfferingSheet, PriceSheet
from catalogue.sheets.judge import BATCH
from catalogue.sheets.report import SHOWN_ROWS
from tests.catalogue.importing.sheets import (
    bring_in,
    bring_in_file,
    faults,
    go_on,
    lines_of,
    models,
    read,
    submit,
)
from tests.make import (
    make_model,
    make_offering,
    make_organisation,
    make_price,
    make_provider,
    make_published,
    make_staff,
)

pytestmark = pytest.mark.django_db
MANY = 2 * BATCH + 50


@pytest.fixture(autouse=True)
def acme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revision, "GIVE_WAY_S", 0)
    make_organisation("acme")


def before_batch(monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[SheetImport], object]) -> None:
    """Do something just before that batch (from 1) is written."""
    write = work._Work._write_batch
    begun: list[int] = []

    def write_after_act(self: Any, begins: int, batch: Any) -> None:
        begun.append(begins)
        if len(begun) == number:
            act(self._row)
        write(self, begins, batch)

    monkeypatch.setattr(work._Work, "_write_batch", write_after_act)


def test_many_rows_are_written_in_batches_with_an_edition_each() -> None:
    made = bring_in_file(ModelSheet, models(MANY))
    assert (made.state, made.done_rows, len(made.editions)) == ("done", MANY, 3)
    assert PublishedModel.objects.current().count() == MANY
    assert (
        Edition.objects.get(number=made.editions[1]).note == f"Imported sheet.csv, rows 101 to 200 of {MANY}"
    )


def test_reading_writes_nothing_and_takes_no_revision() -> None:
    with CaptureQueriesContext(connection) as queries:
        made = read(ModelSheet, models(3))
    assert made.state == "ready"
    assert not [query["sql"] for query in queries if "accounts_revision" in query["sql"]]
    assert not Model.objects.exists()


@pytest.mark.parametrize("fields", [{}, {"context_length": "-1", "successor": "acme/nobody"}])
def test_twice_the_rows_are_at_most_twice_the_queries(fields: dict[str, str]) -> None:
    with CaptureQueriesContext(connection) as few:
        read(ModelSheet, models(2 * BATCH, **fields))
    with CaptureQueriesContext(connection) as many:
        read(ModelSheet, models(4 * BATCH, **fields))
    assert len(many) <= 2 * len(few)
    assert len(many) < 4 * BATCH / 10


def test_bad_row_after_many_good_ones_keeps_all_of_them_out() -> None:
    make_published("acme/m-0")
    data = models(MANY) + b"nobody/else,Else\r\n"
    made = bring_in_file(ModelSheet, data)
    assert (made.state, made.counts["bad"]) == ("refused", 1)
    assert f"row {MANY + 2}: id: There is no organisation 'nobody'." in faults(made)
    assert Model.objects.count() == 1


def test_what_is_shown_is_bounded_and_the_full_list_is_kept() -> None:
    made = read(ModelSheet, models(MANY, context_length=-1))
    assert len(made.shown) == SHOWN_ROWS
    assert len(lines_of(made)) == made.counts["bad"] == MANY


def test_text_that_a_program_would_compute_is_quoted_in_the_full_list() -> None:
    made = read(ModelSheet, models(1, description="=1+1"))
    assert {line["column"]: line["after or reason"] for line in lines_of(made)}["description"] == "'=1+1"


def test_long_text_is_cut_where_it_is_shown() -> None:
    made = read(ModelSheet, models(1, description="x" * 10_000))
    assert max(len(change["after"]) for change in made.shown[0]["changes"]) == 200


def test_row_may_name_models_that_earlier_rows_make() -> None:
    made = bring_in(
        ModelSheet,
        {"id": "acme/one", "name": "One", "successor": ""},
        {"id": "acme/old", "name": "Old", "successor": "acme/one"},
    )
    assert faults(made) == ""
    assert Model.objects.get(public_id="acme/old").successor == Model.objects.get(public_id="acme/one")


def test_successors_that_lead_back_are_refused_within_a_sheet_too() -> None:
    make_model("acme/one", successor=make_model("acme/two"))
    assert "leads back" in faults(bring_in(ModelSheet, {"id": "acme/two", "successor": "acme/one"}))


def test_id_that_is_an_alias_is_refused() -> None:
    Alias.objects.create(name="acme/m-0", model=make_model("acme/other"))
    assert "is an alias already" in faults(read(ModelSheet, models(1)))


@pytest.mark.parametrize("is_workbook", [False, True], ids=["CSV", "XLSX"])
def test_rows_are_numbered_as_a_spreadsheet_shows_them(is_workbook: bool) -> None:
    rows = [("id", "name"), (), ("acme/one", "One"), (), (), ("nobody/two", "Two"), ("nobody/three", "Three")]
    make_organisation("acme")
    told = [
        line.partition(": ")[0] for line in faults(read(ModelSheet, _file(rows, is_workbook))).splitlines()
    ]
    assert told == ["row 6", "row 7"]


def _file(rows: Sequence[Sequence[str]], is_workbook: bool) -> bytes:
    if not is_workbook:
        return "".join(f"{','.join(row)}\r\n" for row in rows).encode()
    book, content = openpyxl.Workbook(), BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(content)
    return content.getvalue()


def test_second_row_about_the_same_is_refused_with_the_first_ones_number() -> None:
    made = read(ModelSheet, models(1) + b"acme/m-0,Another\r\n")
    assert "row 3: : Row 2 is about the same." in faults(made)


def test_offering_with_an_endpoint_that_its_provider_lacks_is_refused() -> None:
    make_model("acme/one")
    make_provider("claude", wire_format="anthropic")
    row = {"model": "acme/one", "provider": "claude", "upstream_name": "one", "endpoints": "embeddings"}
    assert "endpoints" in faults(bring_in(OfferingSheet, row))
    assert not Offering.objects.exists()


def test_price_that_stands_twice_in_a_sheet_is_added_once() -> None:
    offering = make_offering()
    names = {"model": offering.model.public_id, "provider": offering.provider.slug}
    row = {**names, "upstream_name": offering.upstream_name, "meter": "input_text_tokens", "amount": "2"}
    made = bring_in(PriceSheet, row, {**row, "amount": "2.00"})
    assert (made.counts["new"], made.counts["same"], offering.prices.count()) == (1, 1, 1)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"id,name\n", "no rows"),
        (b"id,id\nacme/one,acme/one\n", "appears twice"),
        ("id,name\nacme/one,Frühling\n".encode("latin-1"), "UTF-8"),
        (b'id,name\nacme/one,"' + b"x" * 200_000 + b'"\n', "not CSV"),
    ],
)
def test_file_without_usable_rows_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    made = read(ModelSheet, data)
    assert made.state == "refused"
    assert reason in made.message


def test_file_that_is_no_workbook_is_refused() -> None:
    assert "not a readable XLSX workbook" in read(ModelSheet, b"PK and nothing else").message


def test_file_with_too_many_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "MOST_ROWS", 3)
    assert read(ModelSheet, models(3)).state == "ready"
    assert "more than 3 rows" in read(ModelSheet, models(4)).message


def test_cells_beyond_the_header_are_named() -> None:
    for excess, said in ((b",more", "There is 1 cell"), (b",and,more", "There are 2 cells")):
        sheet = read(ModelSheet, b"id,name\nacme/one,One" + excess + b"\n")
        assert f"row 2: : {said} beyond the header." in faults(sheet)


def test_key_with_nul_is_refused_and_never_asked_for() -> None:
    made = read(ModelSheet, b"id,name\nacme/o\x00ne,One\n")
    assert "NUL" in faults(made)


def test_import_that_is_not_confirmed_changes_nothing() -> None:
    made = read(ModelSheet, models(1))
    work.go_on(made.pk)
    assert services.cancel(made)
    assert not services.confirm(made, author=None)
    assert not Model.objects.exists()


def test_change_after_the_look_is_shown_before_anything_is_written() -> None:
    model = make_published("acme/m-0", name="Old")
    made = read(ModelSheet, models(1))
    Model.objects.filter(pk=model.pk).update(name="Newer")
    services.confirm(made, author=None)
    made = go_on(made)
    assert made.state == "ready"
    assert "changed after this was looked at" in made.message
    assert made.shown[0]["changes"] == [{"column": "name", "before": "Newer", "after": "Model 0"}]
    services.confirm(made, author=None)
    assert go_on(made).state == "done"


def test_row_that_went_bad_after_the_look_keeps_all_of_them_out() -> None:
    made = read(ModelSheet, models(MANY))
    Alias.objects.create(name=f"acme/m-{MANY - 1}", model=make_model("acme/other"))
    services.confirm(made, author=None)
    assert go_on(made).state == "refused"
    assert Model.objects.count() == 1


def test_cancelled_import_tells_to_which_row_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    before_batch(monkeypatch, 2, services.cancel)
    made = bring_in_file(ModelSheet, models(MANY))
    assert (made.state, made.done_rows) == ("cancelled", BATCH)
    assert "The first 100 rows are imported and published; nothing after them is." in made.message
    assert PublishedModel.objects.count() == BATCH


def test_row_that_goes_bad_between_batches_stops_it_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def take_the_name(_row: SheetImport) -> None:
        Alias.objects.create(name="acme/m-150", model=make_model("acme/other"))

    before_batch(monkeypatch, 2, take_the_name)
    made = bring_in_file(ModelSheet, models(MANY))
    assert (made.state, made.done_rows) == ("stopped", BATCH)
    assert made.message.startswith("Row 152, acme/m-150: id: “acme/m-150” is an alias already")
    assert "The first 100 rows are imported" in made.message


def test_row_of_a_model_that_cannot_be_published_for_another_reason_keeps_all_of_them_out() -> None:
    model = make_published("acme/one")
    make_price(model.offerings.get(), meter="output_text_tokens", currency="usd")
    made = bring_in(ModelSheet, {"id": "acme/two", "name": "Two"}, {"id": "acme/one", "name": "Uno"})
    assert made.state == "refused"
    assert "row 3: : Its model cannot be published. price output_text_tokens" in faults(made)


def test_row_that_mends_what_kept_its_model_from_clients_is_taken() -> None:
    model = make_published("acme/one")
    Offering.objects.update(quantization="FP 8")
    offering = model.offerings.get()
    names = {"model": "acme/one", "provider": offering.provider.slug, "upstream_name": offering.upstream_name}
    made = bring_in(OfferingSheet, {**names, "quantization": "fp8"})
    assert (made.state, faults(made)) == ("done", "")


def test_import_that_broke_off_is_gone_on_with_after_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(_row: SheetImport) -> None:
        raise Killed

    made = read(ModelSheet, models(MANY))
    services.confirm(made, author=None)
    with monkeypatch.context() as patched:
        before_batch(patched, 2, die)
        with pytest.raises(Killed):
            work.go_on(made.pk)
    made = go_on(made)
    assert (made.state, made.done_rows) == ("writing", BATCH)
    assert services.due_imports(timezone.now()) == []
    assert services.due_imports(timezone.now() + work.LEASE) == [made.pk]
    SheetImport.objects.update(claimed_until=timezone.now())
    assert go_on(made).state == "done"
    assert PublishedModel.objects.count() == MANY


def test_import_that_ends_its_workers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    made = submit(ModelSheet, models(1))
    SheetImport.objects.update(tries=5)
    made = go_on(made)
    assert made.state == "stopped"
    assert "Nothing was imported" in made.message


def test_import_is_one_entry_of_the_audit_told_on_its_last_edition() -> None:
    curator = make_staff()
    AuditEntry.objects.all().forget()
    made = bring_in_file(ModelSheet, models(MANY), author=curator)
    entry = AuditEntry.objects.get()
    assert entry.page == f"catalogue.edition/{made.editions[-1]}"
    assert (entry.actor, entry.changes["rows written"]) == (curator, [None, MANY])


def test_what_waits_is_found_without_a_message() -> None:
    made = submit(ModelSheet, models(1))
    assert tasks.look_for_imports() == 1
    assert go_on(made).state == "ready"
    assert tasks.look_for_imports() == 0


def test_old_imports_are_forgotten() -> None:
    made = read(ModelSheet, models(1))
    services.forget_old(made.created_at + services.KEPT - timedelta(seconds=1))
    assert SheetImport.objects.exists()
    services.forget_old(made.created_at + services.KEPT + timedelta(seconds=1))
    assert not SheetImport.objects.exists()


def test_worker_that_is_told_to_stop_leaves_the_rest_to_another_at_once() -> None:
    made = read(ModelSheet, models(MANY))
    services.confirm(made, author=None)
    asked: list[bool] = []

    def is_stopping() -> bool:
        """After all was judged again and one batch was written."""
        asked.append(True)
        return len(asked) > 4

    work.go_on(made.pk, is_stopping)
    made.refresh_from_db()
    assert (made.state, made.done_rows) == ("writing", BATCH)
    assert services.due_imports(timezone.now()) == [made.pk]
    assert go_on(made).state == "done"


def test_imports_leave_threads_to_other_work() -> None:
    for _ in range(work.MOST_AT_ONCE):
        submit(ModelSheet, models(1))
    SheetImport.objects.update(claimed_until=timezone.now() + work.LEASE)
    waits = go_on(submit(ModelSheet, models(1)))
    assert (waits.state, waits.claimed_until) == ("reading", None)
    SheetImport.objects.exclude(pk=waits.pk).update(claimed_until=timezone.now())
    assert go_on(waits).state == "ready"


def test_cancelled_import_is_told_in_the_audit_as_far_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    before_batch(monkeypatch, 2, services.cancel)
    bring_in_file(ModelSheet, models(MANY))
    assert AuditEntry.objects.get(page__startswith="catalogue.edition/").changes["rows written"] == [
        None,
        BATCH,
    ]
