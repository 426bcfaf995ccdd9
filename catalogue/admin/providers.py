"""The provider's page, which also publishes a new name: models show it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from catalogue.admin.live import publish_aloud
from catalogue.models import Model
from providers.admin import ProviderAdmin
from providers.models import Provider

admin.site.unregister(Provider)


@admin.register(Provider)
class PublishingProviderAdmin(ProviderAdmin):
    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if change and {"name", "slug"}.intersection(form.changed_data):
            models = Model.objects.filter(offerings__provider=form.instance).distinct()
            publish_aloud(request, models, f"{form.instance.name} was edited")
