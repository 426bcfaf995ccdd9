"""Two people at one model: its form knows what the page was opened on, and tells what somebody else did since."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model as Row
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from accounts.admin.history import name_actor, read_changes
from accounts.models import AuditEntry
from catalogue.models import Model
from gateway.core import audit_context

_LABELS = {"input_types": "Input modalities", "output_types": "Output modalities"}
_NOT_EDITED = frozenset({"updated_at", "quarantine_reason"})
_ACTS_SHOWN = 8
_LENGTH_SHOWN = 120


class ModelForm(forms.ModelForm):  # type: ignore[type-arg]
    """Knows what the page was opened on, so that nobody's edit is overwritten unseen."""

    opened_at = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in _LABELS.items():
            if name in self.fields:
                self.fields[name].label = label
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
        return "This form is not the one that this page shows. Open the page again."


def stamp(model: Model, at: datetime | None = None) -> str:
    """When a page was opened, and on what: of a model fetched by complete()."""
    return f"{(at or timezone.now()).isoformat()} {_fingerprint(model)}"


def is_same(stamped: str, model: Model) -> bool:
    """Whether the model, its offerings, prices and aliases are what they were then."""
    return stamped.rpartition(" ")[2] == _fingerprint(model)


def tell_acts(stamped: str, model: Model) -> str:
    """Who saved what since then, as HTML, with the way to go on."""
    opened_at = datetime.fromisoformat(stamped.rpartition(" ")[0])
    since = AuditEntry.objects.filter(page=audit_context.page_of(model), timestamp__gt=opened_at)
    acts = [_line(entry) for entry in since.select_related("actor", "content_type")[:_ACTS_SHOWN]]
    told = format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", acts)) if acts else ""
    page = reverse(f"admin:catalogue_{model._meta.model_name}_change", args=[model.pk])
    return format_html(
        "Somebody else saved this page while you edited it, so nothing of yours was saved yet. Below is what you "
        'typed. <a class="underline" href="{}" target="_blank">Open it as it is now</a> in another tab, and carry your '
        "changes over.{}",
        page,
        told or "It was an import or a command that changed it.",
    )


def _line(entry: AuditEntry) -> tuple[str]:
    changes = "; ".join(
        f"{change.name}: {change.before[:_LENGTH_SHOWN] or '—'} → {change.after[:_LENGTH_SHOWN] or '—'}"
        for change in read_changes(entry)
    )
    what = f"{entry.content_type.name} {entry.object_repr}"
    return (f"{name_actor(entry)} at {entry.timestamp:%H:%M:%S} UTC, {what}: {changes}",)


def _fingerprint(model: Model) -> str:
    text = json.dumps([_values(row) for row in _rows(model)], default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _rows(model: Model) -> Iterator[Row]:
    yield model
    yield from model.aliases.all()
    yield from model.members.all()
    for offering in model.offerings.all():
        yield offering
        yield from offering.prices.all()


def _values(row: Row) -> list[object]:
    names = (field.attname for field in row._meta.concrete_fields if field.name not in _NOT_EDITED)
    return [getattr(row, name) for name in names]
