"""The gateway app: commands, checks and the portal."""

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "gateway"

    def ready(self) -> None:
        # Imported here for its effect: a check registers itself, and settings are complete only now.
        from gateway import checks  # noqa: F401
        from gateway.celery import app

        # Of every thread: a web process' threads hand tasks to workers, and Celery's own default knows no broker.
        app.set_default()
