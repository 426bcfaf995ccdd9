"""What staff do to offerings and models beyond editing one row."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import audit
from accounts.models import User
from accounts.revision import Part, lock_revision, take_revision
from catalogue.facts import PriceFacts
from catalogue.models import Edition, Model, Offering, Price, PublishedModel
from catalogue.pricing.cost import STANDARD, is_valid
from catalogue.pricing.plausibility import Reference, doubt_of
from catalogue.publishing.compile import price_facts
from catalogue.publishing.editions import publish, withdraw
from gateway.core.refusals import InvalidField

MILLION = 1_000_000


@transaction.atomic
def switch_offerings(offerings: Iterable[Offering], *, is_enabled: bool) -> int:
    """Let calls go there, or stop them within a second. Outside editions. Returns how many were changed."""
    lock_revision()
    rows = Offering.objects.filter(pk__in=[offering.pk for offering in offerings], is_enabled=not is_enabled)
    switched = list(rows.select_related("model", "provider"))
    rows.update(is_enabled=is_enabled)
    if switched:
        audit.record_changes(switched, {"is_enabled": (not is_enabled, is_enabled)})
        announce_switches()
    return len(switched)


def switch_offering(offering: Offering, *, is_enabled: bool) -> None:
    switch_offerings([offering], is_enabled=is_enabled)
    offering.is_enabled = is_enabled


def announce_switches() -> None:
    """Tell every process that offerings were switched. Call it inside the transaction that did it."""
    take_revision(Part.PROVIDERS)


def price_references(model_ids: Iterable[int] | None = None) -> defaultdict[int, list[Price]]:
    """By model (None: of all) what its offerings' prices are compared with, with their providers. One query."""
    rows = Price.objects.select_related("offering__provider")
    if model_ids is not None:
        rows = rows.filter(offering__model__in=list(model_ids))
    found: defaultdict[int, list[Price]] = defaultdict(list)
    for row in rows:
        found[row.offering.model_id].append(row)
    return found


def doubt_of_price(offering: Offering, price: PriceFacts, others: Iterable[Price], *, at: datetime) -> str:
    """What is odd about a new price beside other offerings' of the model and its own history; empty: nothing."""
    references = []
    for other in others:
        is_own = other.offering_id == offering.pk
        facts = price_facts(other)
        if is_own or is_valid(facts, at):
            references.append(Reference("here before" if is_own else other.offering.provider.name, facts))
    return doubt_of(price, references)


@transaction.atomic
def set_price(
    offering: Offering,
    *,
    meter: str,
    usd_per_million: Decimal | None,
    at: datetime | None = None,
    is_meant: bool = False,
) -> Price | None:
    """The standard, unconditional price of that meter from `at` on; None ends it. The old row is kept.

    Returns the new price, if there is one. Publishing is the caller's. Raises InvalidField for a price that is far
    from others like it, unless it is meant.
    """
    begins = at or timezone.now()
    if usd_per_million is not None and not is_meant:
        facts = PriceFacts(meter, STANDARD, MILLION, usd_per_million, "USD")
        others = price_references([offering.model_id])[offering.model_id]
        if doubt := doubt_of_price(offering, facts, others, at=begins):
            raise InvalidField("usd_per_million", doubt)
    running = _standard_prices(offering, meter).filter(Q(valid_to=None) | Q(valid_to__gt=begins))
    end_prices(running.filter(Q(valid_from=None) | Q(valid_from__lt=begins)), at=begins)
    if usd_per_million is None:
        return None
    return Price.objects.create(
        offering=offering, meter=meter, unit_size=MILLION, amount=usd_per_million, valid_from=begins
    )


def end_prices(prices: QuerySet[Price], *, at: datetime) -> None:
    """Let them end at that instant; what was charged before stays as it was."""
    rows = list(prices.select_related("offering__model", "offering__provider"))
    Price.objects.filter(pk__in=[row.pk for row in rows]).update(valid_to=at)
    for row in rows:
        audit.record_changes([row], {"valid_to": (str(row.valid_to) if row.valid_to else None, str(at))})


@transaction.atomic
def delete_models(models: QuerySet[Model], *, author: User | None = None) -> Edition | None:
    """Delete working rows and take them out of the catalogue. Earlier editions keep what they published."""
    lock_revision()
    public_ids = list(models.values_list("public_id", flat=True))
    naming = PublishedModel.objects.current().filter(content__successor_id__in=public_ids)
    predecessors = list(naming.values_list("public_id", flat=True))
    routes = list(models.filter(memberships__isnull=False).values_list("memberships__route", flat=True))
    audit.record_deletion(models, ["name", "release_at", "retirement_at"])
    with audit.unwatched():
        models.delete()
    note = f"Deleted: {', '.join(public_ids)}"
    edition = withdraw(public_ids, author=author, note=note)
    concerned = Model.objects.filter(Q(public_id__in=predecessors) | Q(pk__in=routes))
    return publish(concerned, author=author, note=note) or edition


def _standard_prices(offering: Offering, meter: str) -> QuerySet[Price]:
    return Price.objects.filter(offering=offering, meter=meter, plan=STANDARD, currency="USD", conditions=[])
