"""The audit: who changed what, from what to what."""

from collections.abc import Mapping
from typing import Any, NoReturn

from auditlog.models import AbstractLogEntry, LogEntryManager
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

from accounts.auditing.events import name_event
from accounts.auditing.masking import mask
from accounts.auditing.querysets import AppendOnly, AuditQuerySet
from gateway.core import audit_context
from gateway.core.audit_context import ActorKind

_NAME_LENGTH = 160


class AuditManager(LogEntryManager.from_queryset(AuditQuerySet)):  # type: ignore[misc]
    """Adds to every entry who acted, from where, and on which page and in whose audit it is told."""

    def log_create(self, instance: Any, force_log: bool = False, **kwargs: Any) -> Any:
        action = kwargs.get("action", AuditEntry.Action.UPDATE)
        told = about(instance, action, kwargs.get("changes"))
        return super().log_create(instance, force_log, **told, **kwargs)

    def log_m2m_changes(self, changed: Any, instance: Any, operation: str, field: str, **kwargs: Any) -> Any:
        told = about(instance, AuditEntry.Action.UPDATE, {field: operation})
        return super().log_m2m_changes(changed, instance, operation, field, **told, **kwargs)


class AuditEntry(AbstractLogEntry):  # type: ignore[misc]
    """One row that somebody made, changed or deleted, with the fields before and after, or an event such as a sign-in.

    Never edited, and it outlives whom it tells of. `page` is `label/primary key` of the row whose page tells it: a
    price is told on its model's. `team` is whose own audit has it, `key` the public id of the API key that did it.
    """

    class Kind(models.TextChoices):
        PERSON = ActorKind.PERSON.value, "a person"
        KEY = ActorKind.KEY.value, "an API key"
        DIRECTORY = ActorKind.DIRECTORY.value, "an identity provider"
        STRANGER = ActorKind.STRANGER.value, "somebody who had not signed in"
        GATEWAY = ActorKind.GATEWAY.value, "the gateway itself"

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        blank=True,
        null=True,
        related_name="+",
    )
    actor_kind = models.CharField(
        max_length=10, choices=Kind, blank=True, default="", db_default="", editable=False
    )
    actor_name = models.CharField(
        max_length=_NAME_LENGTH, blank=True, default="", db_default="", editable=False
    )
    event = models.CharField(max_length=80, blank=True, default="", db_default="", editable=False)
    team = models.ForeignKey(
        "accounts.Team",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        editable=False,
        related_name="+",
    )
    request_id = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    page = models.CharField(max_length=120, editable=False)
    key = models.CharField(max_length=16, blank=True, editable=False)

    objects = AuditManager()

    class Meta(AbstractLogEntry.Meta):  # type: ignore[misc]
        verbose_name = "audit entry"
        verbose_name_plural = "audit"
        ordering = ["-timestamp", "-id"]
        indexes = [
            models.Index(fields=["page", "-timestamp"], name="audit_by_page"),
            models.Index(
                fields=["team", "-id"], name="audit_by_team", condition=models.Q(team__isnull=False)
            ),
            models.Index(fields=["event", "-id"], name="audit_by_event"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises AppendOnly for one that is written already."""
        if not self._state.adding:
            raise AppendOnly
        for name in ("changes", "object_repr"):
            setattr(self, name, mask(getattr(self, name)))
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG002  # Django's signature
        raise AppendOnly

    def name_person(self, person: AbstractBaseUser) -> None:
        """Says that this person did it."""
        self.actor_id = person.pk
        self.actor_kind = self.Kind.PERSON
        self.actor_name = str(person)[:_NAME_LENGTH]
        self.actor_email = getattr(person, "email", None)


def about(row: models.Model, action: int, changes: Mapping[str, Any] | None) -> dict[str, Any]:
    """The columns of an entry on that row which say what it is called, where it is told, and who acts now."""
    return {
        "page": audit_context.page_of(row),
        "team_id": audit_context.team_of(row),
        "event": name_event(str(row._meta.verbose_name), action, changes),
        **acting(),
    }


def acting() -> dict[str, Any]:
    """The columns of an entry which say who acts now, and from where."""
    now = audit_context.circumstances()
    return {
        "actor": now.person,
        "actor_kind": now.kind.value,
        "actor_name": now.name[:_NAME_LENGTH],
        "actor_email": getattr(now.person, "email", None),
        "key": now.key,
        "remote_addr": now.address,
        "request_id": now.request_id,
    }
