"""Published rows as the versions of models that changes are told from."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from catalogue.changes import Version
from catalogue.content import UnreadableContentError, facts_from_content
from catalogue.models import PublishedModel, PublishedOffering, PublishedPrice
from catalogue.published_querysets import PublishedModelQuerySet
from catalogue.snapshot import ModelFacts, Snapshot


def read_versions(rows: PublishedModelQuerySet, snapshot: Snapshot) -> list[Version]:
    """In the order of editions; two queries. Live records are taken from the snapshot, only others are read.

    A record that cannot be read any more is left out.
    """
    columns = ("pk", "public_id", "edition_from", "edition_from__published_at")
    spans = list(
        rows.order_by("edition_from_id").values_list(*columns, "edition_to", "edition_to__published_at")
    )
    closed = [pk for pk, public_id, *_, ends, _at in spans if ends or public_id not in snapshot.models]
    records = dict(_read_records(closed))
    versions = []
    for pk, public_id, opened, opened_at, ends, ended_at in spans:
        model = records.get(pk) if pk in records or ends else snapshot.models.get(public_id)
        if model is not None:
            versions.append(Version(model, opened, opened_at, ends, ended_at))
    return versions


def rows_between(begins: datetime, ends: datetime) -> PublishedModelQuerySet:
    """Rows that were live at some instant of that range and tell a change in it, with those that they replaced."""
    alive = Q(edition_from__published_at__lt=ends) & (
        Q(edition_to=None) | Q(edition_to__published_at__gte=begins)
    )
    touched = Q(edition_from__published_at__gte=begins) | Q(edition_to__published_at__lt=ends)
    return PublishedModel.objects.filter(alive, touched | _passes_a_date(begins, ends))


def rows_of(public_id: str) -> PublishedModelQuerySet:
    """Every version of a model that was ever published."""
    # PostgreSQL fails on a NUL.
    return PublishedModel.objects.filter(public_id=public_id.replace("\x00", ""))


def _passes_a_date(begins: datetime, ends: datetime) -> Q:
    offerings = PublishedOffering.objects.filter(published=OuterRef("pk"))
    prices = PublishedPrice.objects.filter(offering__published=OuterRef("pk"))
    return (
        _any_inside(("release_at", "deprecation_at", "retirement_at"), begins, ends)
        | Q(Exists(offerings.filter(_any_inside(("effective_from", "effective_to"), begins, ends))))
        | Q(Exists(prices.filter(_any_inside(("valid_from", "valid_to"), begins, ends))))
    )


def _any_inside(columns: Sequence[str], begins: datetime, ends: datetime) -> Q:
    inside = Q(pk__in=[])
    for column in columns:
        inside |= Q(**{f"{column}__gte": begins, f"{column}__lt": ends})
    return inside


def _read_records(ids: Sequence[int]) -> Iterator[tuple[int, ModelFacts]]:
    if not ids:
        return
    for pk, content in PublishedModel.objects.filter(pk__in=ids).values_list("pk", "content"):
        try:
            yield pk, facts_from_content(content)
        except UnreadableContentError:
            continue
