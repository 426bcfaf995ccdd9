"""The catalogue app."""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "catalogue"
    verbose_name = "Catalogue"

    def ready(self) -> None:
        # Imported here: models are complete only now.
        from accounts import patterns
        from catalogue.audit_registry import watch_catalogue
        from catalogue.published.reading import read_names, read_slugs

        watch_catalogue()
        patterns.read_names, patterns.read_slugs = read_names, read_slugs
