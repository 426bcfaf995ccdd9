"""What the audit watches of providers and what opens them."""

from accounts.audit import watch
from gateway.core import audit_context
from providers.models import (
    AdministratorCredential,
    Bill,
    BillMapping,
    Credential,
    Incident,
    IncidentNote,
    Provider,
    ProviderCredential,
    Quota,
)


def watch_providers() -> None:
    watch(Provider, unwatched=["health", "health_changed_at", "next_probe_at", "created_at"])
    watch(Credential, unwatched=["rotated_at"], secret=["ciphertext"], page=_provider_page)
    watch(
        ProviderCredential,
        unwatched=["set_by", "created_at", "rotated_at", "tested_at", "failed_at", "failure"],
        secret=["ciphertext"],
        page=_page_of_further,
    )
    watch(Quota, page=_page_of_quota, team=_team_of_quota)
    watch(AdministratorCredential, unwatched=["rotated_at"], secret=["ciphertext"])
    watch(BillMapping)
    watch(Incident, unwatched=["way"])
    watch(IncidentNote, unwatched=["at"], page=_page_of_note)
    watch(Bill, unwatched=["lines", "brought_at"])


def _provider_page(credential: Credential) -> str:
    return audit_context.name_page("providers.provider", credential.provider_id)


def _page_of_further(credential: ProviderCredential) -> str:
    """A team's own is told on the page of the team."""
    if credential.team_id is None:
        return audit_context.name_page("providers.provider", credential.provider_id)
    return audit_context.name_page("accounts.team", credential.team_id)


def _page_of_note(note: IncidentNote) -> str:
    return audit_context.name_page("providers.incident", note.incident_id)


def _page_of_quota(quota: Quota) -> str:
    if quota.offering is not None:
        return audit_context.page_of(quota.offering)
    if quota.credential is not None:
        return _page_of_further(quota.credential)
    return audit_context.name_page("providers.provider", quota.provider_id)


def _team_of_quota(quota: Quota) -> int | None:
    return None if quota.credential is None else quota.credential.team_id
