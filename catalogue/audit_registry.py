"""What the audit watches of the catalogue: working rows, for what is published stays in its editions."""

from accounts.audit import watch
from catalogue.models import (
    Alias,
    IgnoredFinding,
    Model,
    Offering,
    Organisation,
    Price,
    Route,
    RouteMember,
)
from gateway.core import audit_context


def watch_catalogue() -> None:
    watch(Organisation)
    for kind in (Model, Route):
        # A route's entries are told where those of other models are: rows know nothing of the class that saved them.
        watch(kind, unwatched=["created_at", "updated_at", "quarantine_reason"], page=_own_page)
    watch(RouteMember, page=lambda member: audit_context.name_page("catalogue.model", member.route_id))
    watch(IgnoredFinding, unwatched=["created_at"], page=_page_of_finding)
    watch(Alias, unwatched=["created_at"], page=_page_of_model)
    watch(Offering, page=_page_of_model)
    watch(Price, unwatched=["created_at"], page=lambda price: _page_of_model(price.offering))


def _own_page(row: Model) -> str:
    return audit_context.name_page("catalogue.model", row.pk)


def _page_of_finding(row: IgnoredFinding) -> str:
    if row.model_id is None:
        return audit_context.name_page("providers.provider", row.provider_id)
    return audit_context.name_page("catalogue.model", row.model_id)


def _page_of_model(row: Alias | Offering) -> str:
    return audit_context.name_page("catalogue.model", row.model_id)
