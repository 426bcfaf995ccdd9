"""Published rows as the versions of models that changes are told from, and the changes that were told last."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from catalogue.changes.model_changes import Change, Version
from catalogue.facts import ModelFacts
from catalogue.models import PublishedModel, PublishedOffering, PublishedPrice
from catalogue.published.content import UnreadableContentError, facts_from_content
from catalogue.published.snapshot import Snapshot
from catalogue.querysets.published import PublishedModelQuerySet

_QUESTIONS_KEPT = 16


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


class ChangeCache:
    """Whole editions are slow to compare: changes by question, kept for as long as nothing else changes.

    Safe from any thread: at worst two find the same.
    """

    def __init__(self) -> None:
        self._kept: tuple[str, dict[Hashable, Sequence[Change]]] = ("", {})

    def answer(
        self, state: str, question: Hashable, find: Callable[[], Sequence[Change]]
    ) -> Sequence[Change]:
        """What was found for that question in that state of a reading, or what is found now."""
        kept_state, answers = self._kept
        if kept_state != state or len(answers) >= _QUESTIONS_KEPT:
            answers = {}
            self._kept = (state, answers)
        if question not in answers:
            answers[question] = find()
        return answers[question]

    def forget(self) -> None:
        self._kept = ("", {})


change_cache = ChangeCache()
"""Of this process."""
