"""What people say of budgets: a new one, what changes of one, and a raise of it."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from accounts import budget_terms
from accounts.budgeting import OF_STAFF, change_budget, make_budget, raise_budget
from accounts.models import Budget
from accounts.money import plain
from accounts.subject_rows import Owner
from gateway.core.refusals import InvalidField
from gateway.portal.subjects import SubjectChoice

_LEAST_USD = Decimal("1e-10")


class ThresholdsField(forms.CharField):
    """Percents with commas or blanks between them, such as `80, 100`."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        words = str(super().to_python(value)).replace(",", " ").replace("%", " ").split()
        try:
            found = sorted({int(word) for word in words if word.isascii() and word.isdecimal()})
            if not all(word.isascii() and word.isdecimal() for word in words):
                raise InvalidField("thresholds", "Use whole percents, such as 80, 100.")
            budget_terms.check_thresholds(found)
        except (InvalidField, ValueError):
            raise forms.ValidationError(
                "Use up to ten whole percents from 1 to 100, such as 80, 100."
            ) from None
        return found

    def run_validators(self, value: Any) -> None:
        """A text's own, which look at its length and for a NUL, know no lists."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(initial) != self.to_python(data))
        except forms.ValidationError:
            return True


class BudgetTermsForm(forms.Form):
    """What may be said of a budget when it is made and later."""

    prefix = "budget"

    amount_usd = forms.DecimalField(
        label="How much, in USD",
        min_value=_LEAST_USD,
        max_value=budget_terms.AMOUNT_MAX_USD,
        decimal_places=10,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    zone = forms.CharField(
        label="Time zone",
        max_length=64,
        initial="UTC",
        help_text="Where its days begin, such as Europe/Berlin.",
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )
    mode = forms.ChoiceField(
        label="Running calls",
        choices=[
            (Budget.Mode.BALANCED.value, "hold what is likely"),
            (Budget.Mode.STRICT.value, "hold the most"),
        ],
        help_text="What is held for each: what such calls usually cost, or the most that they can.",
    )
    thresholds = ThresholdsField(
        label="Tell people at",
        required=False,
        initial=[80, 100],
        help_text="Percentages of the amount, such as 80, 100. Empty: nobody is told.",
    )
    refuses = forms.BooleanField(
        label="Refuses calls",
        required=False,
        initial=True,
        help_text="Off: people are told, and calls go on.",
    )
    counts_own = forms.BooleanField(
        label="Counts own credentials",
        required=False,
        help_text="Calls on your team's own credentials count, too, with what they would have cost.",
    )

    def clean_zone(self) -> str:
        zone: str = self.cleaned_data["zone"]
        try:
            budget_terms.check_zone(zone)
        except InvalidField as fault:
            raise forms.ValidationError(fault.message) from None
        return zone

    def _try(self, act: Callable[[], object]) -> bool:
        """False: it cannot be, and is said at its field."""
        try:
            act()
        except InvalidField as fault:
            self.add_error(fault.field if fault.field in self.fields else None, fault.message)
            return False
        return True


class BudgetForm(BudgetTermsForm):
    """A new one."""

    window = forms.ChoiceField(
        label="In which time",
        choices=Budget.Period.choices,
        initial="month",
        help_text="Weeks begin on Monday.",
    )

    field_order: Sequence[str] = (
        "window",
        "amount_usd",
        "zone",
        "mode",
        "thresholds",
        "refuses",
        "counts_own",
    )

    def save(self, subject: Owner) -> bool:
        terms = {name: value for name, value in self.cleaned_data.items() if name != "subject"}
        return self._try(lambda: make_budget(subject=subject, **terms))


class TeamBudgetForm(SubjectChoice, BudgetForm):
    field_order = ("subject", *BudgetForm.field_order)

    def __init__(self, data: QueryDict | None, *, subjects: Iterable[Owner]) -> None:
        super().__init__(data)
        self.offer(subjects)


class ChangeBudgetForm(BudgetTermsForm):
    """It remembers what its page showed: only what the person changed since then counts."""

    is_active = forms.BooleanField(
        label="In force", required=False, help_text="Off: it neither refuses nor tells."
    )

    def __init__(self, data: QueryDict | None, *, budget: Budget) -> None:
        shown = {name: getattr(budget, name) for name in self.base_fields}
        shown["amount_usd"] = plain(budget.amount_usd)
        super().__init__(data, initial=shown)
        self._budget = budget
        for name, field in self.fields.items():
            field.show_hidden_initial = True
            field.disabled = budget.most_usd is not None and name in OF_STAFF
        if budget.most_usd is not None:
            self.fields["amount_usd"].help_text = f"Staff allow ${plain(budget.most_usd)} at most."

    def save(self) -> bool:
        changes: Any = {name: self.cleaned_data[name] for name in self.changed_data}
        return self._try(lambda: change_budget(budget=self._budget, **changes))


class RaiseForm(forms.Form):
    """More for a while."""

    prefix = "raise"

    usd = forms.DecimalField(
        label="How much more, in USD",
        min_value=_LEAST_USD,
        max_value=budget_terms.AMOUNT_MAX_USD,
        decimal_places=10,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    until = forms.DateTimeField(
        help_text="In UTC. It ends by itself then.",
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, data: QueryDict | None) -> None:
        tomorrow = (timezone.now() + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
        super().__init__(data, initial={"until": tomorrow})

    def save(self, budget: Budget) -> bool:
        until: datetime = self.cleaned_data["until"].astimezone(UTC)
        try:
            raise_budget(budget=budget, by_usd=self.cleaned_data["usd"], until=until)
        except InvalidField as fault:
            self.add_error({"raise_usd": "usd", "raise_until": "until"}.get(fault.field), fault.message)
            return False
        return True
