"""What one request looks at: which edition, at which instant, with which switches."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from django.utils import timezone

from accounts.floors import Floor
from accounts.keys import KeyFacts
from accounts.restrictions import Restrictions
from catalogue.endpoints import Openings, answers, openings
from catalogue.facts import ModelFacts, OfferingFacts, RouteMember
from catalogue.models import Edition, PublishedModel
from catalogue.published.loading import snapshot_at_edition, snapshots
from catalogue.published.record import serving_offerings
from catalogue.published.snapshot import EMPTY, Snapshot
from catalogue.querysets.published import PublishedModelQuerySet
from providers.facts import OPERATOR, CredentialFacts


@dataclass(frozen=True)
class Reading:
    """One edition, judged at one instant. `counts_switches` is False where it is one of the past."""

    snapshot: Snapshot
    at: datetime
    counts_switches: bool = True
    is_present: bool = False
    """The newest edition, now."""
    team_id: int = OPERATOR
    """Whose own credentials open providers, too; OPERATOR: nobody's."""

    @cached_property
    def openings(self) -> Openings:
        """The providers that calls can go to, by what they can be asked for."""
        if not self.counts_switches:
            return openings(None)
        own = self.snapshot.credentials.get(self.team_id, {}) if self.team_id != OPERATOR else {}
        return openings(
            {
                id_: each.wire_format
                for id_, each in self.snapshot.providers.items()
                if each.is_callable or (each.is_enabled and id_ in own)
            }
        )

    def seen_by(self, key: KeyFacts) -> "Reading":
        """The same where the own credentials of the key's team count."""
        return replace(self, team_id=key.team_id) if self.has_own(key) else self

    def has_own(self, key: KeyFacts) -> bool:
        """Whether the key's team has credentials of its own."""
        return key.team_id in self.snapshot.credentials

    @cached_property
    def state(self) -> str:
        return self.snapshot.state(self.at)

    def rows(self) -> PublishedModelQuerySet:
        return PublishedModel.objects.at_edition(self.snapshot.revision)

    def routable(self) -> PublishedModelQuerySet:
        return self.rows().routable(self.at, self.openings)

    def callable_by(self, key: KeyFacts) -> Sequence[ModelFacts]:
        """The models that the key can call now by their ids, newest first."""
        ids = self.seen_by(key).routable().newest_first().values_list("public_id", flat=True)
        models = [self.snapshot.models.get(id_) for id_ in ids]
        has_own = self.has_own(key)
        return [
            model
            for model in models
            if model and (not has_own or self.reached(key, model)) and self.is_open_to(key, model)
        ]

    def is_callable_by(self, key: KeyFacts, model: ModelFacts, name: str) -> bool:
        """Whether the key can call the model now, by that id or alias."""
        is_routable = model.is_listed(self.at) and bool(self.reached(key, model))
        return is_routable and self.is_open_to(key, model, name)

    def reached(self, key: KeyFacts, model: ModelFacts) -> Sequence[OfferingFacts]:
        """Its offerings that calls of the key could go to, by a credential of ours or of its team's own."""
        if not self.has_own(key):
            return serving_offerings(model, self.snapshot, self.at)
        return [
            offering
            for offering in model.offerings
            if self.snapshot.serves(offering, self.at)
            or (self._can_be_asked(offering) and self.is_by_own(key, model, offering))
        ]

    def is_by_own(self, key: KeyFacts, model: ModelFacts, offering: OfferingFacts) -> bool:
        """Whether the key's team has a credential of its own that covers the model there."""
        own = self.snapshot.credentials_of(key.team_id, offering.provider_id)
        return any(each.covers((model.id, *model.aliases), key.lineage_id) for each in own)

    def is_open_to(self, key: KeyFacts, model: ModelFacts, name: str = "") -> bool:
        """Whether the key may call the model, by that alias or else its id, and use an offering that serves it."""
        if not key.may_call(model.id, model.aliases):
            return False
        if model.is_blocked(name or model.id, key.lifecycle_policy, self.at):
            return False
        if model.members and not any(self._may_answer(member, key) for member in model.members):
            return False
        rules, floor = key.restrictions, key.floor
        narrows = rules is not None and rules.narrows_providers
        if not narrows and floor is None:
            return True
        return any(
            self._is_permitted(rules if narrows else None, each)
            and (floor is None or self.keeps_to(floor, key, model, each))
            for each in self.reached(key, model)
        )

    def _can_be_asked(self, offering: OfferingFacts) -> bool:
        """As Snapshot.serves, whatever opens the provider."""
        provider = self.snapshot.providers.get(offering.provider_id)
        if provider is None or not (offering.is_enabled and provider.is_enabled):
            return False
        return offering.is_effective(self.at) and answers(provider.wire_format, offering.endpoints)

    def _is_permitted(self, rules: Restrictions | None, offering: OfferingFacts) -> bool:
        return rules is None or rules.permits_provider(self.snapshot.providers[offering.provider_id].slug)

    def keeps_to(self, floor: Floor, key: KeyFacts, model: ModelFacts, offering: OfferingFacts) -> bool:
        """Whether calls there do by any credential that they may go by: each may lead to another region."""
        names = (model.id, *model.aliases)
        own, ours = (
            [
                each
                for each in self.snapshot.credentials_of(team_id, offering.provider_id)
                if each.covers(names, key.lineage_id)
            ]
            for team_id in (key.team_id, OPERATOR)
        )
        if any(_keeps(floor, offering, each) for each in own):
            return True
        if any(each.place == "only" for each in own) or not self.snapshot.serves(offering, self.at):
            return False
        return not floor.reason_against(offering) or any(_keeps(floor, offering, each) for each in ours)

    def _may_answer(self, member: RouteMember, key: KeyFacts) -> bool:
        """Whether the key may call that member of a route."""
        model = self.snapshot.models.get(member.model_id)
        return model is not None and self.is_callable_by(key, model, model.id)

    def find(self, name: str) -> ModelFacts | None:
        """The model of that id or alias."""
        return self.snapshot.find(name)


def _keeps(floor: Floor, offering: OfferingFacts, credential: CredentialFacts) -> bool:
    """As plans decide (gateway.proxy.routing.places): a team's own may narrow where its calls go, never widen it."""
    if credential.is_own and credential.base_url:
        # Nothing is known of how calls are handled there.
        return False
    named = replace(offering, regions=(credential.region,)) if credential.region else offering
    stands = not floor.reason_against(named)
    return stands and (not credential.is_own or not floor.reason_against(offering))


def read_now() -> Reading:
    """One query where nothing changed since the last look."""
    return Reading(snapshots.refresh(), timezone.now(), is_present=True)


def read_names() -> list[str]:
    """Ids and aliases of all that is published."""
    return names_in(snapshots.refresh())


def read_slugs() -> list[str]:
    """Of all providers."""
    return slugs_in(snapshots.refresh())


def names_in(snapshot: Snapshot) -> list[str]:
    return [*snapshot.models, *snapshot.aliases]


def slugs_in(snapshot: Snapshot) -> list[str]:
    return [provider.slug for provider in snapshot.providers.values()]


def read_as_of(at: datetime) -> Reading:
    """The editions published until `at`, dates judged at `at`. An instant to come: today's edition, judged then.

    An edition of the past is read with everything switched on: which switches were off is not kept.
    """
    if at >= timezone.now():
        return Reading(snapshots.refresh(), at)
    number = Edition.objects.filter(published_at__lte=at).values_list("number", flat=True).first()
    return Reading(snapshot_at_edition(number) if number else EMPTY, at, counts_switches=False)
