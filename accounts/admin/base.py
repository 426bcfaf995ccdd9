"""The base of every admin page: the one place that knows the theme."""

from unfold.admin import ModelAdmin, StackedInline, TabularInline


class Desk(ModelAdmin):  # type: ignore[misc]
    """A page of the admin. Screens inherit from here, never from the theme."""

    list_per_page = 50
    show_full_result_count = False
    warn_unsaved_form = True


class TableInline(TabularInline):  # type: ignore[misc]
    """Rows of a child edited in a table on their parent's page."""

    extra = 0


class FormInline(StackedInline):  # type: ignore[misc]
    """A child edited as a form on its parent's page."""

    extra = 0
