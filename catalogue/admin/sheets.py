"""Pages on which sheets are taken out of the catalogue and brought into it."""

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from import_export.admin import ImportExportMixin
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from accounts.models import User
from catalogue import tasks
from catalogue.models import Edition, SheetImport
from catalogue.sheets import services
from catalogue.sheets.columns import FORMATS, Sheet
from catalogue.sheets.known import KNOWN
from catalogue.sheets.report import SHOWN_ROWS, unpack
from catalogue.sheets.upload import MOST_BYTES, MOST_ROWS, WORKBOOK
from catalogue.sheets.workbook import XLSX_TYPE, write_workbook
from gateway.core.admin_base import Select

_RECENT = 10


class UploadForm(ImportForm):  # type: ignore[misc]
    """What kind of file it is its content says; how its numbers are written, whoever sends it."""

    numbers = forms.ChoiceField(
        label="Numbers in it are written",
        choices=[
            ("point", "1234.5, with a decimal point"),
            ("comma", "1234,5 or 1.234,5, with a decimal comma"),
        ],
        widget=Select,
        required=False,
        help_text="In CSV, and in text cells of a workbook. Its number cells are read as they are.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["format"]
        if "resource" in self.fields:
            self.fields["resource"].label = "Rows of"
            self.fields[
                "resource"
            ].help_text = "A workbook with several sheets is taken as a whole, whatever this says."
        self.fields["import_file"].widget.attrs.pop("class", None)
        self.fields["import_file"].help_text = "CSV with commas, semicolons or tabs, or XLSX."


class SheetAdminMixin(ImportExportMixin):  # type: ignore[misc]
    """Mixed into a page: buttons for its sheets. What an upload would do is looked at before a worker does it.

    The library writes sheets out; bringing them in is our own, for its preview holds every lock that it takes.
    """

    resource_classes: ClassVar[list[type[Sheet]]] = []
    import_formats = export_formats = FORMATS
    import_form_class = UploadForm
    export_form_class = ExportForm
    import_export_change_list_template = "admin/catalogue/sheet_list.html"
    import_template_name = "admin/catalogue/sheet_upload.html"
    show_change_form_export = False

    def get_urls(self) -> list[URLPattern]:
        app, model = self.get_model_info()
        wrap = self.admin_site.admin_view
        urls = [each for each in super().get_urls() if each.name != f"{app}_{model}_process_import"]
        return [
            path("import/<int:pk>/", wrap(self.sheet_view), name=f"{app}_{model}_sheet"),
            path("import/template.xlsx", wrap(self.template_view), name=f"{app}_{model}_sheet_template"),
            path("import/<int:pk>/rows.csv", wrap(self.rows_view), name=f"{app}_{model}_sheet_rows"),
            *urls,
        ]

    def get_data_for_export(self, request: HttpRequest, queryset: Any, **kwargs: Any) -> Any:
        """What the list shows; of rows of another kind than the list's, all."""
        chosen = self.choose_export_resource_class(kwargs.get("export_form"), request)
        shown = queryset if chosen._meta.model is self.model else None
        return super().get_data_for_export(request, shown, **kwargs)

    def import_action(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        """The form for a file, and what was brought in lately; POST takes the file and leads to its own page."""
        self._demand_permission(request)
        form = self.create_import_form(request)
        if request.method == "POST" and form.is_valid() and (kept := self._submit(request, form)):
            return HttpResponseRedirect(self._address(kept))
        context = self.admin_site.each_context(request) | {
            "title": "Import",
            "opts": self.opts,
            "form": form,
            "recent": [(row, self._address(row)) for row in self._imports().light()[:_RECENT]],
            "most_rows": MOST_ROWS,
            "template_address": reverse("admin:{}_{}_sheet_template".format(*self.get_model_info())),
            "fields_list": [(each.get_display_name(), each().columns()) for each in self.resource_classes],
        }
        return TemplateResponse(request, self.import_template_name, context)

    def sheet_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How an import stands; POST confirms or cancels it."""
        self._demand_permission(request)
        if request.method == "POST":
            self._act(request, get_object_or_404(self._imports().light(), pk=pk))
            return HttpResponseRedirect(request.path)
        row = get_object_or_404(self._imports().defer("upload", "report").select_related("author"), pk=pk)
        context = self.admin_site.each_context(request) | {
            "title": f"Import of {row.file_name}",
            "opts": self.opts,
            "row": row,
            "first_edition": Edition.objects.filter(number__in=row.editions[:1]).first(),
            "last_edition": Edition.objects.filter(number__in=row.editions[-1:]).first(),
            "rest": max(0, _listed(row) - SHOWN_ROWS),
            "rows_address": self._address(row, "sheet_rows"),
            "upload_address": reverse("admin:{}_{}_import".format(*self.get_model_info())),
        }
        return TemplateResponse(request, "admin/catalogue/sheet_import.html", context)

    def rows_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Every row with what it would do or what is wrong with it."""
        self._demand_permission(request)
        row = get_object_or_404(self._imports().only("report"), pk=pk)
        content = unpack(bytes(row.report)) if row.report else b""
        name = f'attachment; filename="import-{pk}.csv"'
        return HttpResponse(
            content, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name}
        )

    def template_view(self, request: HttpRequest) -> HttpResponse:
        """A workbook with a sheet for each kind of row; with `?filled` what the catalogue says."""
        self._demand_permission(request)
        content = write_workbook(is_filled="filled" in request.GET)
        name = "catalogue.xlsx" if "filled" in request.GET else "catalogue-template.xlsx"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(content, content_type=XLSX_TYPE, headers=headers)

    def _submit(self, request: HttpRequest, form: Any) -> SheetImport | None:
        file = form.cleaned_data["import_file"]
        if file.size > MOST_BYTES:
            form.add_error("import_file", f"It is larger than {MOST_BYTES // 1024 // 1024} MiB; split it.")
            return None
        chosen = self.resource_classes[int(form.cleaned_data.get("resource") or 0)]
        kept = services.submit(
            sheet=_name(chosen),
            file_name=file.name,
            has_decimal_comma=form.cleaned_data["numbers"] == "comma",
            data=file.read(),
            author=_person(request),
        )
        tasks.start(kept.pk)
        return kept

    def _act(self, request: HttpRequest, row: SheetImport) -> None:
        if "confirm" in request.POST:
            if services.confirm(row, author=_person(request)):
                tasks.start(row.pk)
            else:
                messages.error(request, "There is nothing to confirm any more: see what it says now.")
        elif "cancel" in request.POST and not services.cancel(row):
            messages.error(request, "It had already ended.")

    def _demand_permission(self, request: HttpRequest) -> None:
        if not self.has_import_permission(request):
            raise PermissionDenied

    def _imports(self) -> Any:
        return SheetImport.objects.filter(sheet__in=[WORKBOOK, *map(_name, self.resource_classes)])

    def _address(self, row: SheetImport, page: str = "sheet") -> str:
        app, model = self.get_model_info()
        return reverse(f"admin:{app}_{model}_{page}", args=[row.pk])


def _name(chosen: type[Sheet]) -> str:
    return next(name for name, known in KNOWN.items() if known.sheet_class is chosen)


def _listed(row: SheetImport) -> int:
    """How many rows there are of the kind that the page shows the first of."""
    bad: int = row.counts.get("bad", 0)
    return bad or int(row.counts.get("new", 0) + row.counts.get("changed", 0))


def _person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
