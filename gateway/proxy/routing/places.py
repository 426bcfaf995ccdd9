"""Where a call goes by which credential, and how it is handled there: as the offering is, or elsewhere. Pure.

A credential of the operator's that names a region is run there, whatever its offering says. A team's own word for a
region holds for what requests wish; where calls must stay, it may only be narrower. Of an address that a team gave
nothing is known but that.
"""

from dataclasses import dataclass

from catalogue.facts import OfferingFacts
from catalogue.published.snapshot import Snapshot
from gateway.proxy.routing.preferences import ProviderPreferences
from providers.facts import OPERATOR, CredentialFacts

OF_REGIONS = frozenset({"floor:regions", "excluded:regions"})


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of how calls are handled there. None, and no region: nothing."""

    regions: tuple[str, ...] = ()
    quantization: str | None = None
    zero_retention: bool | None = None
    collects_data: bool | None = None


_ANYWHERE = Place()


def places_for(
    preferences: ProviderPreferences, snapshot: Snapshot, team_id: int
) -> ProviderPreferences | None:
    """What each credential has to be asked for by itself; None where all are as their offerings are."""
    if not snapshot.credentials or not preferences.says_where:
        return None
    there = (snapshot.credentials.get(team, {}) for team in (OPERATOR, team_id))
    every = (each for by_provider in there for some in by_provider.values() for each in some)
    return preferences if any(each.region or each.base_url for each in every) else None


def reason_against_way(
    preferences: ProviderPreferences, offering: OfferingFacts, credential: CredentialFacts | None
) -> str:
    """Why that credential (None: the main one) must not be used; "" if it may."""
    if credential is None:
        return preferences.reason_against_place((offering,), offering)
    region = (credential.region,) if credential.region else offering.regions
    named = Place(region, offering.quantization, offering.zero_retention, offering.collects_data)
    if not credential.is_own:
        return preferences.reason_against_place((named,), named)
    if not credential.base_url:
        return preferences.reason_against_place((offering, named), named)
    told = Place((credential.region,) if credential.region else ())
    return preferences.reason_against_place((_ANYWHERE,), told)
