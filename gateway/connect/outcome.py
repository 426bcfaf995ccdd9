"""What a connection brought: the models that can be called since, a call to paste, and sentences about it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse

from catalogue.facts import ModelFacts
from catalogue.lifecycle.status import Status
from catalogue.pricing.cost import current_prices
from catalogue.pricing.meters import INPUT_TEXT
from catalogue.published.reading import Reading, read_now
from catalogue.upstream_names import MOST_ADDED, Added, callable_at
from gateway.core.links import base_url_of
from gateway.public.access import is_open_to
from gateway.public.samples import KEY, samples
from providers.connection_check import ConnectionCheck
from providers.models import Provider

_SHOWN = 24
_NAMED = 5
_DEAR = Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`unlisted`: models that the catalogue has there and the provider's list has not."""

    total: int
    models: Sequence[tuple[str, str]]
    """Name and address of a page, of the first ones."""
    unlisted: Sequence[str]
    curl: str
    example: str
    """The id of the model that it calls."""
    list_address: str
    """Where all of them are; empty where the person may not see that."""

    @property
    def more(self) -> int:
        return self.total - len(self.models)

    @classmethod
    def of(cls, request: HttpRequest, provider: Provider, names: Collection[str]) -> "Outcome":
        reading = read_now()
        found = callable_at(provider.pk, reading)
        is_open = is_open_to(request)
        confirmed = [model for model, upstream in found if not names or not upstream.isdisjoint(names)]
        first = _first_to_call(confirmed or [model for model, _ in found], provider, reading)
        return cls(
            total=len(found),
            models=[(model.id, _page_of(model, is_open=is_open)) for model, _ in found[:_SHOWN]],
            unlisted=[model.id for model, upstream in found if names and upstream.isdisjoint(names)],
            curl=_call(base_url_of(request), first) if first else "",
            example=first.id if first else "",
            list_address=f"{reverse('public:models')}?provider={provider.slug}" if is_open else "",
        )


def tell_check(provider: Provider, check: ConnectionCheck, *, has_key: bool) -> str:
    """What the test has shown, and what it has not."""
    if check.outcome is None or check.outcome.trouble:
        return f"Saved. {provider.name} has no list of models to ask for: the first call tests the key."
    count = len(check.outcome.names)
    listed = f"lists {count} model{'' if count == 1 else 's'}" if count else "answers"
    if check.proves_key:
        return f"Tested and saved: {provider.name} takes the key and {listed}."
    if has_key:
        return f"Saved: {provider.name} {listed}, but it does so for everybody. The first call tests the key itself."
    return f"Tested and saved: {provider.name} {listed}."


def tell_added(request: HttpRequest, added: Added) -> None:
    if added.new:
        messages.success(request, f"Added and published: {_named([model.public_id for model in added.new])}.")
    if added.offered:
        names = _named([model.public_id for model in added.offered])
        messages.success(request, f"Known already, and offered here too, as the last choice: {names}.")
    for name, reason in list(added.refused.items())[:_NAMED]:
        messages.warning(request, f"{name} was not added. {reason}")
    if len(added.refused) > _NAMED:
        messages.warning(request, f"{len(added.refused) - _NAMED} more were not added.")
    if not_tried := added.left:
        messages.warning(
            request, f"{not_tried} more were left for another act: {MOST_ADDED} are added at once."
        )


def _named(ids: Sequence[str]) -> str:
    more = len(ids) - _NAMED
    return ", ".join(ids[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _page_of(model: ModelFacts, *, is_open: bool) -> str:
    if is_open:
        return reverse("public:model", args=[model.id])
    return f"{reverse('admin:catalogue_model_changelist')}?q={model.id}"


def _first_to_call(models: Sequence[ModelFacts], provider: Provider, reading: Reading) -> ModelFacts | None:
    """Active and cheap: somebody only wants to see an answer."""

    def rank(model: ModelFacts) -> tuple[bool, bool, Decimal, str]:
        at = reading.at
        here = [each for each in model.offerings if each.provider_id == provider.pk]
        prices = [
            price for each in here for price in current_prices(each.prices, at) if price.meter == INPUT_TEXT
        ]
        cheapest = min((price.amount / price.unit_size for price in prices), default=_DEAR)
        return model.status(at) is not Status.ACTIVE, "text" not in model.output_types, cheapest, model.id

    return min(models, key=rank, default=None)


def _call(base_url: str, model: ModelFacts) -> str:
    endpoints = frozenset(endpoint for offering in model.offerings for endpoint in offering.endpoints)
    written = samples(base_url, model.id, endpoints)
    return written[0].text.replace(KEY, "$GATEWAY_KEY") if written else ""
