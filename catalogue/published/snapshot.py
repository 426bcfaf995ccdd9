"""A process' in-memory view of what is published and enabled. Pure values, no Django."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from catalogue.endpoints import answers
from catalogue.facts import ModelFacts, OfferingFacts
from catalogue.lifecycle.status import Status
from providers.facts import OPERATOR, BreakerHolds, CredentialFacts, Credentials, ProviderFacts, Way


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that routing and lists need. `revision` is the number at which it was read.

    `edition` and `switches` are the numbers at which the catalogue, and what is on, last changed.
    """

    revision: int
    edition: int
    models: Mapping[str, ModelFacts]
    providers: Mapping[int, ProviderFacts]
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Alias → public id."""
    offerings: Mapping[int, tuple[ModelFacts, OfferingFacts]] = field(default_factory=dict, repr=False)
    """By the offering's id, with the model that it is of, never a route; made by `of`."""
    followers: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """Public id → the models that follow it, newest release first; made by `of`."""
    boundaries: tuple[datetime, ...] = field(default=(), repr=False)
    """Every instant at which a status, an offering or a price changes by itself, in order; made by `of`."""
    switches: int = 0
    credentials: Credentials = field(default_factory=dict, repr=False)
    """Those beside the providers' main ones."""
    in_flight: dict[int, int] = field(default_factory=dict, repr=False, compare=False)
    """Calls under way in this process by further credentials of the operator's, by their ids; kept from one snapshot
    to the next.
    """
    has_quotas: bool = False
    """Some provider or offering takes no more than so much: else nobody has to be asked; made by `of`."""
    prepared: dict[object, Any] = field(init=False, repr=False, compare=False, default_factory=dict)
    """What whoever reads it works out once and not for every call."""

    held: BreakerHolds = field(default_factory=BreakerHolds, repr=False)
    holds: Mapping[Way, str] = field(default_factory=dict, repr=False)
    """Staff's word on breakers, `open` or `closed`, by every way to what they hold; made by `of`."""

    @classmethod
    def of(
        cls,
        models: Iterable[ModelFacts],
        providers: Mapping[int, ProviderFacts],
        *,
        revision: int,
        edition: int = 0,
        switches: int = 0,
        credentials: Credentials | None = None,
        held: BreakerHolds | None = None,
        in_flight: dict[int, int] | None = None,
    ) -> "Snapshot":
        """A snapshot with its look-up tables made from the models."""
        by_id = {model.id: model for model in models}
        offerings = {
            o.id: (model, o) for model in by_id.values() if not model.members for o in model.offerings
        }
        by_id |= {id_: _alive(model, offerings) for id_, model in by_id.items() if model.members}
        return cls(
            revision=revision,
            edition=edition,
            models=by_id,
            providers=providers,
            aliases={alias: model.id for model in by_id.values() for alias in model.aliases},
            offerings=offerings,
            followers=_followers(by_id),
            boundaries=tuple(sorted({instant for model in by_id.values() for instant in model.instants()})),
            switches=switches,
            credentials=credentials or {},
            in_flight={} if in_flight is None else in_flight,
            held=held or BreakerHolds(),
            holds=_holds(by_id.values(), held, credentials or {}) if held else {},
            has_quotas=any(provider.quotas for provider in providers.values())
            or any(offering.quotas for model in by_id.values() for offering in model.offerings)
            or any(
                each.quotas
                for of_operator in (credentials or {}).get(OPERATOR, {}).values()
                for each in of_operator
            ),
        )

    def find(self, name: str) -> ModelFacts | None:
        """The model of that id or alias."""
        return self.models.get(name) or self.models.get(self.aliases.get(name, ""))

    def offering(self, way: Way) -> tuple[ModelFacts, OfferingFacts] | None:
        """None too for the way by a further credential."""
        return self.offerings.get(way)  # type: ignore[arg-type]

    def credentials_of(self, team_id: int, provider_id: int) -> tuple[CredentialFacts, ...]:
        """The further ones of that team there, or of the operator, in the order in which they are tried."""
        return self.credentials.get(team_id, {}).get(provider_id, ())

    def serves(self, offering: OfferingFacts, at: datetime) -> bool:
        """Whether a call at that instant could go there.

        It is on and inside its dates, its provider on, usable and able to be asked for one of its endpoints.
        """
        provider = self.providers.get(offering.provider_id)
        if provider is None or not (offering.is_enabled and provider.is_callable):
            return False
        return offering.is_effective(at) and answers(provider.wire_format, offering.endpoints)

    def is_routable(self, model: ModelFacts, at: datetime) -> bool:
        return model.is_listed(at) and any(self.serves(offering, at) for offering in model.offerings)

    def successor(self, model: ModelFacts, at: datetime, *, declared: bool = False) -> ModelFacts | None:
        """The listed model that stands in for this one: the one that curators named, else its newest follower.

        A successor that is retired itself is followed by its own. None where that leads nowhere. With `declared`,
        only what curators named counts.
        """
        seen = {model.id}
        following = self._next(model, at, declared)
        while following is not None and following.id not in seen:
            if following.is_listed(at):
                return following
            seen.add(following.id)
            following = self._next(following, at, declared)
        return None

    def state(self, at: datetime) -> str:
        """Equal wherever the same is published, on, and in force at `at`: whatever was built is kept by it."""
        boundary = self.last_boundary(at)
        passed = f"{boundary.timestamp():.6f}" if boundary else "none"
        return f"{self.edition}-{self.switches}-{passed}"

    def last_boundary(self, at: datetime) -> datetime | None:
        """The latest instant, not after `at`, at which something changed by itself. None: there was none."""
        passed = bisect_right(self.boundaries, at)
        return self.boundaries[passed - 1] if passed else None

    def next_boundary(self, at: datetime) -> datetime | None:
        """The earliest instant after `at` at which something changes by itself."""
        passed = bisect_right(self.boundaries, at)
        return self.boundaries[passed] if passed < len(self.boundaries) else None

    def _next(self, model: ModelFacts, at: datetime, declared: bool) -> ModelFacts | None:
        named = self.models.get(model.successor_id or "")
        if named is not None or declared:
            return named
        followers = (self.models[follower] for follower in self.followers.get(model.id, ()))
        return next((each for each in followers if each.status(at) is not Status.ANNOUNCED), None)


def _alive(route: ModelFacts, offerings: Mapping[int, tuple[ModelFacts, OfferingFacts]]) -> ModelFacts:
    """With those offerings that its members have by now, for as long as they live: it may be in quarantine since."""
    kept = []
    for offering in route.offerings:
        model = offerings[offering.id][0] if offering.id in offerings else None
        if model is None:
            continue
        ends = min(filter(None, (offering.effective_to, model.retirement_at)), default=None)
        kept.append(offering if ends == offering.effective_to else replace(offering, effective_to=ends))
    return route if tuple(kept) == route.offerings else replace(route, offerings=tuple(kept))


def _holds(models: Iterable[ModelFacts], held: BreakerHolds, credentials: Credentials) -> Mapping[Way, str]:
    """What opens a provider besides is held with it."""
    found: dict[Way, str] = {}
    for offering in (each for model in models for each in model.offerings):
        if word := held.of(offering.id, offering.provider_id):
            found[offering.id] = word
            for by_provider in credentials.values():
                further = by_provider.get(offering.provider_id, ())
                found |= {f"{offering.id}:{credential.id}": word for credential in further}
    return found


def _followers(models: Mapping[str, ModelFacts]) -> dict[str, tuple[str, ...]]:
    newest_first = sorted(models.values(), key=_release_order, reverse=True)
    followers: dict[str, list[str]] = {}
    for model in newest_first:
        if model.previous_id:
            followers.setdefault(model.previous_id, []).append(model.id)
    return {public_id: tuple(ids) for public_id, ids in followers.items()}


def _release_order(model: ModelFacts) -> tuple[float, str]:
    return (model.release_at.timestamp() if model.release_at else float("-inf"), model.id)


EMPTY = Snapshot(revision=-1, edition=0, models={}, providers={})


def _have_quotas(credentials: Mapping[int, Iterable[CredentialFacts]]) -> bool:
    return any(each.quotas for there in credentials.values() for each in there)
