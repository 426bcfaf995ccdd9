"""Pages on which sheets are taken out of the catalogue and brought into it."""

from typing import Any, ClassVar

from import_export.admin import ImportExportMixin
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from catalogue.sheets import FORMATS, Sheet


class SheetDesk(ImportExportMixin):  # type: ignore[misc]
    """Mixed into a desk: buttons for its sheets, each with a look at every change before it is made."""

    resource_classes: ClassVar[list[type[Sheet]]] = []
    import_formats = export_formats = FORMATS
    import_form_class = ImportForm
    export_form_class = ExportForm
    show_change_form_export = False

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        given: dict[str, Any] = super().get_import_data_kwargs(**kwargs)
        return given | {"rollback_on_validation_errors": True}
