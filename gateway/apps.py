"""The gateway app: commands, checks and the portal."""

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "gateway"
