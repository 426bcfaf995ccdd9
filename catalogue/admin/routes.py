"""The named route's page: which models answer for it, how often, in which order, and for which calls."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q

from catalogue.admin.conflicts import ModelForm
from catalogue.admin.fields import CuratorFields
from catalogue.admin.filters import PublicationFilter, QualityFilter, StatusFilter
from catalogue.admin.inlines import AliasInline, LoadedFormSet
from catalogue.admin.record_pages import LIFE, NAMING, SOURCES, RecordAdmin
from catalogue.models import Model, Route, RouteMember
from catalogue.models.route_member import faults_of
from catalogue.published.content import member_facts
from catalogue.published.route_record import conditions_in_words
from catalogue.publishing.routes import compile_member
from catalogue.words import ROUTED_ENDPOINTS, ROUTED_INPUTS
from gateway.core.admin_base import Checkboxes, FormInline, Select

_MEMBERS_SHOWN = 3


def _which(yes: str, no: str) -> forms.TypedChoiceField:
    """Of calls: those, the others, or all."""
    return forms.TypedChoiceField(
        choices=[("", "Any calls"), ("True", yes), ("False", no)],
        coerce=lambda value: value == "True",
        empty_value=None,
        required=False,
        widget=Select,
    )


def _some(words: Sequence[str], about: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        choices=[(word, word) for word in words], required=False, widget=Checkboxes, help_text=about
    )


_LABELS = {"is_streamed": "Streaming", "has_tools": "Tools", "input_types": "Input", "endpoints": "Endpoints"}
_SHORT = {
    "tier": "0 first; a higher one where no lower one answers.",
    "weight": "Its share of the tier: 3 beside 1 is three of four. 0: none.",
    "canary_percent": "It takes so many of a hundred calls before all tiers; its weight does not count then.",
}


class MemberForm(forms.ModelForm):  # type: ignore[type-arg]
    """Conditions are chosen, not typed."""

    is_streamed = _which("Streamed calls only", "Calls that are not streamed only")
    has_tools = _which("Calls with tools only", "Calls without tools only")
    input_types = _some(
        ROUTED_INPUTS, "Only calls with one of these in their input; text: nothing else in it."
    )
    endpoints = _some(ROUTED_ENDPOINTS, "Only calls at one of these.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in _LABELS.items():
            if name in self.fields:
                self.fields[name].label = label
        for name, help_text in _SHORT.items():
            if name in self.fields:
                self.fields[name].help_text = help_text


class MemberFormSet(LoadedFormSet):
    """Judges the members together."""

    loaded = "members"

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = [form.instance for form in self.forms if form not in self.deleted_forms and _is_said(form)]
        if faults := list(faults_of(kept)):
            raise ValidationError(faults)


def _is_said(form: Any) -> bool:
    """Not one of the empty forms that the page offers."""
    return bool(form.instance.pk) or bool(form.has_changed())


class MemberInline(CuratorFields, FormInline):
    model = RouteMember
    fk_name = "route"
    form = MemberForm
    formset = MemberFormSet
    verbose_name = "member"
    autocomplete_fields = ["model", "provider", "team", "project"]
    readonly_fields = ["calls"]
    fieldsets = [
        (None, {"fields": ["model", "provider", ("tier", "weight"), "canary_percent", "calls"]}),
        (
            "Choose which calls it is for: all, unless you say so",
            {
                "classes": ["collapse"],
                "fields": [
                    ("is_streamed", "has_tools"),
                    ("input_tokens_from", "input_tokens_below"),
                    "input_types",
                    "endpoints",
                    "team",
                    "project",
                ],
            },
        ),
    ]

    @admin.display(description="which calls")
    def calls(self, member: RouteMember) -> str:
        if member.pk is None:
            return "Every call, unless you choose below."
        said = conditions_in_words(member_facts(compile_member(member)))
        owner = member.project or member.team
        return f"{said or 'for every call'}{f' ({owner})' if owner else ''}".capitalize()


class RouteForm(ModelForm):
    fallback_on = forms.MultipleChoiceField(
        label="Go on to the next member also where",
        choices=[
            ("context_length_exceeded", "the prompt is too long for the model, and the next one takes more"),
            ("content_filter", "a provider's content filter refuses the request"),
        ],
        required=False,
        widget=Checkboxes,
        help_text="Both are the request's own trouble. Unless you choose them here, only requests that ask for it by "
        "fallback_on go on. Answers say so in x-gateway-fallback-on.",
    )


@admin.register(Route)
class RouteAdmin(RecordAdmin):
    form = RouteForm
    inlines = [MemberInline, AliasInline]
    list_display = ["public_id", "name", "status", "live", "quality", "goes_to", "edited"]
    list_filter = [
        StatusFilter,
        PublicationFilter,
        QualityFilter,
        ("organisation", admin.RelatedOnlyFieldListFilter),
        ("members__model", admin.RelatedOnlyFieldListFilter),
    ]
    search_fields = ["public_id", "name", "aliases__name", "members__model__public_id"]
    search_help_text = "Id, name, alias or member"
    autocomplete_fields = ["organisation", "successor"]
    fieldsets = [NAMING, ("Say when the next member answers", {"fields": ["fallback_on"]}), LIFE, SOURCES]

    @admin.display(description="goes to")
    def goes_to(self, route: Route) -> str:
        names = list(dict.fromkeys(member.model.public_id for member in route.members.all()))
        more = len(names) - _MEMBERS_SHOWN
        return ", ".join(names[:_MEMBERS_SHOWN]) + (f" and {more} more" if more > 0 else "")

    def entries_of(self, rows: Sequence[Model]) -> Q:
        """Calls that asked for it, whichever model answered."""
        return Q(requested_model__in=[row.public_id for row in rows])
