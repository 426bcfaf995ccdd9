"""What the pages of models and of named routes have in common: what clients see, editions, deletion, publishing."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone

from accounts.admin.deletion import AskingMixin
from accounts.models import User
from catalogue.admin.base import PublishingAdminBase
from catalogue.admin.conflicts import ModelForm
from catalogue.admin.live import lifecycle_chip, live_chip, publish_aloud
from catalogue.admin.model_summary import describe, judge_shown, quality_chip, why_uncallable
from catalogue.admin.rollback import show_versions
from catalogue.models import Model
from catalogue.querysets.working import ModelQuerySet
from catalogue.services import delete_models

NAMING = (
    "Name it",
    {
        "description": "Clients call it by organisation/slug: that cannot be changed once it is published.",
        "fields": [("organisation", "slug"), "name", "description"],
    },
)
LIFE = (
    "Plan its life",
    {
        "description": "Status follows from these dates by itself, in UTC. Name a successor before an end.",
        "fields": ["release_at", ("deprecation_at", "retirement_at"), "successor"],
    },
)
SOURCES = ("Note your sources", {"fields": ["source", "created_at"]})


class RecordAdmin(AskingMixin, PublishingAdminBase):
    """A page whose row is published as one record."""

    form = ModelForm
    show_full_result_count = False
    readonly_fields = ["created_at"]
    actions = [*AskingMixin.actions, "publish_now"]
    change_form_template = "admin/catalogue/model/change_form.html"
    fieldsets: Any = []

    def get_queryset(self, request: HttpRequest) -> ModelQuerySet:
        rows: ModelQuerySet = super().get_queryset(request)
        return rows.complete().with_live()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        """Looks for ids first: rows with all that their line shows, once for each offering, are dear to compare."""
        if not search_term.strip():
            return queryset, False
        found, _ = super().get_search_results(request, Model.objects.all(), search_term)
        return queryset.filter(pk__in=found.values("pk")), False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.versions_view)
        name = f"catalogue_{self.opts.model_name}_editions"
        return [path("<int:pk>/editions/", view, name=name), *super().get_urls()]

    def versions_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return show_versions(self, request, get_object_or_404(self.model, pk=pk))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        judged = judge_shown(changelist.result_list)
        for model in changelist.result_list:
            model.judged = judged.get(model.pk)
        return changelist

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        model = kwargs.get("obj")
        if model is not None and request.method == "POST":
            # What was refused stays in the form; around it stands what is saved.
            model = self.get_queryset(request).get(pk=model.pk)
        summary = {"summary": describe(model)} if model else {}
        return super().render_change_form(request, context | summary, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        if obj is None or not self.has_change_permission(request, obj):
            return list(self.fieldsets)
        return [*self.fieldsets, (None, {"fields": ["opened_at"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:  # noqa: ARG002
        """Clients call a published model by its id, so that stays."""
        if obj and getattr(obj, "was_published", False):
            return [*self.readonly_fields, "organisation", "slug"]
        return list(self.readonly_fields)

    @admin.display(description="status")
    def status(self, model: Model) -> str:
        return lifecycle_chip(model, timezone.now())

    @admin.display(description="clients see", ordering="live_edition")
    def live(self, model: Any) -> str:
        return live_chip(model, is_live_as_edited=bool(model.judged and model.judged.is_live_as_edited))

    @admin.display(description="quality")
    def quality(self, model: Any) -> str:
        return quality_chip(model.judged.quality) if model.judged else ""

    @admin.display(description="edited", ordering="updated_at")
    def edited(self, model: Model) -> str:
        return f"{model.updated_at:%Y-%m-%d}"

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        verb = "Edited" if change else "Added"
        publish_aloud(request, Model.objects.filter(pk=form.instance.pk), f"{verb} {form.instance}")
        for reason in why_uncallable(form.instance):
            text = f"{form.instance} is listed as not callable: whatever is connected, no call can go there. {reason}"
            messages.warning(request, text)

    def entries_of(self, rows: Sequence[Model]) -> Q:
        return Q(model__in=[row.public_id for row in rows])

    def instead_of_deleting(self) -> tuple[str, str]:
        advice = (
            f"You can retire a {self.opts.verbose_name} instead: calls to it are then refused with the name of its "
            "successor, and its history, prices and editions stay."
        )
        return advice, "id_retirement_at"

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.delete_queryset(request, Model.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        author = request.user if isinstance(request.user, User) else None
        rows = Model.objects.filter(pk__in=list(queryset.values_list("pk", flat=True)))
        edition = delete_models(rows, author=author)
        if edition is not None:
            messages.success(request, f"Clients no longer see it, from {edition} on.")

    @admin.action(description="Publish now", permissions=["change"])
    def publish_now(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        publish_aloud(request, queryset, "Published from the list")
