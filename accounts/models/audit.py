"""The audit: who changed what, from what to what."""

from typing import Any

from auditlog.models import AbstractLogEntry, LogEntryManager
from django.db import models

from gateway.core import audit_context


class AuditManager(LogEntryManager):  # type: ignore[misc]
    """Adds to every entry who acted, and the page on which it is told."""

    def log_create(self, instance: Any, force_log: bool = False, **kwargs: Any) -> Any:
        return super().log_create(instance, force_log, **about(instance), **kwargs)

    def log_m2m_changes(self, changed: Any, instance: Any, operation: str, field: str, **kwargs: Any) -> Any:
        return super().log_m2m_changes(changed, instance, operation, field, **about(instance), **kwargs)


class AuditEntry(AbstractLogEntry):  # type: ignore[misc]
    """One row that somebody made, changed or deleted, with the fields before and after; never edited.

    `page` is `label/primary key` of the row whose page tells it: a price is told on its model's. `key` is the
    public id of the API key that did it, if one did.
    """

    page = models.CharField(max_length=120, editable=False)
    key = models.CharField(max_length=16, blank=True, editable=False)

    objects = AuditManager()

    class Meta(AbstractLogEntry.Meta):  # type: ignore[misc]
        verbose_name = "audit entry"
        verbose_name_plural = "audit"
        ordering = ["-timestamp", "-id"]
        indexes = [models.Index(fields=["page", "-timestamp"], name="audit_by_page")]


def about(row: models.Model) -> dict[str, Any]:
    """The columns of an entry on that row which say who acts now, and where it is told."""
    user, key = audit_context.who()
    return {
        "page": audit_context.page_of(row),
        "actor": user,
        "actor_email": getattr(user, "email", None),
        "key": key,
    }
