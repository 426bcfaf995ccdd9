"""Sheets: the catalogue's rows as CSV and XLSX, to carry away and to bring back."""

from datetime import date, datetime
from io import BytesIO
from typing import Any

import openpyxl
import tablib
from django.core.exceptions import ValidationError
from import_export import fields, resources, widgets
from import_export.formats.base_formats import CSV, XLSX

from accounts.models import User
from accounts.revision import hold
from catalogue.instants import SHAPE, date_text, parse_instant
from catalogue.models import Model, Offering, Price
from catalogue.publishing import publish
from providers.models import Provider

# What spreadsheet programs take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class InertXLSX(XLSX):  # type: ignore[misc]
    """Reads a formula as the text that it is, never as what some program computed from it."""

    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:

        book = openpyxl.load_workbook(BytesIO(in_stream), read_only=True, data_only=False)
        rows = book.active.iter_rows(values_only=True)
        headers = next(rows, ())
        return tablib.Dataset(
            *(row for row in rows if any(cell is not None for cell in row)), headers=headers
        )


FORMATS = [CSV, InertXLSX]


class WordsWidget(widgets.Widget):  # type: ignore[misc]
    """A list of words with spaces between."""

    def clean(self, value: Any, row: Any = None, **_options: Any) -> list[str]:  # noqa: ARG002
        return str(value or "").replace(",", " ").split()

    def render(self, value: Any, obj: Any = None, **_options: Any) -> str:  # noqa: ARG002
        return " ".join(value or ())


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
    """A row by its name; an unknown one is refused by name."""

    def clean(self, value: Any, row: Any = None, **options: Any) -> Any:
        try:
            return super().clean(value, row, **options)
        except self.model.DoesNotExist:
            raise ValueError(f"There is no {self.model._meta.verbose_name} {value!r}.") from None


class OfferingWidget(widgets.Widget):  # type: ignore[misc]
    """An offering, by the columns model, provider and upstream_name together."""

    def clean(self, value: Any, row: Any = None, **_options: Any) -> Offering:
        provider, upstream_name = row["provider"], row["upstream_name"]
        offering = Offering.objects.filter(
            model__public_id=value, provider__slug=provider, upstream_name=upstream_name
        ).first()
        if offering is None:
            raise ValueError(f"There is no offering of {value!r} at {provider!r} as {upstream_name!r}.")
        return offering

    def render(self, value: Any, obj: Any = None, **_options: Any) -> str:  # noqa: ARG002
        return str(value.model) if value else ""


class Sheet(resources.ModelResource):  # type: ignore[misc]
    """All or nothing: rows are checked as forms check them, and what they change is published once, at the end."""

    class Meta:
        abstract = True
        clean_model_instances = True
        skip_unchanged = True
        report_skipped = True
        use_transactions = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._model_ids: set[int] = set()

    def before_import(self, dataset: tablib.Dataset, **_options: Any) -> None:
        hold()
        missing = [name for name in self.demanded if name not in (dataset.headers or ())]
        if missing:
            raise ValidationError(
                f"The column {missing[0]!r} is missing. Columns: {', '.join(self.columns())}."
            )
        unknown = [name for name in dataset.headers or () if name and name not in self.columns()]
        if unknown:
            raise ValidationError(
                f"The column {unknown[0]!r} does not exist. Columns: {', '.join(self.columns())}."
            )

    demanded: tuple[str, ...] = ()
    """Columns without which no row can be told from another."""

    def columns(self) -> list[str]:
        return [field.column_name for field in self.get_export_fields()]

    def before_import_row(self, row: Any, **_options: Any) -> None:
        """What was quoted on the way out is what it was."""
        for name, value in row.items():
            if isinstance(value, str) and value[:1] == "'" and value[1:].startswith(_FORMULA):
                row[name] = value[1:]

    def export_field(self, field: fields.Field, instance: Any, **options: Any) -> Any:
        value = super().export_field(field, instance, **options)
        return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value

    def after_save_instance(self, instance: Any, row: Any, **_options: Any) -> None:  # noqa: ARG002
        self._model_ids.add(self.model_id(instance))

    def model_id(self, instance: Any) -> int:
        """Of the model whose record the row is part of."""
        raise NotImplementedError

    def after_import(self, dataset: tablib.Dataset, result: Any, **options: Any) -> None:
        """Raises ValidationError where a model could not be published: then nothing is imported."""
        if options.get("dry_run") or result.has_errors() or result.has_validation_errors():
            return
        models = list(Model.objects.filter(pk__in=self._model_ids))
        user = options.get("user")
        publish(models, author=user if isinstance(user, User) else None, note=f"Imported {len(dataset)} rows")
        aside = next((model for model in models if model.quarantine_reason), None)
        if aside is not None:
            raise ValidationError(f"{aside} cannot be published. {aside.quarantine_reason}")


def _instant(name: str) -> fields.Field:
    return fields.Field(attribute=name, column_name=name, widget=InstantWidget())


def _words(name: str) -> fields.Field:
    return fields.Field(attribute=name, column_name=name, widget=WordsWidget())


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
        import_id_fields = ("public_id",)
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

    def after_init_instance(self, instance: Model, new: bool, row: Any, **_options: Any) -> None:
        if new:
            instance.organisation_id, _, instance.slug = str(row["id"] or "").partition("/")

    def model_id(self, instance: Model) -> int:
        return instance.pk


class OfferingSheet(Sheet):
    """Offerings by model, provider and upstream name. Switches are operational, so they are not in it."""

    model = fields.Field("model", "model", NamedWidget(Model, "public_id"))
    provider = fields.Field("provider", "provider", NamedWidget(Provider, "slug"))
    endpoints = _words("endpoints")
    params = _words("params")
    effective_from = _instant("effective_from")
    effective_to = _instant("effective_to")
    demanded = ("model", "provider", "upstream_name")

    class Meta(Sheet.Meta):
        model = Offering
        name = "Offerings"
        import_id_fields = ("model", "provider", "upstream_name")
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

    def model_id(self, instance: Offering) -> int:
        return instance.model_id


class PriceSheet(Sheet):
    """Prices are only ever added: a row that is there already is passed over, and none is changed."""

    offering = fields.Field("offering", "model", OfferingWidget())
    provider = fields.Field("offering__provider__slug", "provider", readonly=True)
    upstream_name = fields.Field("offering__upstream_name", "upstream_name", readonly=True)
    valid_from = _instant("valid_from")
    valid_to = _instant("valid_to")
    demanded = ("model", "provider", "upstream_name", "meter", "amount")

    class Meta(Sheet.Meta):
        model = Price
        name = "Prices"
        import_id_fields = ()
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

    def skip_row(
        self,
        instance: Price,
        original: Any,  # noqa: ARG002  # the library's signature
        row: Any,  # noqa: ARG002  # likewise
        import_validation_errors: Any = None,
    ) -> bool:
        if import_validation_errors:
            return False
        told = {name: getattr(instance, name) for name in _PRICE_FACTS}
        return Price.objects.filter(**told).exists()

    def model_id(self, instance: Price) -> int:
        return instance.offering.model_id


_PRICE_FACTS = (
    "offering",
    "meter",
    "plan",
    "unit_size",
    "amount",
    "currency",
    "conditions",
    "valid_from",
    "valid_to",
)
