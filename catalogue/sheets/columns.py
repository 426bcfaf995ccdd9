"""Sheets: the catalogue's rows as CSV and XLSX, to carry away and to bring back."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from django.db import models
from import_export import fields, resources
from import_export.formats.base_formats import CSV, XLSX

from catalogue.models import Alias, Model, Offering, Organisation, Price, RouteMember
from catalogue.models.shapes import check_words
from catalogue.sheets.cells import (
    AmountCell,
    Cell,
    ChoiceCell,
    ConditionsCell,
    CountCell,
    DayCell,
    FlagCell,
    InstantCell,
    NamedCell,
    ProjectCell,
    SomeWordsCell,
    StartCell,
    TextCell,
    WordsCell,
)
from catalogue.words import MEANT, ROUTED_ENDPOINTS, ROUTED_INPUTS
from gateway.core.formulas import quote_formula

FORMATS = [CSV, XLSX]
OFFERING_KEY = ("model", "provider", "upstream_name")


class OfferingCell(Cell):
    """An offering, by the columns model, provider and upstream_name together, among those looked up before."""

    rows: Mapping[tuple[str, ...], Offering] = MappingProxyType({})

    def clean(self, value: Any, row: Any = None, **_options: Any) -> Offering:  # noqa: ARG002
        key = tuple(str(row[name] or "").strip() for name in OFFERING_KEY)
        if key not in self.rows:
            raise ValueError("There is no offering of {!r} at {!r} as {!r}.".format(*key))
        return self.rows[key]

    def write(self, value: Any) -> str:
        return str(value.model)


class Sheet(resources.ModelResource):  # type: ignore[misc]
    """The columns of one kind of row: how each is written out, and how a cell of it is read.

    Bringing a sheet in is the business of `catalogue.sheets.work`, which asks no query a row.
    """

    class Meta:
        abstract = True

    demanded: ClassVar[tuple[str, ...]] = ()
    """Columns without which no row can be told from another."""

    @classmethod
    def field_from_django_field(cls, field_name: str, django_field: Any, readonly: bool) -> fields.Field:
        return fields.Field(field_name, field_name, cell_of(django_field), readonly=readonly)

    def columns(self) -> list[str]:
        return [field.column_name for field in self.get_export_fields()]

    def export_field(self, field: fields.Field, instance: Any, **options: Any) -> Any:
        return quote_formula(super().export_field(field, instance, **options))

    def read_decimal_commas(self) -> None:
        """Numbers in texts of this file are written as 1.234,5."""
        for field in self.fields.values():
            field.widget.has_decimal_comma = True


def cell_of(field: Any) -> Cell:
    """An empty cell says what a new row has, or that it is unknown."""
    default = field.get_default() if field.has_default() else None
    if check_words in field.validators:
        return WordsCell(field.name)
    if field.choices and not isinstance(field, models.BooleanField):
        return ChoiceCell([value for value, _label in field.choices], default or "")
    if isinstance(field, models.BooleanField):
        return FlagCell(may_be_unknown=field.null)
    if isinstance(field, models.DateTimeField):
        return InstantCell()
    if isinstance(field, models.DateField):
        return DayCell()
    if isinstance(field, models.DecimalField):
        return AmountCell(default)
    if isinstance(field, models.IntegerField):
        return CountCell(default)
    if isinstance(field, models.JSONField):
        return ConditionsCell()
    return TextCell(default or "", is_one_line=not isinstance(field, models.TextField))


def _named(name: str, kind: str, attribute: str) -> fields.Field:
    return fields.Field(name, name, NamedCell(kind, attribute))


class OrganisationSheet(Sheet):
    """Organisations by id."""

    demanded = ("id",)

    class Meta(Sheet.Meta):
        model = Organisation
        name = "Organisations"
        fields = ("id", "name", "colour", "website", "country_code")


class ModelSheet(Sheet):
    """Models by id, without named routes. A new id makes a new model of an organisation that exists."""

    public_id = fields.Field("public_id", "id", TextCell())
    successor = _named("successor", "model", "public_id")
    previous = _named("previous", "model", "public_id")
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

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(kind=Model.Kind.MODEL)


class AliasSheet(Sheet):
    """Other names of models. One that is there stays at its model."""

    model = _named("model", "model", "public_id")
    demanded = ("name", "model")

    class Meta(Sheet.Meta):
        model = Alias
        name = "Aliases"
        fields = ("name", "model", "policy")

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(model__kind=Model.Kind.MODEL)


class OfferingSheet(Sheet):
    """Offerings by model, provider and upstream name. Switches are operational, so they are not in it."""

    model = _named("model", "model", "public_id")
    provider = _named("provider", "provider", "slug")
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
            "regions",
            "zero_retention",
            "collects_data",
            "position",
            "effective_from",
            "effective_to",
        )


class AmountField(fields.Field):  # type: ignore[misc]
    """A price; with the mark before it, it is meant however odd it is (`is_meant` of the row)."""

    def save(self, instance: Any, row: Any, is_m2m: bool = False, **options: Any) -> None:
        value = row[self.column_name]
        instance.is_meant = isinstance(value, str) and value.strip().startswith(MEANT)
        if instance.is_meant:
            row = {**row, self.column_name: value.strip().removeprefix(MEANT)}
        super().save(instance, row, is_m2m, **options)


class PriceSheet(Sheet):
    """Prices are only ever added: a row that is there already is passed over, and none is changed.

    One without a beginning begins when it is written, and ends the one that runs, as on the model's page.
    """

    offering = fields.Field("offering", "model", OfferingCell())
    provider = fields.Field("offering__provider__slug", "provider", TextCell(), readonly=True)
    upstream_name = fields.Field("offering__upstream_name", "upstream_name", TextCell(), readonly=True)
    amount = AmountField("amount", "amount", AmountCell())
    valid_from = fields.Field("valid_from", "valid_from", StartCell())
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


class RouteMemberSheet(Sheet):
    """Members of named routes, which are made on their own pages. None is taken out by a sheet."""

    route = _named("route", "named route", "public_id")
    model = _named("model", "model", "public_id")
    provider = _named("provider", "provider", "slug")
    team = _named("team", "team", "slug")
    project = fields.Field("project", "project", ProjectCell("project", "slug"))
    input_types = fields.Field("input_types", "input_types", SomeWordsCell("input_types", ROUTED_INPUTS))
    endpoints = fields.Field("endpoints", "endpoints", SomeWordsCell("endpoints", ROUTED_ENDPOINTS))
    demanded = ("route", "model")

    class Meta(Sheet.Meta):
        model = RouteMember
        name = "Routes"
        fields = (
            "route",
            "model",
            "provider",
            "tier",
            "weight",
            "canary_percent",
            "is_streamed",
            "has_tools",
            "input_types",
            "endpoints",
            "input_tokens_from",
            "input_tokens_below",
            "team",
            "project",
        )


SHEETS: dict[str, type[Sheet]] = {
    "organisations": OrganisationSheet,
    "models": ModelSheet,
    "aliases": AliasSheet,
    "offerings": OfferingSheet,
    "prices": PriceSheet,
    "routes": RouteMemberSheet,
}
"""In the order in which a workbook is read: what earlier ones make, later ones name."""
