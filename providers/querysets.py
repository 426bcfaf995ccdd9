"""Reading providers."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q

from accounts.models import Team
from providers.formats.registry import formats_with_list

if TYPE_CHECKING:
    # Named in the base classes, as text.
    from providers.models import Alarm, Provider, ProviderCredential  # noqa: F401


class ProviderQuerySet(models.QuerySet["Provider"]):
    def with_credential(self) -> "ProviderQuerySet":
        return self.select_related("credential")

    def due(self, at: datetime) -> "ProviderQuerySet":
        """To be probed now: enabled, with an address and something to ask for, probed, and its turn."""
        turn = Q(next_probe_at__isnull=True) | Q(next_probe_at__lte=at)
        asked = self.filter(turn, is_enabled=True, is_probed=True, wire_format__in=formats_with_list())
        return asked.exclude(base_url="")

    def demo_addresses(self) -> frozenset[str]:
        """host:port of the bundled demo providers, as they were started."""
        urls = self.filter(is_demo=True).values_list("base_url", flat=True)
        return frozenset(urlsplit(url).netloc for url in urls if urlsplit(url).port)

    def local_addresses(self) -> frozenset[str]:
        """host:port of servers on this machine that a superuser allowed."""
        return frozenset(self.exclude(local_address="").values_list("local_address", flat=True))


class CredentialQuerySet(models.QuerySet["ProviderCredential"]):
    def for_team(self, team: Team) -> "CredentialQuerySet":
        """In the order in which they are tried: places are told in their alphabet's order, so not by that."""
        return self.filter(team=team).select_related("provider", "team").in_order()

    def in_order(self) -> "CredentialQuerySet":
        is_last = models.Case(models.When(place="after", then=1), default=0)
        return self.order_by("provider__name", "provider_id", is_last, "position", "pk")


class AlarmQuerySet(models.QuerySet["Alarm"]):
    def open(self) -> "AlarmQuerySet":
        return self.filter(cleared_at=None)

    def to_mail(self, at: datetime, pause: timedelta) -> "AlarmQuerySet":
        """Open and not mailed yet, of providers of which nothing was mailed in that time before."""
        mailed = self.model.objects.filter(mailed_at__gt=at - pause).values("provider_id")
        return self.open().filter(mailed_at=None).exclude(provider_id__in=mailed)
