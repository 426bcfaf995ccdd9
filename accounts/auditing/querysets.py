"""Questions to the audit, and what nobody may do to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from django.db import connection, transaction
from django.db.models import QuerySet

_PERMIT = "gatehouse.forgets_audit"
"""What PostgreSQL's guard of the table asks for, within one transaction."""


class AppendOnly(Exception):
    """Entries of the audit are written once; only what its retention removes goes."""


class AuditQuerySet(QuerySet[Any]):
    """Entries of the audit."""

    def newest_first(self) -> "AuditQuerySet":
        """In the order in which they were written, with all that telling one takes."""
        return self.order_by("-id").select_related("content_type", "team")

    def before(self, number: int) -> "AuditQuerySet":
        return self.filter(id__lt=number)

    def after(self, number: int) -> "AuditQuerySet":
        return self.filter(id__gt=number)

    def update(self, **kwargs: Any) -> NoReturn:  # noqa: ARG002  # Django's signature
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG002
        raise AppendOnly

    @transaction.atomic
    def forget(self) -> int:
        """What only retention may do. How many."""
        with permitted():
            return self._raw_delete(self.db)


@contextmanager
def permitted() -> Iterator[None]:
    """Inside, within a transaction, PostgreSQL lets the table be changed."""
    _permit("on")
    yield
    _permit("off")


def _permit(word: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, %s, true)", [_PERMIT, word])
