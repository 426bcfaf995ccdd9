"""The curator's pages: what clients will see, and what they see now."""

from catalogue.admin import editions, models, offerings, organisations, providers, routes

__all__ = ["editions", "models", "offerings", "organisations", "providers", "routes"]
