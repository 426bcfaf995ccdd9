"""The provider's page, which also publishes what models show of it: its name, and what becomes of what it is sent."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from catalogue.admin.live import publish_aloud
from catalogue.models import Model
from providers.admin import ProviderAdmin
from providers.models import Provider

_SHOWN = frozenset({"name", "slug", "zero_retention", "collects_data"})

admin.site.unregister(Provider)


@admin.register(Provider)
class PublishingProviderAdmin(ProviderAdmin):
    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if change and _SHOWN.intersection(form.changed_data):
            models = Model.objects.filter(offerings__provider=form.instance).distinct()
            publish_aloud(request, models, f"{form.instance.name} was edited")
