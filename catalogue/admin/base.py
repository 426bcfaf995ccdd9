"""The base of pages whose saving publishes."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest

from accounts.admin.history import HistoryAdminBase
from accounts.revision import lock_revision
from catalogue.admin.fields import CuratorFields


class PublishingAdminBase(CuratorFields, HistoryAdminBase):
    """Holds the revision before a row is read to be changed: two curators wait in a line, and the second is told."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        if request.method == "POST" and transaction.get_connection().in_atomic_block:
            lock_revision()
        return super().get_object(request, object_id, from_field)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        if not change:
            lock_revision()
        return super().save_form(request, form, change)
