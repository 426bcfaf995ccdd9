"""The audit's services: which rows it watches, and entries for what no row's own saving tells."""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from auditlog.context import disable_auditlog
from auditlog.registry import auditlog
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

from accounts.models.audit import AuditEntry, about
from gateway.core import audit_context

Action = AuditEntry.Action
_HIDDEN = "•••"
SECRET_CHANGED = (_HIDDEN, _HIDDEN)
SECRET_FORGOTTEN = (_HIDDEN, "")
_REPR_LENGTH = 300


def watch(
    model: type[Model],
    *,
    unwatched: Collection[str] = (),
    secret: Collection[str] = (),
    page: Callable[[Any], str] = audit_context.own_page,
    many: Collection[str] = (),
) -> None:
    """Tell every saving and deleting of such rows, with the fields that changed.

    `unwatched` fields change by themselves and are not told; of `secret` ones only that they changed. `many` names
    many-to-many fields. `page` names the page on which a row's entries are told.
    """
    names = [field.name for field in model._meta.concrete_fields if not field.primary_key]
    auditlog.register(
        model,
        include_fields=[name for name in names if name not in unwatched],
        mask_fields=list(secret),
        mask_callable="accounts.audit.hide",
        m2m_fields=set(many),
    )
    audit_context.register_page(model, page)


def hide(value: str) -> str:
    return "" if value in {"", "None"} else _HIDDEN


def unwatched() -> AbstractContextManager[None]:
    """Inside, the savings and deletions of rows are not told one by one: tell them as what they are together."""
    silence: AbstractContextManager[None] = disable_auditlog()
    return silence


def record_changes(rows: Iterable[Model], changes: Mapping[str, tuple[Any, Any]]) -> None:
    """What one statement changed on those rows: field → before, after, the same for all of them."""
    AuditEntry.objects.bulk_create([_entry(row, Action.UPDATE, changes) for row in rows])


def record_deletion(rows: Iterable[Model], fields: Collection[str]) -> None:
    """Rows that are about to be deleted together with what belongs to them, as those fields still say."""
    AuditEntry.objects.bulk_create(
        [
            _entry(row, Action.DELETE, {name: (str(getattr(row, name)), None) for name in fields})
            for row in rows
        ]
    )


def record_run(row: Model, summary: Mapping[str, Any]) -> None:
    """One entry for an act on many rows, such as an import: told on `row`, with what was done as its fields."""
    _entry(row, Action.UPDATE, {name: (None, value) for name, value in summary.items()}).save()


def _entry(row: Model, action: int, changes: Mapping[str, tuple[Any, Any]]) -> AuditEntry:
    return AuditEntry(
        content_type=ContentType.objects.get_for_model(row),
        object_pk=str(row.pk),
        object_id=row.pk if isinstance(row.pk, int) else None,
        object_repr=str(row)[:_REPR_LENGTH],
        action=action,
        changes={name: list(pair) for name, pair in changes.items()},
        **about(row),
    )
