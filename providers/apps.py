"""The providers app."""

from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    name = "providers"
    verbose_name = "Providers"

    def ready(self) -> None:
        # Imported here: models are complete only now.
        from providers.audit_registry import watch_providers

        watch_providers()
