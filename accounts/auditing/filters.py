"""What a list of the audit may be narrowed by, wherever it is asked for: REST, the portal, the admin, exports."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q

from accounts.auditing.querysets import AuditQuerySet
from accounts.models import Key, Team
from accounts.usage.parameters import check_values, read_instant, read_words
from gateway.core.refusals import InvalidField

BOUNDS = ("gt", "gte", "lt", "lte")
LISTS = ("event_types", "actor_ids", "actor_emails", "resource_ids")
_EVENT = re.compile(r"[a-z][a-z0-9_]*\.(\*|[a-z][a-z0-9_]*)")
_CURSOR = re.compile(r"aud_(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked. `bounds` is by `gt`, `gte`, `lt` and `lte`."""

    event_types: Sequence[str] = ()
    actor_ids: Sequence[str] = ()
    actor_emails: Sequence[str] = ()
    resource_ids: Sequence[str] = ()
    bounds: dict[str, datetime] = field(default_factory=dict)

    def narrow(self, entries: AuditQuerySet) -> AuditQuerySet:
        for bound, at in self.bounds.items():
            entries = entries.filter(**{f"timestamp__{bound}": at})
        for condition in (self._events(), self._actors(), self._emails(), self._resources()):
            entries = entries.filter(condition)
        return entries

    def _events(self) -> Q:
        condition = Q()
        for word in self.event_types:
            kind, _, act = word.rpartition(".")
            condition |= Q(event__startswith=f"{kind}.") if act == "*" else Q(event=word)
        return condition

    def _actors(self) -> Q:
        if not self.actor_ids:
            return Q()
        return Q(actor_name__in=self.actor_ids) | Q(key__in=[each for each in self.actor_ids if each])

    def _emails(self) -> Q:
        condition = Q()
        for email in self.actor_emails:
            condition |= Q(actor_email__iexact=email)
        return condition

    def _resources(self) -> Q:
        """By the ids that the API knows: of keys and teams others than their numbers."""
        if not self.resource_ids:
            return Q()
        condition = Q(object_pk__in=self.resource_ids) & ~Q(content_type__model__in=["key", "team"])
        for model, name in ((Key, "public_id"), (Team, "slug")):
            rows = model._default_manager.filter(**{f"{name}__in": self.resource_ids})
            label = {"app_label": "accounts", "model": model._meta.model_name}
            conditions = {f"content_type__{part}": word for part, word in label.items()}
            condition |= Q(object_id__in=list(rows.values_list("pk", flat=True)), **conditions)
        return condition


def read_filters(query: dict[str, Any]) -> Filters:
    """Of a query whose lists are joined by commas. Raises InvalidField, which names the parameter."""
    lists = {name: check_values(name, _words(query, name)) for name in LISTS}
    for word in lists["event_types"]:
        if not _EVENT.fullmatch(word):
            message = f"event_types holds {word[:40]!r}; write events such as key.revoked, or key.* for all of keys."
            raise InvalidField("event_types", message)
    bounds = {}
    for bound in BOUNDS:
        if text := query.get(f"effective_at[{bound}]"):
            seconds = read_instant(f"effective_at[{bound}]", text, "UTC")
            bounds[bound] = datetime.fromtimestamp(seconds, UTC)
    return Filters(bounds=bounds, **lists)


def read_cursor(name: str, text: str) -> int:
    """The entry's number. Raises InvalidField."""
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise InvalidField(name, f"{name} is {text[:40]!r}; send the id of an entry, such as aud_17.")
    return int(found[1])


def _words(query: dict[str, Any], name: str) -> list[str]:
    return [word for word in read_words([query[name]]) if word] if query.get(name) else []
