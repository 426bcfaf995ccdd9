"""Sheets: the catalogue's rows as CSV and XLSX, to carry away and to bring back."""

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from import_export import fields, resources, widgets
from import_export.formats.base_formats import CSV, XLSX

from catalogue.instants import SHAPE, date_text, parse_instant
from catalogue.models import Model, Offering, Price
from catalogue.words import written
from gateway.core.formulas import quote_formula
from providers.models import Provider

FORMATS = [CSV, XLSX]
OFFERING_KEY = ("model", "provider", "upstream_name")


class WordsWidget(widgets.Widget):  # type: ignore[misc]
    """A list of words with spaces between; those that nobody knows with the mark that they are meant."""

    def __init__(self, column: str) -> None:
        super().__init__()
        self._column = column

    def clean(self, value: Any, row: Any = None, **_options: Any) -> list[str]:  # noqa: ARG002
        return str(value or "").replace(",", " ").split()

    def render(self, value: Any, obj: Any = None, **_options: Any) -> str:  # noqa: ARG002
        return " ".join(written(self._column, value or ()))


class InstantWidget(widgets.Widget):  # type: ignore[misc]
    """A day or an instant, by the one rule that the catalogue has for them."""

    def clean(self, value: Any, row: Any = None, **_options: Any) -> datetime | None:  # noqa: ARG002
        if value in (None, ""):
            return None
        try:
            return parse_instant(value.isoformat() if isinstance(value, date) else str(value).strip())
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{str(value)[:40]!r} is no instant: {SHAPE}.") from error

    def render(self, value: Any, obj: Any = None, **_options: Any) -> str:  # noqa: ARG002
        return date_text(value) or ""


class NamedWidget(widgets.ForeignKeyWidget):  # type: ignore[misc]
    """A row by its name, among those that were looked up before; an unknown one is refused by name."""

    rows: Mapping[str, Any] = MappingProxyType({})

    def clean(self, value: Any, row: Any = None, **_options: Any) -> Any:  # noqa: ARG002
        name = str(value or "")
        if name and name not in self.rows:
            raise ValueError(f"There is no {self.model._meta.verbose_name} {name!r}.")
        return self.rows.get(name)


class OfferingWidget(widgets.Widget):  # type: ignore[misc]
    """An offering, by the columns model, provider and upstream_name together, among those looked up before."""

    rows: Mapping[tuple[str, ...], Offering] = MappingProxyType({})

    def clean(self, value: Any, row: Any = None, **_options: Any) -> Offering:  # noqa: ARG002
        key = tuple(str(row[name] or "") for name in OFFERING_KEY)
        if key not in self.rows:
            raise ValueError("There is no offering of {!r} at {!r} as {!r}.".format(*key))
        return self.rows[key]

    def render(self, value: Any, obj: Any = None, **_options: Any) -> str:  # noqa: ARG002
        return str(value.model) if value else ""


class Sheet(resources.ModelResource):  # type: ignore[misc]
    """The columns of one kind of row: how each is written out, and how a cell of it is read.

    Bringing a sheet in is the business of `catalogue.sheets.work`, which asks no query a row.
    """

    class Meta:
        abstract = True

    demanded: tuple[str, ...] = ()
    """Columns without which no row can be told from another."""

    def columns(self) -> list[str]:
        return [field.column_name for field in self.get_export_fields()]

    def export_field(self, field: fields.Field, instance: Any, **options: Any) -> Any:
        return quote_formula(super().export_field(field, instance, **options))


def _instant(name: str) -> fields.Field:
    return fields.Field(attribute=name, column_name=name, widget=InstantWidget())


def _words(name: str) -> fields.Field:
    return fields.Field(attribute=name, column_name=name, widget=WordsWidget(name))


class ModelSheet(Sheet):
    """Models by id. A new id makes a new model of an organisation that exists."""

    public_id = fields.Field(attribute="public_id", column_name="id")
    release_at = _instant("release_at")
    deprecation_at = _instant("deprecation_at")
    retirement_at = _instant("retirement_at")
    successor = fields.Field("successor", "successor", NamedWidget(Model, "public_id"))
    previous = fields.Field("previous", "previous", NamedWidget(Model, "public_id"))
    input_types = _words("input_types")
    output_types = _words("output_types")
    demanded = ("id",)

    class Meta(Sheet.Meta):
        model = Model
        name = "Models"
        fields = (
            "public_id",
            "name",
            "description",
            "release_at",
            "deprecation_at",
            "retirement_at",
            "successor",
            "previous",
            "input_types",
            "output_types",
            "context_length",
            "max_output_tokens",
            "tokenizer",
            "reasoning_tier",
            "is_moderated",
            "open_weights",
            "licence",
            "knowledge_cutoff",
            "source",
        )


class OfferingSheet(Sheet):
    """Offerings by model, provider and upstream name. Switches are operational, so they are not in it."""

    model = fields.Field("model", "model", NamedWidget(Model, "public_id"))
    provider = fields.Field("provider", "provider", NamedWidget(Provider, "slug"))
    endpoints = _words("endpoints")
    params = _words("params")
    effective_from = _instant("effective_from")
    effective_to = _instant("effective_to")
    demanded = OFFERING_KEY

    class Meta(Sheet.Meta):
        model = Offering
        name = "Offerings"
        fields = (
            "model",
            "provider",
            "upstream_name",
            "endpoints",
            "params",
            "streams",
            "context_length",
            "max_output_tokens",
            "quantization",
            "position",
            "effective_from",
            "effective_to",
        )


class PriceSheet(Sheet):
    """Prices are only ever added: a row that is there already is passed over, and none is changed."""

    offering = fields.Field("offering", "model", OfferingWidget())
    provider = fields.Field("offering__provider__slug", "provider", readonly=True)
    upstream_name = fields.Field("offering__upstream_name", "upstream_name", readonly=True)
    valid_from = _instant("valid_from")
    valid_to = _instant("valid_to")
    demanded = (*OFFERING_KEY, "meter", "amount")

    class Meta(Sheet.Meta):
        model = Price
        name = "Prices"
        fields = (
            "offering",
            "provider",
            "upstream_name",
            "meter",
            "plan",
            "unit_size",
            "amount",
            "currency",
            "conditions",
            "valid_from",
            "valid_to",
            "source",
        )
