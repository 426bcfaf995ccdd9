"""What the data plane knows of a provider. Pure values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from accounts.patterns import matches_any
from gateway.core.store.interface import Limit

OPERATOR = 0
"""In the place of a team's id: whose credentials pay from the operator's own account."""
Way = int | str
"""How an offering is reached: its id where its provider's main credential opens it, else `id:credential`."""


@dataclass(frozen=True, slots=True)
class CredentialFacts:
    """A further credential of a provider: a team's own, or one of the operator. None: for all models, for all keys."""

    id: int
    team_id: int
    label: str
    place: str
    """`before` or `after` those of the operator; `only`: in place of those."""
    secret: str = field(repr=False)
    position: int = 0
    """Those of the operator in one place that have the same share the calls."""
    quotas: tuple[Limit, ...] = ()
    """What may be sent by it; of one of the operator's."""
    model_patterns: tuple[str, ...] | None = None
    lineage_ids: frozenset[int] | None = None
    base_url: str = ""
    """Where its calls go; empty: to the provider's own address."""
    region: str = ""
    """Where they are run; empty: where the offering says."""

    @property
    def is_own(self) -> bool:
        """A team's: its calls cost the operator nothing."""
        return self.team_id != OPERATOR

    def covers(self, names: Sequence[str], lineage_id: int) -> bool:
        """Whether it may be used for a model of those names by a key of that lineage."""
        if self.lineage_ids is not None and lineage_id not in self.lineage_ids:
            return False
        return self.model_patterns is None or matches_any(names, self.model_patterns)


@dataclass(frozen=True, slots=True)
class BreakerHolds:
    """What staff hold `open` or `closed`, by the provider's and by the offering's id, which goes before."""

    providers: Mapping[int, str] = field(default_factory=dict)
    offerings: Mapping[int, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.providers or self.offerings)

    def of(self, offering_id: int, provider_id: int) -> str:
        """ "": they let it be."""
        return self.offerings.get(offering_id) or self.providers.get(provider_id, "")


Credentials = Mapping[int, Mapping[int, tuple[CredentialFacts, ...]]]
"""Further credentials by the team's id, or OPERATOR, and by the provider's; in the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """A provider as the snapshot holds it. `secret` is None where it needs none."""

    id: int
    slug: str
    name: str
    wire_format: str
    base_url: str
    is_enabled: bool
    is_usable: bool
    """Has what opens it: an enabled credential with a value, or none needed."""
    secret: str | None = field(default=None, repr=False)
    quirks: frozenset[str] = frozenset()
    family: str = ""
    """What it proves reasoning with is taken by every provider of the same family; empty: by itself alone."""
    patience_s: int | None = None
    """How long its streams are waited for, whatever the gateway's own limits say."""
    quotas: tuple[Limit, ...] = ()
    """What may be sent to it, by all teams together."""
    health: str = "unknown"
    """What the last probe found: healthy, unhealthy or unknown."""

    @property
    def issuer(self) -> str:
        """Whose proofs of reasoning are its own: those of its family."""
        return self.family or self.slug

    @property
    def is_callable(self) -> bool:
        return self.is_enabled and self.is_usable
