"""Models, changes and dates as entries of feeds. Where the addresses lead is the view's to say."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from catalogue.changes.change_text import tell_change
from catalogue.changes.model_changes import Change, stable_id
from catalogue.facts import EPOCH, ModelFacts
from catalogue.feeds.formats import Entry
from catalogue.lifecycle.events import LifecycleEvent
from catalogue.lifecycle.message import tell_life
from catalogue.models import PublishedModel
from catalogue.published.reading import Reading
from catalogue.published.record import serving_offerings, top_offering, unit_price

LinkTo = Callable[[ModelFacts], str]
# Of a row that was published after the snapshot was read.
_UNKNOWN = (0, EPOCH)


def model_entries(models: Iterable[ModelFacts], reading: Reading, link_to: LinkTo) -> Iterator[Entry]:
    """One a model, in the order given; updated when its record last changed, by an edition or by a date."""
    shown = list(models)
    editions = editions_of([model.id for model in shown], reading)
    for model in shown:
        is_out = model.release_at is not None and model.release_at <= reading.at
        yield Entry(
            id=stable_id(model),
            title=model.name,
            summary=_describe(model, reading),
            link=link_to(model),
            updated=_last_change(model, editions.get(model.id, _UNKNOWN)[1], reading.at),
            published=model.release_at if is_out else None,
            categories=(model.organisation_id, model.status(reading.at).value),
        )


def change_entries(changes: Iterable[Change], reading: Reading, link_to: LinkTo) -> Iterator[Entry]:
    for change in changes:
        successor = reading.snapshot.successor(change.model, reading.at)
        yield Entry(
            id=change.id,
            title=f"{change.model.name}: {change.kind}",
            summary=tell_change(change, successor),
            link=link_to(change.model),
            updated=change.at,
            published=change.at,
            categories=(change.kind.value, change.model.organisation_id),
        )


def event_entries(events: Iterable[LifecycleEvent], reading: Reading, link_to: LinkTo) -> Iterator[Entry]:
    """Updated when the date was last published, or when it came."""
    shown = list(events)
    editions = editions_of({event.model.id for event in shown}, reading)
    for event in shown:
        model, (_, since) = event.model, editions.get(event.model.id, _UNKNOWN)
        successor = reading.snapshot.successor(model, reading.at)
        yield Entry(
            id=stable_id(model, event.kind),
            title=event.title(reading.at),
            summary=tell_life(model, successor, reading.at) or event.title(reading.at),
            link=link_to(model),
            updated=max(since, event.at) if event.at <= reading.at else since,
            categories=(event.kind.value, model.organisation_id),
        )


def editions_of(ids: Iterable[str], reading: Reading) -> Mapping[str, tuple[int, datetime]]:
    """By id: the edition from which on its record is as it is, and when that was made. One query."""
    rows = PublishedModel.objects.at_edition(reading.snapshot.revision).filter(public_id__in=list(ids))
    columns = ("public_id", "edition_from", "edition_from__published_at")
    return {public_id: (number, at) for public_id, number, at in rows.values_list(*columns)}


def _last_change(model: ModelFacts, published: datetime, at: datetime) -> datetime:
    return max([published, *(instant for instant in model.instants() if instant <= at)])


def _describe(model: ModelFacts, reading: Reading) -> str:
    """Its description, what its life has come to, and what it costs."""
    successor = reading.snapshot.successor(model, reading.at)
    _top, prices = top_offering(serving_offerings(model, reading.snapshot, reading.at), reading.at)
    costs = [f"{meter} {unit_price(price)}" for meter, price in sorted(prices.items())]
    parts = [
        model.description or f"{model.id} by {model.organisation_name or model.organisation_id}.",
        tell_life(model, successor, reading.at),
        f"USD for one: {', '.join(costs)}." if costs else None,
    ]
    return "\n".join(filter(None, parts))
