"""What a provider's bills are compared by, and the bills that were brought in."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from gateway.core.lines import OneLineTexts, is_one_line
from providers.reconciling.reading import DATE_FORMS, DECIMAL_FORMS, Columns

_NAMES_HELP = (
    "One a line, as “gpt-5-2025-08-07 = gpt-5”: the name on the bill, then the one that offerings ask for. "
    "Names that are the same need no line."
)


class AdministratorCredential(models.Model):
    """A secret of the operator's account at a provider, which opens its cost report and no call.

    Write-only and encrypted as all of them are; a new origin forgets it.
    """

    provider = models.OneToOneField(
        "providers.Provider", on_delete=models.CASCADE, related_name="administrator_credential"
    )
    ciphertext = models.TextField(blank=True, editable=False)
    hint = models.CharField(max_length=4, blank=True, editable=False)
    rotated_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["provider__name"]
        verbose_name = "admin credential"

    def __str__(self) -> str:
        return f"admin credential at {self.provider}"

    @property
    def masked(self) -> str:
        return f"…{self.hint}" if self.ciphertext else "forgotten"


class BillMapping(OneLineTexts, models.Model):
    """How a provider's bills are read: which columns hold what, how they are written, and what models are called."""

    class DateForm(models.TextChoices):
        ISO = "iso", DATE_FORMS["iso"][0]
        ISO_TIME = "iso_time", DATE_FORMS["iso_time"][0]
        MONTH_FIRST = "month_first", f"{DATE_FORMS['month_first'][0]}, the month first"
        DAY_FIRST = "day_first", f"{DATE_FORMS['day_first'][0]}, the day first"
        DOTTED = "dotted", DATE_FORMS["dotted"][0]

    class DecimalForm(models.TextChoices):
        POINT = "point", DECIMAL_FORMS["point"][0]
        POINT_GROUPED = "point_grouped", DECIMAL_FORMS["point_grouped"][0]
        COMMA = "comma", DECIMAL_FORMS["comma"][0]
        COMMA_GROUPED = "comma_grouped", DECIMAL_FORMS["comma_grouped"][0]

    class Unit(models.TextChoices):
        USD = "usd", "USD"
        CENT = "cent", "cents of USD"

    class Delimiter(models.TextChoices):
        COMMA = "comma", "comma"
        SEMICOLON = "semicolon", "semicolon"
        TAB = "tab", "tab"

    provider = models.OneToOneField(
        "providers.Provider", on_delete=models.CASCADE, related_name="bill_mapping"
    )
    date_column = models.CharField(max_length=100, help_text="As the head of the column says, to the letter.")
    model_column = models.CharField(max_length=100)
    amount_column = models.CharField(max_length=100)
    input_tokens_column = models.CharField(
        max_length=100, blank=True, help_text="Empty: the sheet does not say."
    )
    output_tokens_column = models.CharField(max_length=100, blank=True)
    date_form = models.CharField("days are as", max_length=12, choices=DateForm, default=DateForm.ISO)
    decimal_form = models.CharField(
        "amounts are as", max_length=14, choices=DecimalForm, default=DecimalForm.POINT
    )
    unit = models.CharField("amounts are in", max_length=4, choices=Unit, default=Unit.USD)
    delimiter = models.CharField(
        "columns are parted by", max_length=10, choices=Delimiter, default=Delimiter.COMMA
    )
    names = models.TextField("names of models", blank=True, max_length=20_000, help_text=_NAMES_HELP)
    tolerance_usd = models.DecimalField(
        "tolerance, USD",
        max_digits=12,
        decimal_places=6,
        default=Decimal("0.01"),
        validators=[MinValueValidator(0)],
        help_text="A day's amount that differs by no more is the same.",
    )

    class Meta:
        ordering = ["provider__name"]

    def __str__(self) -> str:
        return f"bills of {self.provider}"

    def clean(self) -> None:
        for number, line in enumerate(self.names.splitlines(), start=1):
            theirs, sign, ours = (part.strip() for part in line.partition(" = "))
            if line.strip() and not (theirs and sign and ours and is_one_line(line)):
                told = f"Line {number} is “{line.strip()[:60]}”; write it as “gpt-5-2025-08-07 = gpt-5”."
                raise ValidationError({"names": told})

    @property
    def columns(self) -> Columns:
        return Columns(
            self.date_column,
            self.model_column,
            self.amount_column,
            self.input_tokens_column,
            self.output_tokens_column,
            self.date_form,
            self.decimal_form,
            self.unit,
            self.delimiter,
        )

    @property
    def renamed(self) -> dict[str, str]:
        """What the provider calls a model → what offerings ask for."""
        parts = (line.partition(" = ") for line in self.names.splitlines() if line.strip())
        return {theirs.strip(): ours.strip() for theirs, _, ours in parts}


class Bill(models.Model):
    """What a provider says it is owed for some days, by day and model: brought in as a sheet, or asked for."""

    class Source(models.TextChoices):
        SHEET = "sheet", "Sheet"
        REPORT = "report", "Cost report"

    provider = models.ForeignKey("providers.Provider", on_delete=models.CASCADE, related_name="bills")
    source = models.CharField(max_length=6, choices=Source)
    file_name = models.CharField(max_length=200, blank=True)
    first_day = models.DateField()
    last_day = models.DateField()
    lines = models.JSONField(
        default=list, help_text="Of each day, model, USD as text, tokens in and out or null; added up."
    )
    total_usd = models.DecimalField(max_digits=20, decimal_places=10)
    brought_by = models.CharField(max_length=160, blank=True)
    brought_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-brought_at", "-id"]

    def __str__(self) -> str:
        return f"{self.provider}, {self.first_day} to {self.last_day}"
