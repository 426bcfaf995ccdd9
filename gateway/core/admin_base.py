"""The base of every admin page: the one place that knows the theme."""

from base64 import b64encode
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import Any, Literal

from django.contrib import admin
from django.db.models import Field, URLField
from django.http import HttpRequest
from django.template.loader import render_to_string
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import (
    AdminPasswordChangeForm,
    AuthenticationForm,
    UserChangeForm,
    UserCreationForm,
)
from unfold.paginator import InfinitePaginator
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

Tone = Literal["good", "info", "warning", "bad", "neutral"]
_THEME_TONES = {"good": "success", "info": "info", "warning": "warning", "bad": "danger", "neutral": ""}

PasswordInput = UnfoldAdminPasswordWidget
TextInput = UnfoldAdminTextInputWidget
Select = UnfoldAdminSelectWidget
TextArea = UnfoldAdminTextareaWidget
CountlessPaginator = InfinitePaginator
ChangePersonForm = UserChangeForm
NewPersonForm = UserCreationForm
PasswordForm = AdminPasswordChangeForm
SignInForm = AuthenticationForm
Checkboxes = UnfoldAdminCheckboxSelectMultipleWidget


def status_chip(text: str, tone: Tone = "neutral", hint: str = "") -> str:
    """A word on its colour, as safe HTML, for lists and read-only fields. `hint` shows on hover."""
    return render_to_string(
        "unfold/helpers/label.html", {"text": text, "type": _THEME_TONES[tone], "label_title": hint}
    )


def confirmed_action(label: str, title: str, consequences: str) -> Callable[[Any], Any]:
    """A button of a row's page that asks first. The method takes the request, the form and `object_id`."""
    dialog = {"title": title, "description": consequences, "form_class": None, "form_submit_text": label}
    return action(  # type: ignore[no-any-return]
        description=label, permissions=["change"], variant=ActionVariant.DANGER, dialog=dialog
    )


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


class AdminBase(ModelAdmin):  # type: ignore[misc]
    """A page of the admin. Screens inherit from here, never from the theme."""

    list_per_page = 50
    warn_unsaved_form = True

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Django looks for a field without a name where an address says `?_to_field=`."""
        return super().get_object(request, object_id, from_field or None)

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """A web address typed without a scheme is meant as https."""
        scheme = {"assume_scheme": "https"} if isinstance(db_field, URLField) else {}
        return super().formfield_for_dbfield(db_field, request, **kwargs, **scheme)


class TableInline(TabularInline):  # type: ignore[misc]
    """Rows of a child edited in a table on their parent's page."""

    extra = 0


class FormInline(StackedInline):  # type: ignore[misc]
    """A child edited as a form on its parent's page."""

    extra = 0


for _inline in (TableInline, FormInline):
    # A row's own fields say what it is. The theme's versions for Python 3.11 and for later ones name the switch apart.
    if hasattr(_inline, "hide_title"):
        _inline.hide_title = True
    else:
        _inline.show_title = False
