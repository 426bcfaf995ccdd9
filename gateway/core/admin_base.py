"""The base of every admin page: the one place that knows the theme."""

import json
import logging
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, wraps
from hashlib import sha256
from typing import Any, Literal

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Field, GenericIPAddressField, Model, QuerySet, URLField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from unfold import fields as unfold_fields
from unfold.admin import ModelAdmin, StackedInline, TabularInline, checkbox
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import (
    AdminPasswordChangeForm,
    UserChangeForm,
    UserCreationForm,
)
from unfold.paginator import InfinitePaginator
from unfold.templatetags import unfold_list
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

_log = logging.getLogger(__name__)
Tone = Literal["good", "info", "warning", "bad", "neutral"]

PasswordInput = UnfoldAdminPasswordWidget
TextInput = UnfoldAdminTextInputWidget
Select = UnfoldAdminSelectWidget
TextArea = UnfoldAdminTextareaWidget
CountlessPaginator = InfinitePaginator
ChangePersonForm = UserChangeForm
NewPersonForm = UserCreationForm
PasswordForm = AdminPasswordChangeForm
MultipleChoice = UnfoldAdminSelect2MultipleWidget
NumberInput = UnfoldAdminIntegerFieldWidget
Checkboxes = UnfoldAdminCheckboxSelectMultipleWidget


def status_chip(text: str, tone: Tone = "neutral", hint: str = "") -> str:
    """A word on its colour, as safe HTML, for lists and read-only fields. `hint` shows on hover."""
    # As the template of the theme's own chips, which is too dear for hundreds of them on a page.
    tones = "" if tone == "neutral" else f" {tone}"
    title = format_html(' title="{}"', hint) if hint else ""
    return format_html('<span class="chip{}"{}>{}</span>', tones, title, text)


def confirmed_action(
    label: str,
    title: str,
    consequences: str,
    *,
    right: str = "change",
    variant: ActionVariant = ActionVariant.DANGER,
) -> Callable[[Any], Any]:
    """A button of a row's page that asks first. The method takes the request, the form and `object_id`.

    It is for those of whom the page's `has_…_permission` of that right says so.
    """
    dialog = {"title": title, "description": consequences, "form_class": None, "form_submit_text": label}

    def decorate(act: Any) -> Any:
        @wraps(act)
        def on_row(page: Any, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
            """Of a row that there is: addresses name others, and what is no id at all."""
            if page.get_object(request, object_id) is None:
                raise Http404("There is no such row.")
            answer: HttpResponse = act(page, request, form, object_id)
            return answer

        return action(description=label, permissions=[right], variant=variant, dialog=dialog)(on_row)

    return decorate


def page_of(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def to_page(request: HttpRequest, row: Model) -> HttpResponse:
    """The row's page after an act that was asked about first; htmx would put it into the dialog."""
    page, is_dialog = page_of(row), "HX-Request" in request.headers
    return HttpResponse(headers={"HX-Redirect": page}) if is_dialog else HttpResponseRedirect(page)


@cache
def theme_style_source() -> str:
    """The source, for a content security policy, of the colours that the theme writes into each page: their hash."""
    anybody = HttpRequest()
    context = {
        "colors": admin.site._get_colors("COLORS", anybody),  # type: ignore[attr-defined]  # the theme's site
        "border_radius": admin.site._get_config("BORDER_RADIUS", anybody),  # type: ignore[attr-defined]
    }
    page = render_to_string("unfold/layouts/skeleton.html", context)
    colours = page.partition('<style id="unfold-theme-colors">')[2].partition("</style>")[0]
    return f"'sha256-{b64encode(sha256(colours.encode()).digest()).decode()}'"


@cache
def _action_box() -> str:
    """The theme's box before a row of a list: drawn once, since drawing one for each row takes longer than the rows."""
    box = checkbox.render(ACTION_CHECKBOX_NAME, "{0}")
    return str(box.replace("Select record", "Select {1}"))


@dataclass(frozen=True, slots=True)
class FieldError:
    """For the summary on top of a form: `target` is the id of what it is about."""

    label: str
    message: str
    target: str


def field_errors(form: Any, inlines: Iterable[Any] = ()) -> Iterator[FieldError]:
    """Of a form's fields, then of the rows of its inlines."""
    yield from _errors_of(form, "", form.prefix or "")
    for inline in inlines:
        formset, name = inline.formset, str(inline.opts.verbose_name).capitalize()
        for message in formset.non_form_errors():
            yield FieldError(name, str(message), f"{formset.prefix}-group")
        for number, row in enumerate(formset.forms, start=1):
            yield from _errors_of(row, f"{name} {number}: ", f"{formset.prefix}-{number - 1}")


def _errors_of(form: Any, prefix: str, target: str) -> Iterator[FieldError]:
    for name, faults in form.errors.items():
        is_field = name in form.fields
        if not is_field and not prefix:
            continue  # shown above all fields
        label = str(form[name].label) if is_field else "the whole row"
        place = form[name].id_for_label if is_field else target
        yield from (FieldError(f"{prefix}{label}", str(fault), place) for fault in faults)


def _are_ids(relation: Any, value: str | list[str]) -> bool:
    key = relation.related_model._meta.pk
    try:
        for each in value if isinstance(value, list) else [value]:
            key.to_python(each)
    except ValidationError:
        return False
    return True


MOST_SEARCHED = 100
"""Words of a search."""


class AdminBase(ModelAdmin):  # type: ignore[misc]
    """A page of the admin. Screens inherit from here, never from the theme."""

    list_per_page = 50
    warn_unsaved_form = True

    @admin.display(description=ModelAdmin.action_checkbox.short_description)
    def action_checkbox(self, obj: Any) -> str:
        return format_html(_action_box(), obj.pk, obj)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Django looks for a field without a name where an address says `?_to_field=`."""
        return super().get_object(request, object_id, from_field or None)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Not by an internet address: PostgreSQL fails on what is none, and no page asks for one."""
        named = next((each for each in self.opts.fields if each.name == lookup.partition("__")[0]), None)
        if isinstance(named, GenericIPAddressField):
            return False
        allowed: bool = super().lookup_allowed(lookup, value, request)
        return allowed

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Each word is a condition inside another, and SQLite takes no more than a thousand of those."""
        if len(search_term.split()) > MOST_SEARCHED:
            self.message_user(
                request, f"A search takes at most {MOST_SEARCHED} words.", level=messages.WARNING
            )
            return queryset.none(), False
        found: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, search_term)
        return found

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Without what an address names as another row and is no id: Django would look for it all the same."""
        given: dict[str, Any] = super().get_changeform_initial_data(request)
        relations = {
            field.name: field for field in (*self.opts.fields, *self.opts.many_to_many) if field.is_relation
        }
        return {
            name: value
            for name, value in given.items()
            if name not in relations or _are_ids(relations[name], value)
        }

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What another one saved between a form's look at the rows and its writing is told as what it is."""
        try:
            page: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError as fault:
            if request.method != "POST":
                raise
            _log.warning(
                "A row could not be saved as another one stands in its way: %s", type(fault).__name__
            )
            self.message_user(
                request,
                "Nothing was saved: somebody else saved a row a moment before that this one may not stand beside, such "
                "as one of the same name. Look at it, and save yours again.",
                level=messages.ERROR,
            )
            return HttpResponseRedirect(request.get_full_path())
        return page

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if context.get("errors"):
            form, inlines = context["adminform"].form, context["inline_admin_formsets"]
            context["field_errors"] = list(field_errors(form, inlines))
        for form in _forms_of(context):
            form.asking = request
        if kwargs.get("add"):
            # The theme has its buttons on pages of rows that exist.
            context["actions_submit_line"] = self.get_actions_submit_line(request, 0)
        answer: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return answer

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """A web address typed without a scheme is meant as https."""
        scheme = {"assume_scheme": "https"} if isinstance(db_field, URLField) else {}
        return super().formfield_for_dbfield(db_field, request, **kwargs, **scheme)


def _forms_of(context: dict[str, Any]) -> Iterator[Any]:
    """Those of a row's page: its own, and one of each row below it."""
    if "adminform" in context:
        yield context["adminform"].form
    for inline in context.get("inline_admin_formsets", ()):
        yield from inline.formset.forms


class NamedFormSet(TabularInline.formset):  # type: ignore[misc]
    """In a table the column's head names a field for those who see it; here for those who hear it."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for name, field in form.fields.items():
            field.widget.attrs.setdefault("aria-label", str(form[name].label))


class TableInline(TabularInline):  # type: ignore[misc]
    """Rows of a child edited in a table on their parent's page."""

    extra = 0
    formset = NamedFormSet


class FormInline(StackedInline):  # type: ignore[misc]
    """A child edited as a form on its parent's page."""

    extra = 0


def _words_or_json(value: Any, _encoder: Any = None) -> str:
    """A field of JSON to look at. The theme colours it by styles inside the page, which our policy forbids."""
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return format_html("{}", ", ".join(value) or "none")
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, default=str))


unfold_fields.prettify_json = _words_or_json

_link_to = unfold_fields.UnfoldAdminReadonlyField.get_admin_url


def _link_if_open(shown: Any, relation: Any, row: Model) -> str:
    """A relation to look at. Django links it for everybody, also for those whom its page refuses."""
    asking, page = getattr(shown.form, "asking", None), admin.site._registry.get(relation.model)
    if asking is None or page is None or not page.has_view_permission(asking, row):
        return str(row)
    link: str = _link_to(shown, relation, row)
    return link


unfold_fields.UnfoldAdminReadonlyField.get_admin_url = _link_if_open

_headers_of = unfold_list.result_headers


def _headers_once(changelist: Any) -> list[Any]:
    if not hasattr(changelist, "headers_once"):
        changelist.headers_once = list(_headers_of(changelist))
    headers: list[Any] = changelist.headers_once
    return headers


# The theme makes the heads of all columns anew for every row: a third of what a list takes.
unfold_list.result_headers = _headers_once

for _inline in (TableInline, FormInline):
    # A row's own fields say what it is. The theme's versions for Python 3.11 and for later ones name the switch apart.
    if hasattr(_inline, "hide_title"):
        _inline.hide_title = True
    else:
        _inline.show_title = False
