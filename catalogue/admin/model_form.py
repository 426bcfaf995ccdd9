"""The form of a model's page."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from catalogue.admin.conflicts import is_same, stamp, tell_acts


class ModelForm(forms.ModelForm):  # type: ignore[type-arg]
    """Knows what the page was opened on, so that nobody's edit is overwritten unseen."""

    opened_at = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["opened_at"] = stamp(self.instance)

    def clean(self) -> dict[str, Any] | None:
        """A conflict is told above all fields: its own is hidden, and nobody would see it there."""
        opened_at = self.cleaned_data.get("opened_at")
        if opened_at and self.instance.pk and not is_same(opened_at, self.instance):
            raise ValidationError(_told(opened_at, self.instance))
        return super().clean()


def _told(opened_at: str, model: Any) -> str:
    try:
        return tell_acts(opened_at, model)
    except ValueError:
        return "This page was opened in another way than this one shows. Open it again."
