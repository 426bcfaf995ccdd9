"""What clients see now, beside what is being edited."""

from datetime import datetime

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from catalogue.lifecycle.status import Status, status_at
from catalogue.models import Model
from catalogue.publishing.editions import publish
from gateway.core.admin_base import Tone, status_chip

_STATUS_TONES: dict[Status, Tone] = {
    Status.ANNOUNCED: "info",
    Status.ACTIVE: "good",
    Status.DEPRECATED: "warning",
    Status.RETIRED: "neutral",
}


def lifecycle_chip(model: Model, at: datetime) -> str:
    status = status_at(at, model.release_at, model.deprecation_at, model.retirement_at)
    return status_chip(status.value, _STATUS_TONES[status])


def live_chip(model: Model, *, is_live_as_edited: bool) -> str:
    """For a model fetched with_live()."""
    if model.quarantine_reason:
        return status_chip("quarantined", "bad", model.quarantine_reason)
    edition = model.live_edition  # type: ignore[attr-defined]  # annotated by with_live
    if edition is None:
        return status_chip("not published")
    edition = model.live_place or edition  # type: ignore[attr-defined]  # likewise
    if is_live_as_edited:
        return status_chip(f"edition {edition}", "good")
    return status_chip(f"edited since {edition}", "warning", "Save it or choose “Publish now”.")


def publish_aloud(request: HttpRequest, models: QuerySet[Model], note: str) -> None:
    """Publish, and tell the curator what came of it."""
    author = request.user if isinstance(request.user, User) else None
    rows = list(models)
    edition = publish(rows, author=author, note=note)
    for row in rows:
        if row.quarantine_reason:
            text = f"{row} was not published; what was live stays live. {row.quarantine_reason}"
            messages.error(request, text)
    if edition is not None:
        messages.success(request, f"Published as {edition}.")
    elif not any(row.quarantine_reason for row in rows):
        messages.info(request, "Nothing changed for clients, so there is no new edition.")
