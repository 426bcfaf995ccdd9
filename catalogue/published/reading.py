"""What one request looks at: which edition, at which instant, with which switches."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from django.utils import timezone

from accounts.floors import Floor
from accounts.keys import KeyFacts
from accounts.restrictions import Restrictions
from catalogue.endpoints import Openings, openings
from catalogue.facts import ModelFacts, OfferingFacts, RouteMember
from catalogue.models import Edition, PublishedModel
from catalogue.published.loading import snapshot_at_edition, snapshots
from catalogue.published.record import serving_offerings
from catalogue.published.snapshot import EMPTY, Snapshot
from catalogue.querysets.published import PublishedModelQuerySet
from providers.facts import OPERATOR


@dataclass(frozen=True)
class Reading:
    """One edition, judged at one instant. `counts_switches` is False where it is one of the past."""

    snapshot: Snapshot
    at: datetime
    counts_switches: bool = True
    is_present: bool = False
    """The newest edition, now."""

    @cached_property
    def openings(self) -> Openings:
        """The providers that calls can go to, by what they can be asked for."""
        if not self.counts_switches:
            return openings(None)
        providers = self.snapshot.providers.items()
        return openings({id_: each.wire_format for id_, each in providers if each.is_callable})

    @cached_property
    def state(self) -> str:
        return self.snapshot.state(self.at)

    def rows(self) -> PublishedModelQuerySet:
        return PublishedModel.objects.at_edition(self.snapshot.revision)

    def routable(self) -> PublishedModelQuerySet:
        return self.rows().routable(self.at, self.openings)

    def callable_by(self, key: KeyFacts) -> Sequence[ModelFacts]:
        """The models that the key can call now by their ids, newest first."""
        ids = self.routable().newest_first().values_list("public_id", flat=True)
        models = [self.snapshot.models.get(id_) for id_ in ids]
        return [model for model in models if model and self.is_open_to(key, model)]

    def is_callable_by(self, key: KeyFacts, model: ModelFacts, name: str) -> bool:
        """Whether the key can call the model now, by that id or alias."""
        return self.snapshot.is_routable(model, self.at) and self.is_open_to(key, model, name)

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
            and (floor is None or self._keeps_to(floor, key, model, each))
            for each in serving_offerings(model, self.snapshot, self.at)
        )

    def _is_permitted(self, rules: Restrictions | None, offering: OfferingFacts) -> bool:
        return rules is None or rules.permits_provider(self.snapshot.providers[offering.provider_id].slug)

    def _keeps_to(self, floor: Floor, key: KeyFacts, model: ModelFacts, offering: OfferingFacts) -> bool:
        """Whether calls there do, or by a credential of ours that leads to another region."""
        if not floor.reason_against(offering):
            return True
        names = (model.id, *model.aliases)
        return any(
            each.covers(names, key.lineage_id)
            and not floor.reason_against(replace(offering, regions=(each.region,)))
            for each in self.snapshot.credentials_of(OPERATOR, offering.provider_id)
            if each.region
        )

    def _may_answer(self, member: RouteMember, key: KeyFacts) -> bool:
        """Whether the key may call that member of a route."""
        model = self.snapshot.models.get(member.model_id)
        return model is not None and self.snapshot.is_routable(model, self.at) and self.is_open_to(key, model)

    def find(self, name: str) -> ModelFacts | None:
        """The model of that id or alias."""
        return self.snapshot.find(name)


def read_now() -> Reading:
    """One query where nothing changed since the last look."""
    return Reading(snapshots.refresh(), timezone.now(), is_present=True)


def read_names() -> list[str]:
    """Ids and aliases of all that is published."""
    snapshot = snapshots.refresh()
    return [*snapshot.models, *snapshot.aliases]


def read_slugs() -> list[str]:
    """Of all providers."""
    return [provider.slug for provider in snapshots.refresh().providers.values()]


def read_as_of(at: datetime) -> Reading:
    """The editions published until `at`, dates judged at `at`. An instant to come: today's edition, judged then.

    An edition of the past is read with everything switched on: which switches were off is not kept.
    """
    if at >= timezone.now():
        return Reading(snapshots.refresh(), at)
    number = Edition.objects.filter(published_at__lte=at).values_list("number", flat=True).first()
    return Reading(snapshot_at_edition(number) if number else EMPTY, at, counts_switches=False)
