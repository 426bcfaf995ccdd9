"""What the audit watches of the catalogue: working rows, for what is published stays in its editions."""

from accounts.audit import watch
from catalogue.models import Alias, IgnoredFinding, Model, Offering, Organisation, Price
from gateway.core import audit_context


def watch_catalogue() -> None:
    watch(Organisation)
    watch(Model, unwatched=["created_at", "updated_at", "quarantine_reason"])
    watch(IgnoredFinding, unwatched=["created_at"], page=_page_of_finding)
    watch(Alias, unwatched=["created_at"], page=_page_of_model)
    watch(Offering, page=_page_of_model)
    watch(Price, unwatched=["created_at"], page=lambda price: _page_of_model(price.offering))


def _page_of_finding(row: IgnoredFinding) -> str:
    if row.model_id is None:
        return audit_context.name_page("providers.provider", row.provider_id)
    return audit_context.name_page("catalogue.model", row.model_id)


def _page_of_model(row: Alias | Offering) -> str:
    return audit_context.name_page("catalogue.model", row.model_id)
