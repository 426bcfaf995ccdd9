"""Limits, as staff set them on the page of whom they are for."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.limiting import remove_limit, set_limit
from accounts.limits import PUBLISHED
from accounts.models import Key, Limit
from gateway.core.admin_base import NamedFormSet, TableInline


class LimitForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What is limited stays: another measure is another limit."""

    is_teams = forms.BooleanField(
        label="the team's own",
        required=False,
        help_text="The team may raise and remove it. Else it may set less, and no more than this.",
    )

    class Meta:
        model = Limit
        fields = ["unit", "window", "amount"]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        if self.instance.pk is None:
            return
        for name in ("unit", "window"):
            if name in self.fields:
                self.fields[name].disabled = True
        self.initial["is_teams"] = self.instance.most is None


class LimitInline(TableInline):
    model = Limit
    form = LimitForm
    verbose_name_plural = "limits: how much all of its calls may take together"
    fields = ["unit", "window", "amount", "is_teams", "allowed", "set_by"]
    readonly_fields = ["allowed", "set_by"]

    @admin.display(description="staff allow at most", empty_value="")
    def allowed(self, limit: Limit) -> str | None:
        return f"{limit.most:,}" if limit.most is not None else None


class KeyLimitForm(LimitForm):
    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        unit = cleaned.get("unit")
        window = "none" if unit == Limit.Unit.CONCURRENCY else cleaned.get("window")
        if (unit, window) in PUBLISHED.values():
            self.add_error("unit", "A key has this limit among its own fields, above.")
        return cleaned


class KeyLimitFormSet(NamedFormSet):
    """Of the key's lineage."""

    def __init__(self, *arguments: Any, instance: Key | None = None, **named: Any) -> None:
        of_lineage = instance.lineage if instance is not None and instance.pk else instance
        super().__init__(*arguments, instance=of_lineage, **named)


class KeyLimitInline(LimitInline):
    """Those that are no fields of the key."""

    form = KeyLimitForm
    formset = KeyLimitFormSet
    verbose_name_plural = "further limits, of this key and of those that replace it"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Limit]:
        rows: QuerySet[Limit] = super().get_queryset(request)
        for unit, window in PUBLISHED.values():
            rows = rows.exclude(Q(unit=unit, window=window))
        return rows


def save_limits(formset: Any) -> None:
    """As staff say. The formset was found valid."""
    formset.save(commit=False)
    for limit in formset.deleted_objects:
        remove_limit(limit=limit, is_staff=True)
    for form in _changed(formset):
        limit = form.instance
        limit.pk = set_limit(
            subject=formset.instance,
            unit=limit.unit,
            window=limit.window,
            amount=limit.amount,
            most=None if form.cleaned_data["is_teams"] else limit.amount,
            is_staff=True,
        ).pk


def _changed(formset: Any) -> Iterable[Any]:
    gone = formset.deleted_forms
    return [form for form in formset.forms if form.has_changed() and form not in gone]


class LimitedMixin:
    """A page with limits on it."""

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if formset.model is Limit:
            save_limits(formset)
        else:
            super().save_formset(request, form, formset, change)  # type: ignore[misc]
