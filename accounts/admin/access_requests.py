"""The queue of access requests: what staff have to decide, and what became of the rest."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts import access_requests
from accounts.access_desks import may_decide, rights_at_desks, seen_by
from accounts.access_terms import REASON_LENGTH
from accounts.admin.history import HistoryAdminBase
from accounts.models import AccessRequest, User
from gateway.core.admin_base import Select, TextArea, Tone, confirmed_action, page_of, status_chip, to_page
from gateway.core.refusals import InvalidField, Refused

State = AccessRequest.State
_TONES: dict[str, Tone] = {State.OPEN: "info", State.GRANTED: "good", State.DECLINED: "bad"}


class QueueFilter(admin.SimpleListFilter):
    """Without a choice: those that wait for staff."""

    title = "queue"
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [("", "Staff decide"), ("open", "All that are open"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        for word, title in self.lookup_choices:
            yield {
                "selected": (self.value() or "") == word,
                "query_string": changelist.get_query_string({self.parameter_name: word}),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        if self.value() == "all":
            return queryset
        is_open = queryset.filter(state=State.OPEN)
        return is_open if self.value() == "open" else is_open.filter(decider=AccessRequest.Decider.STAFF)


class DecisionForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    decision = forms.ChoiceField(
        required=False,
        choices=[("", "Leave it open"), ("grant", "Grant"), ("decline", "Decline")],
        widget=Select,
    )
    note = forms.CharField(
        required=False, max_length=REASON_LENGTH, widget=TextArea, help_text="Who asked is mailed it."
    )

    class Meta:
        model = AccessRequest
        fields = ["until", "note"]


@admin.register(AccessRequest)
class AccessRequestAdmin(HistoryAdminBase):
    form = DecisionForm
    list_display = ["summary", "person", "team", "kind", "decider", "state_told", "until", "created_at"]
    list_filter = [QueueFilter, "kind", "state", "decider", "team"]
    list_select_related = ["person", "team"]
    search_fields = ["summary", "person__username", "team__slug", "=public_id"]
    actions = ["grant_selected", "decline_selected"]
    actions_detail = ["end_it"]
    _told = [
        *("public_id", "state_told", "kind", "summary", "asked", "team", "person", "reason", "decider"),
        *("created_at", "endorsed_by", "decided_by", "decided_at", "ended_at"),
    ]
    readonly_fields = _told
    fieldsets = [("What is asked", {"fields": _told}), ("Decide", {"fields": ["decision", "until", "note"]})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        person = cast("User", request.user)
        return rows if self._may_look_at_all(request) else seen_by(person, rows)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_look_at_all(request) or self._is_at_desk(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_change_permission(request, obj)) or self._is_at_desk(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(super().has_module_permission(request)) or self._is_at_desk(request)

    def _may_look_at_all(self, request: HttpRequest) -> bool:
        return bool(super().has_view_permission(request))

    def _is_at_desk(self, request: HttpRequest, obj: Any = None) -> bool:
        """`obj` is an id where the theme asks for one of the page's acts."""
        person = cast("User", request.user)
        if obj is None or not rights_at_desks(person):
            return bool(rights_at_desks(person))
        row = obj if isinstance(obj, AccessRequest) else self.get_object(request, str(obj))
        return row is not None and may_decide(person, row)

    def get_fieldsets(self, request: HttpRequest, obj: AccessRequest | None = None) -> Any:
        if obj is not None and obj.state == State.OPEN and self.has_change_permission(request, obj):
            return self.fieldsets
        return [("What was asked", {"fields": [*self._told, "until", "note"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: AccessRequest | None = None) -> Any:  # noqa: ARG002
        is_open = obj is not None and obj.state == State.OPEN
        return self._told if is_open else [*self._told, "until", "note"]

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AccessRequest | None = None) -> bool:  # noqa: ARG002
        return False

    @admin.display(description="state", ordering="state")
    def state_told(self, row: AccessRequest) -> str:
        hint = "It waits for a second person." if row.state == State.OPEN and row.endorsed_by_id else ""
        return status_chip(row.get_state_display().lower(), _TONES.get(row.state, "neutral"), hint)

    def save_model(self, request: HttpRequest, obj: AccessRequest, form: Any, change: bool) -> None:  # noqa: ARG002
        """Nothing is saved but a decision."""
        given = form.cleaned_data
        if not given.get("decision"):
            return
        found = AccessRequest.objects.get(pk=obj.pk)
        self._decide(
            request, found, grants=given["decision"] == "grant", note=given["note"], until=given.get("until")
        )

    def response_change(self, request: HttpRequest, obj: AccessRequest) -> HttpResponse:  # noqa: ARG002
        """What was decided is told already."""
        return HttpResponseRedirect(page_of(obj))

    @admin.action(description="Grant", permissions=["change"])
    def grant_selected(self, request: HttpRequest, queryset: QuerySet[AccessRequest]) -> None:
        for row in queryset:
            self._decide(request, row, grants=True)

    @admin.action(description="Decline", permissions=["change"])
    def decline_selected(self, request: HttpRequest, queryset: QuerySet[AccessRequest]) -> None:
        for row in queryset:
            self._decide(request, row, grants=False)

    @confirmed_action(
        "End it", "Take back what was granted?", "Calls obey within a second. Who asked is told."
    )
    def end_it(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:  # noqa: ARG002
        row = AccessRequest.objects.get(pk=object_id)
        try:
            access_requests.end(request=row, by=cast("User", request.user))
        except Refused as refusal:
            messages.error(request, refusal.message)
        return to_page(request, row)

    def _decide(self, request: HttpRequest, row: AccessRequest, *, grants: bool, **said: Any) -> None:
        person = cast("User", request.user)
        try:
            access_requests.decide(request=row, grants=grants, by=person, **said)
        except (InvalidField, Refused) as refusal:
            messages.error(request, f"{row.summary}: {refusal.message}")
            return
        state = "waits for a second person" if row.state == State.OPEN else row.get_state_display().lower()
        messages.success(request, f"{row.summary}: {state}.")
