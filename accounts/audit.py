"""The audit's services: which rows it watches, and entries for what no row's own saving tells."""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from auditlog.context import disable_auditlog
from auditlog.registry import auditlog
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

from accounts.auditing.masking import HIDDEN, mask
from accounts.models.audit import AuditEntry, about, acting
from accounts.models.team import Team
from gateway.core import audit_context
from gateway.core.audit_context import ActorKind

Action = AuditEntry.Action
SECRET_CHANGED = (HIDDEN, HIDDEN)
SECRET_FORGOTTEN = (HIDDEN, "")
_REPR_LENGTH = 300


def watch(
    model: type[Model],
    *,
    unwatched: Collection[str] = (),
    secret: Collection[str] = (),
    page: Callable[[Any], str] = audit_context.own_page,
    team: Callable[[Any], int | None] | None = None,
    many: Collection[str] = (),
) -> None:
    """Tell every saving and deleting of such rows, with the fields that changed.

    `unwatched` fields change by themselves and are not told; of `secret` ones only that they changed. `many` names
    many-to-many fields. `page` names the page on which a row's entries are told, `team` whose audit they belong to:
    the one that the row names as its own, if nothing is said.
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
    if team is not None:
        audit_context.register_team(model, team)


def hide(value: str) -> str:
    return "" if value in {"", "None"} else HIDDEN


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


def record_run(row: Model, summary: Mapping[str, Any], *, event: str = "") -> None:
    """One entry for an act on many rows, such as an import: told on `row`, with what was done as its fields."""
    entry = _entry(row, Action.UPDATE, _told(summary))
    entry.event = event or entry.event
    entry.save()


def record_event(
    event: str,
    *,
    team: Team | int | None = None,
    row: Model | None = None,
    person: AbstractBaseUser | None = None,
    facts: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """What happened and no row's saving tells, such as `session.failed`: on `row`, or else on the person or the team.

    `team` says whose audit it belongs to, where the row does not. `person` is who did it, where no request says so
    yet or no longer. `facts` are told as they are: no secrets.
    """
    about_team = team if isinstance(team, Team) else None
    subject = row or person or about_team
    entry = _entry(subject, Action.ACCESS, _told(facts or {})) if subject else _on_nothing(facts or {})
    entry.event = event
    if team is not None:
        entry.team_id = team.pk if isinstance(team, Team) else team
    if person is not None and entry.actor_kind in {ActorKind.STRANGER, ActorKind.GATEWAY}:
        entry.name_person(person)
    entry.save()
    return entry


def _told(facts: Mapping[str, Any]) -> dict[str, tuple[None, Any]]:
    return {name: (None, value) for name, value in facts.items()}


def _on_nothing(facts: Mapping[str, Any]) -> AuditEntry:
    """Of somebody whom no row is of, such as a name that nobody has."""
    return AuditEntry(
        content_type=ContentType.objects.get_for_model(get_user_model()),
        object_pk="",
        object_repr="",
        action=Action.ACCESS,
        changes={name: list(pair) for name, pair in _told(facts).items()},
        **acting(),
    )


def _entry(row: Model, action: int, changes: Mapping[str, tuple[Any, Any]]) -> AuditEntry:
    told = mask({name: list(pair) for name, pair in changes.items()})
    return AuditEntry(
        content_type=ContentType.objects.get_for_model(row),
        object_pk=str(row.pk),
        object_id=row.pk if isinstance(row.pk, int) else None,
        object_repr=mask(str(row))[:_REPR_LENGTH],
        action=action,
        changes=told,
        **about(row, action, told),
    )
