"""Reading providers."""

from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q

from providers.adapters.model_lists import MODEL_LISTS

if TYPE_CHECKING:
    from providers.models import Provider  # noqa: F401  # named in the base class, as text


class ProviderQuerySet(models.QuerySet["Provider"]):
    def with_credential(self) -> "ProviderQuerySet":
        return self.select_related("credential")

    def due(self, at: datetime) -> "ProviderQuerySet":
        """To be probed now: enabled, with an address and something to ask for, probed, and its turn."""
        turn = Q(next_probe_at__isnull=True) | Q(next_probe_at__lte=at)
        asked = self.filter(turn, is_enabled=True, is_probed=True, wire_format__in=list(MODEL_LISTS))
        return asked.exclude(base_url="")

    def demo_addresses(self) -> frozenset[str]:
        """host:port of the bundled demo providers, as they were started."""
        urls = self.filter(is_demo=True).values_list("base_url", flat=True)
        return frozenset(urlsplit(url).netloc for url in urls if urlsplit(url).port)
