"""Pages of the admin on which what was just made, a key's text or a secret, is shown once."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts.admin.history import HistoryAdminBase
from gateway.core.admin_base import page_of


class ShownOnceBase(HistoryAdminBase):
    """A row's page shows it above the form, by `change_form_before_template`: to the session that it was kept in."""

    def take_new(self, request: HttpRequest, row: Any) -> Mapping[str, Any]:
        """What the template needs; after this it is gone."""
        raise NotImplementedError

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id) if request.method == "GET" else None
        if row is not None and self.has_view_or_change_permission(request, row):
            extra_context = {**(extra_context or {}), **self.take_new(request, row)}
        page: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        return page

    def response_add(self, request: HttpRequest, obj: Model, *_: Any, **__: Any) -> HttpResponse:  # noqa: ARG002
        """To the row's page, whichever button was pressed: only there it is shown."""
        return HttpResponseRedirect(page_of(obj))
