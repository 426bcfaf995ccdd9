"""What staff do to offerings and models beyond editing one row."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.revision import Part, bump, hold
from catalogue.models import Edition, Model, Offering, Price, PublishedModel
from catalogue.pricing import STANDARD
from catalogue.publishing import publish, withdraw

MILLION = 1_000_000


@transaction.atomic
def switch_offerings(offerings: Iterable[Offering], *, is_enabled: bool) -> int:
    """Let calls go there, or stop them within a second. Outside editions. Returns how many were changed."""
    hold()
    rows = Offering.objects.filter(pk__in=[offering.pk for offering in offerings], is_enabled=not is_enabled)
    changed = rows.update(is_enabled=is_enabled)
    if changed:
        announce_switches()
    return changed


def switch_offering(offering: Offering, *, is_enabled: bool) -> None:
    switch_offerings([offering], is_enabled=is_enabled)
    offering.is_enabled = is_enabled


def announce_switches() -> None:
    """Tell every process that offerings were switched. Call it inside the transaction that did it."""
    bump(Part.PROVIDERS)


@transaction.atomic
def set_price(
    offering: Offering, *, meter: str, usd_per_million: Decimal | None, at: datetime | None = None
) -> Price | None:
    """The standard, unconditional price of that meter from `at` on; None ends it. The old row is kept.

    Returns the new price, if there is one. Publishing is the caller's.
    """
    begins = at or timezone.now()
    running = _standard_prices(offering, meter).filter(Q(valid_to=None) | Q(valid_to__gt=begins))
    running.filter(Q(valid_from=None) | Q(valid_from__lt=begins)).update(valid_to=begins)
    if usd_per_million is None:
        return None
    return Price.objects.create(
        offering=offering, meter=meter, unit_size=MILLION, amount=usd_per_million, valid_from=begins
    )


@transaction.atomic
def delete_models(models: QuerySet[Model], *, author: User | None = None) -> Edition | None:
    """Delete working rows and take them out of the catalogue. Earlier editions keep what they published."""
    hold()
    public_ids = list(models.values_list("public_id", flat=True))
    naming = PublishedModel.objects.current().filter(content__successor_id__in=public_ids)
    predecessors = list(naming.values_list("public_id", flat=True))
    models.delete()
    note = f"Deleted: {', '.join(public_ids)}"
    edition = withdraw(public_ids, author=author, note=note)
    return publish(Model.objects.filter(public_id__in=predecessors), author=author, note=note) or edition


def _standard_prices(offering: Offering, meter: str) -> QuerySet[Price]:
    return Price.objects.filter(offering=offering, meter=meter, plan=STANDARD, currency="USD", conditions=[])
