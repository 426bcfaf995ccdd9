"""Prices as curators see and type them: in USD for a million tokens, current ones first."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalogue.admin.fields import CuratorFields, MomentField, PerMillionField, PriceField
from catalogue.facts import PriceFacts
from catalogue.models import Offering, Price
from catalogue.pricing.cost import STANDARD, current_prices, plain
from catalogue.pricing.meters import INPUT_TEXT, OUTPUT_TEXT
from catalogue.pricing.rates import SMALLEST_USD
from catalogue.publishing.compile import price_facts
from catalogue.services import MILLION, doubt_of_price, price_references, set_price
from gateway.core.admin_base import TableInline

_METERS = {"input_usd": INPUT_TEXT, "output_usd": OUTPUT_TEXT}
# Between opening a form, typing “now” and saving it.
TYPING = timedelta(minutes=10)


def usd_per_million(offering: Offering, at: datetime) -> dict[str, Decimal]:
    """The standard prices that apply at `at`, by meter. Reads prefetched prices."""
    prices = current_prices(map(price_facts, offering.prices.all()), at)
    return {price.meter: _per_million(price) for price in prices}


def price_line(offering: Offering, at: datetime) -> str:
    """Such as “0.15 in · 0.6 out · 2 more”; empty without prices."""
    current = usd_per_million(offering, at)
    words = {INPUT_TEXT: "in", OUTPUT_TEXT: "out"}
    parts = [f"{plain(current[meter])} {word}" for meter, word in words.items() if meter in current]
    others = len(current.keys() - words.keys())
    return " · ".join([*parts, f"{others} more"] if others else parts)


def _per_million(price: PriceFacts) -> Decimal:
    exact = price.amount * MILLION / price.unit_size
    # To the places that a price may have; then without an exponent, which no form would show.
    return Decimal(plain(exact.quantize(SMALLEST_USD)))


class NameOnly(forms.Widget):
    """A choice that stands: its name as text."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:  # noqa: ARG002
        return format_html("<span>{}</span>", self._name)


def ask_of_price(form: Any, name: str, offering: Offering, price: PriceFacts) -> None:
    """Where the price that a field says is far from others, refuse it until a box is ticked that now appears."""
    field = form.fields[name]
    if field.is_meant or not offering.model_id:
        return
    at = timezone.now()
    others = price_references([offering.model_id])[offering.model_id]
    if doubt := doubt_of_price(offering, price, others, at=at):
        field.widget.asks = True
        form.add_error(name, f"{doubt} If it is right, say so below and save again.")


class OfferingForm(forms.ModelForm):  # type: ignore[type-arg]
    """An offering with its two commonest prices. A changed one is a new row from now on; the old row ends.

    A saved offering stays at its provider: its prices and its calls were that one's.
    """

    input_usd = PerMillionField("input $/M")
    output_usd = PerMillionField("output $/M")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            current = usd_per_million(self.instance, timezone.now())
            self.initial.update(input_usd=current.get(INPUT_TEXT), output_usd=current.get(OUTPUT_TEXT))
            self._fix_provider()

    def _fix_provider(self) -> None:
        provider = self.instance.provider
        field = self.fields.get("provider")
        if field is not None:
            field.disabled = True
            field.widget = NameOnly(provider.name)

    def _post_clean(self) -> None:
        """Once the offering is known."""
        super()._post_clean()  # type: ignore[misc]  # the stubs have no name for it
        for field, meter in _METERS.items():
            amount = self.cleaned_data.get(field)
            if amount is not None and field in self.changed_data:
                price = PriceFacts(meter, STANDARD, MILLION, amount, "USD")
                ask_of_price(self, field, self.instance, price)

    def set_prices(self) -> None:
        """Call it once the offering is saved."""
        at = timezone.now()
        for field, meter in _METERS.items():
            if field in self.changed_data:
                amount = self.cleaned_data[field]
                set_price(self.instance, meter=meter, usd_per_million=amount, at=at, is_meant=True)


class PriceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new price, or an old one of which only the end may be set, from now on."""

    amount = PriceField()
    valid_to = MomentField(required=False, label="valid to", help_text="Leave it empty if no end is known.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["amount"] = Decimal(plain(self.instance.amount))
            for name, field in self.fields.items():
                field.disabled = name not in {"id", "offering", "valid_to"} or self._has_ended()

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # the stubs have no name for it
        is_new, offering = self.instance.pk is None, self.cleaned_data.get("offering")
        if is_new and offering is not None and not self.errors and self.has_changed():
            ask_of_price(self, "amount", offering, price_facts(self.instance))

    def clean_valid_to(self) -> datetime | None:
        ends: datetime | None = self.cleaned_data["valid_to"]
        is_new_end = "valid_to" in self.changed_data and self.instance.pk
        if is_new_end and ends is not None and ends < timezone.now() - TYPING:
            raise ValidationError("What was charged stays as it was: a price ends now or later.")
        return ends

    def _has_ended(self) -> bool:
        return self.instance.valid_to is not None and self.instance.valid_to <= timezone.now()


class PriceInline(CuratorFields, TableInline):
    """Appended, never rewritten: old rows can only be given an end."""

    model = Price
    form = PriceForm
    can_delete = False
    verbose_name_plural = "prices (a row, once saved, can only be given an end; add a row for a new price)"
    fields = [
        "meter",
        "plan",
        "amount",
        "unit_size",
        "currency",
        "valid_from",
        "valid_to",
        "conditions",
        "source",
    ]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False
