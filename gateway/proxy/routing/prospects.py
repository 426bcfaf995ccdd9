"""What is true of a model's offerings whatever is asked of them: worked out once for a snapshot. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from catalogue.facts import ModelFacts, OfferingFacts
from catalogue.published.snapshot import Snapshot
from gateway.proxy.routing.tariffs import tariff_of
from gateway.proxy.routing.ways import Candidate
from providers.facts import ProviderFacts
from providers.operations.registry import serves

CREDENTIAL_MISSING = "credential_missing"
EVER = datetime.max.replace(tzinfo=UTC)
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Prospect:
    """One offering. `reason` is why it takes no calls for the endpoint; empty where it does.

    `candidate` is shared by all calls: whoever changes it takes a copy. `slug` is as clients read it now, and as
    published where the provider is gone. `window` is 0 where it is unknown.
    """

    candidate: Candidate
    offering: OfferingFacts
    model: ModelFacts
    provider: ProviderFacts | None
    slug: str
    reason: str
    window: int


@dataclass(frozen=True, slots=True)
class Prospects:
    """Those of one model for one endpoint, from `since` until before `until`."""

    rows: tuple[Prospect, ...]
    since: datetime
    until: datetime


def prospects_of(model: ModelFacts, endpoint: str, snapshot: Snapshot, at: datetime) -> Prospects:
    """In static order."""
    kept: Prospects | None = snapshot.prepared.get((model.id, endpoint))
    if kept is None or not kept.since <= at < kept.until:
        kept = snapshot.prepared[model.id, endpoint] = _prepare(model, endpoint, snapshot, at)
    return kept


def _prepare(model: ModelFacts, endpoint: str, snapshot: Snapshot, at: datetime) -> Prospects:
    """It holds between the instants at which something of this model changes by itself."""
    instants = [NEVER, *sorted(model.instants()), EVER]
    since, until = next(span for span in pairwise(instants) if span[0] <= at < span[1])
    rows = [_stand(model, offering, endpoint, snapshot, at) for offering in model.offerings]
    return Prospects(tuple(rows), since, until)


def _stand(
    model: ModelFacts, offering: OfferingFacts, endpoint: str, snapshot: Snapshot, at: datetime
) -> Prospect:
    provider = snapshot.providers.get(offering.provider_id)
    return Prospect(
        Candidate(model, offering, offering.id, tariff=tariff_of(offering, at)),
        offering,
        model,
        provider,
        provider.slug if provider else offering.provider_slug,
        _reason(offering, provider, endpoint, at),
        offering.context_length or model.context_length or 0,
    )


def _reason(offering: OfferingFacts, provider: ProviderFacts | None, endpoint: str, at: datetime) -> str:
    """Why nobody can be served there now, or not at that endpoint. That a credential is missing comes last: a team
    may have its own.
    """
    if not offering.is_enabled:
        return "offering_disabled"
    if offering.effective_from and at < offering.effective_from:
        return "not_effective_yet"
    if offering.effective_to and at >= offering.effective_to:
        return "no_longer_effective"
    if provider is None or not provider.is_enabled:
        return "provider_disabled"
    if endpoint not in offering.endpoints:
        return "endpoint_not_offered"
    if not serves(provider.wire_format, endpoint):
        return "format_lacks_endpoint"
    return "" if provider.is_usable else CREDENTIAL_MISSING
