"""The gateway app: commands, checks and the portal."""

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "gateway"

    def ready(self) -> None:
        # Imported here, when settings and the admin are complete. A check registers itself.

        from gateway.celery import app
        from gateway.identity import telling  # noqa: F401
        from gateway.ops import checks  # noqa: F401

        # Of every thread: a web process' threads hand tasks to workers, and Celery's own default knows no broker.
        app.set_default()
