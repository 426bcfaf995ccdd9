"""The accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Teams and keys"

    def ready(self) -> None:
        # Imported here: models are complete only now.
        from accounts.audit_registry import watch_accounts

        watch_accounts()
