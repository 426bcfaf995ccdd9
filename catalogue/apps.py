"""The catalogue app."""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "catalogue"
    verbose_name = "Catalogue"

    def ready(self) -> None:
        # Imported here: models are complete only now.
        from catalogue.audit_registry import watch_catalogue

        watch_catalogue()
