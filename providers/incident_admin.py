"""Incidents in the admin: what health checks saw, what staff open and say of it, and what the status page tells."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.admin.history import HistoryAdminBase
from gateway.core.admin_base import FormInline, status_chip
from gateway.core.lines import as_one_line
from providers.models import Incident, IncidentNote

_RIGHT = "providers.change_incident"
_SEEN_SAYS = ["state", "kind", "provider", "offering", "cause", "began_at", "ended_at", "opened_by"]
_AS_ONE = (
    "What breakers of one provider did at about the same time is told as one, by the title and switch of the first, "
    "with the notes of all."
)
_BY_HAND = [incident_kind for incident_kind in Incident.Kind if incident_kind != Incident.Kind.SEEN]


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [("open", "Going on"), ("over", "Over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        at = timezone.now()
        if self.value() == "open":
            return queryset.exclude(ended_at__lte=at)
        return queryset.filter(ended_at__lte=at) if self.value() == "over" else queryset


class NoteInline(FormInline):
    """What staff say of it. Whoever may change incidents writes them."""

    model = IncidentNote
    verbose_name_plural = "notes"
    fields = ["written", "title", "text", "is_public"]
    readonly_fields = ["written"]
    can_delete = False

    @admin.display(description="written", empty_value="when it is saved")
    def written(self, note: IncidentNote) -> str | None:
        by = f" by {note.author}" if note.author else ""
        return f"{note.at:%Y-%m-%d %H:%M:%S} UTC{by}" if note.pk else None

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return request.user.has_perm(_RIGHT) or request.user.has_perm("providers.view_incident")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return request.user.has_perm(_RIGHT) or request.user.has_perm("providers.add_incident")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return request.user.has_perm(_RIGHT)


@admin.register(Incident)
class IncidentAdmin(HistoryAdminBase):
    list_display = ["what", "state", "kind", "began_at", "ended_at", "provider", "is_public", "note_count"]
    list_filter = [StateFilter, "kind", "is_public", "provider"]
    list_select_related = ["provider", "offering__model", "offering__provider"]
    search_fields = ["title", "provider__name", "provider__slug", "notes__title"]
    search_help_text = "Title, provider, or the title of a note"
    autocomplete_fields = ["provider"]
    actions = ["end_now", "hide", "show"]
    inlines = [NoteInline]
    readonly_fields = ["state", "opened_by", "offering", "cause"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Incident]:
        rows: QuerySet[Incident] = super().get_queryset(request)
        return rows.prefetch_related("notes")

    def get_fieldsets(self, request: HttpRequest, obj: Incident | None = None) -> Any:  # noqa: ARG002
        told = ("What the status page tells", {"fields": ["title", "is_public"], "description": _AS_ONE})
        if obj is None:
            return [told, ("What there is", {"fields": ["kind", "provider", "began_at", "ended_at"]})]
        if obj.is_seen:
            return [told, ("What health checks saw", {"fields": _SEEN_SAYS[:-1]})]
        own = ["state", "kind", "provider", "began_at", "ended_at", "opened_by"]
        return [told, ("What there is", {"fields": own})]

    def get_readonly_fields(self, request: HttpRequest, obj: Incident | None = None) -> Any:  # noqa: ARG002
        """Nobody but health checks says what those saw."""
        return _SEEN_SAYS if obj is not None and obj.is_seen else self.readonly_fields

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "kind":
            kwargs["choices"] = [(kind.value, kind.label) for kind in _BY_HAND]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"kind": Incident.Kind.INCIDENT.value} | super().get_changeform_initial_data(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """What was told is hidden, and kept."""
        return False

    def save_model(self, request: HttpRequest, obj: Incident, form: Any, change: bool) -> None:
        if not change:
            obj.opened_by = as_one_line(str(request.user))[:160]
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: ARG002
        for note in formset.save(commit=False):
            if note.pk is None:
                note.author, note.at = as_one_line(str(request.user))[:160], timezone.now()
            note.save()
        formset.save_m2m()

    @admin.display(description="what", ordering="title")
    def what(self, incident: Incident) -> str:
        return str(incident)

    @admin.display(description="state")
    def state(self, incident: Incident) -> str:
        at = timezone.now()
        if incident.began_at > at:
            return status_chip("planned", "info")
        if incident.ended_at is None or incident.ended_at > at:
            return status_chip("going on", "bad")
        return status_chip("over", "good")

    @admin.display(description="notes")
    def note_count(self, incident: Incident) -> str:
        return str(len(incident.notes.all()) or "")

    @admin.action(description="It is over: end what staff opened now", permissions=["change"])
    def end_now(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        at = timezone.now()
        for row in queryset:
            if row.is_seen:
                told = f"{row} ends by itself, when calls get through again."
                self.message_user(request, told, level=messages.WARNING)
            elif row.ended_at is None or row.ended_at > at:
                row.ended_at = max(at, row.began_at)
                row.save(update_fields=["ended_at"])
                self.message_user(request, f"{row} is over.", level=messages.SUCCESS)

    @admin.action(description="Hide from the status page", permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        self._show(request, queryset, is_public=False)

    @admin.action(description="Show on the status page", permissions=["change"])
    def show(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        self._show(request, queryset, is_public=True)

    def _show(self, request: HttpRequest, queryset: QuerySet[Incident], *, is_public: bool) -> None:
        # One by one, so that each is told in the audit.
        changed = [row for row in queryset if row.is_public != is_public]
        for row in changed:
            row.is_public = is_public
            row.save(update_fields=["is_public"])
        told = "shown on" if is_public else "hidden from"
        self.message_user(
            request, f"{len(changed)} incident{'' if len(changed) == 1 else 's'} {told} the status page."
        )
