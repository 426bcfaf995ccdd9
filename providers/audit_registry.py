"""What the audit watches of providers and what opens them."""

from accounts.audit import watch
from gateway.core import audit_context
from providers.models import Credential, Provider, Quota


def watch_providers() -> None:
    watch(Provider, unwatched=["health", "health_changed_at", "next_probe_at", "created_at"])
    watch(Credential, unwatched=["rotated_at"], secret=["ciphertext"], page=_provider_page)
    watch(Quota, page=_page_of_quota)


def _provider_page(credential: Credential) -> str:
    return audit_context.name_page("providers.provider", credential.provider_id)


def _page_of_quota(quota: Quota) -> str:
    if quota.offering is not None:
        return audit_context.page_of(quota.offering)
    return audit_context.name_page("providers.provider", quota.provider_id)
