"""Questions that are asked of published rows, in SQL. The same rules in memory are those of catalogue.published.

Whatever depends on time takes `at`; `callable_ids` are the providers that calls can go to, None where switches do
not count.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db.models import Case, Exists, F, Func, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, StrIndex
from django.db.models.lookups import GreaterThan

from catalogue.models.published_offering import PublishedOffering, PublishedPrice
from catalogue.pricing.meters import INPUT_TEXT, OUTPUT_TEXT
from catalogue.querysets.status import status_case

if TYPE_CHECKING:
    from catalogue.models.published import PublishedModel  # noqa: F401  # named in a base class, as text


class ByCodePoint(Func):
    """Sorts text alike on every database, whatever language that was set up for."""

    arity = 1
    template = "%(expressions)s"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template='(%(expressions)s) COLLATE "C"', **context)


class PublishedModelQuerySet(QuerySet["PublishedModel"]):
    """Published rows."""

    def current(self) -> Self:
        return self.filter(edition_to=None)

    def at_edition(self, number: int) -> Self:
        """As clients saw them when that edition was the newest."""
        return self.filter(Q(edition_to=None) | Q(edition_to__gt=number), edition_from__lte=number)

    def touched_between(self, after: int, until: int) -> Self:
        """Opened or closed by an edition later than `after`, up to `until`."""
        opened = Q(edition_from__gt=after, edition_from__lte=until)
        return self.filter(opened | Q(edition_to__gt=after, edition_to__lte=until))

    def listed(self, at: datetime) -> Self:
        """Released and not retired; an unknown release counts as passed, an unknown retirement as never."""
        return self.filter(is_listed(at))

    def routable(self, at: datetime, callable_ids: Collection[int] | None) -> Self:
        """Listed, with an offering that is inside its dates, switched on, and at a provider that can be called.

        Which offerings there are, and their dates, count as published; switches count as they are now.
        """
        return self.filter(is_routable(at, callable_ids))

    def of_status(self, at: datetime, statuses: Iterable[str]) -> Self:
        return self.annotate(status=status_case(at)).filter(status__in=list(statuses))

    def matching(self, words: Mapping[str, Collection[str]]) -> Self:
        """Every word is somewhere in its id, name, aliases, organisation or description, or its id is the word's."""
        return self.filter(*(has("search_text", word) | Q(public_id__in=ids) for word, ids in words.items()))

    def where_serving(self, at: datetime, callable_ids: Collection[int] | None, wanted: Q) -> Self:
        """An offering that a call could go to meets the condition."""
        return self.filter(Exists(serving(at, callable_ids).filter(wanted)))

    def where_shown(self, at: datetime, callable_ids: Collection[int] | None, wanted: Q) -> Self:
        """An offering that its record speaks of meets the condition: one that serves; any, where none serves."""
        of_model, serves = (
            PublishedOffering.objects.filter(published=OuterRef("pk")),
            serving(at, callable_ids),
        )
        return self.filter(
            Exists(serves.filter(wanted)) | (~Exists(serves) & Exists(of_model.filter(wanted)))
        )

    def with_top(
        self,
        at: datetime,
        callable_ids: Collection[int] | None,
        columns: Iterable[str],
        *,
        or_closed: bool = False,
    ) -> Self:
        """Annotated with what its record says of the top offering.

        `columns` are any of `shown_context` in tokens, `prompt_usd` and `completion_usd` for one token; None where
        unknown. With `or_closed`, of a model that nothing serves the top one is chosen among those inside their dates.
        """
        ranked = serving(at, None if or_closed else callable_ids).annotate(
            has_both=Exists(_prices_now(at, INPUT_TEXT)) & Exists(_prices_now(at, OUTPUT_TEXT)),
            has_any=Exists(_prices_now(at)),
        )
        open_first = [_is_open(callable_ids).desc()] if or_closed and callable_ids is not None else []
        best = (*open_first, F("has_both").desc(), F("has_any").desc())
        top = ranked.order_by(*best, "position", "offering_id")
        known: dict[str, Subquery | Coalesce] = {
            "shown_context": Coalesce(Subquery(top.values("context_length")[:1]), "context_length"),
            "prompt_usd": Subquery(top.annotate(usd=_price(at, INPUT_TEXT)).values("usd")[:1]),
            "completion_usd": Subquery(top.annotate(usd=_price(at, OUTPUT_TEXT)).values("usd")[:1]),
        }
        return self.annotate(**{column: known[column] for column in columns})

    def in_order(self, column: str, *, descending: bool = False, first: Collection[str] = ()) -> Self:
        """By a column, unknown last; then by name in whatever case, then by id. The ids of `first` before all."""
        ahead = [Case(When(public_id__in=first, then=Value(0)), default=Value(1))] if first else []
        by = ByCodePoint(column) if column == "sort_name" else F(column)
        direction = by.desc(nulls_last=True) if descending else by.asc(nulls_last=True)
        names = (ByCodePoint("sort_name").asc(), ByCodePoint("public_id").asc())
        return self.order_by(*ahead, direction, *names)

    def newest_first(self) -> Self:
        return self.in_order("release_at", descending=True)


def is_listed(at: datetime) -> Q:
    """Of a published model."""
    released = Q(release_at=None) | Q(release_at__lte=at)
    return released & (Q(retirement_at=None) | Q(retirement_at__gt=at))


def is_routable(at: datetime, callable_ids: Collection[int] | None) -> Q:
    """Of a published model."""
    return is_listed(at) & Q(Exists(serving(at, callable_ids)))


def serving(at: datetime, callable_ids: Collection[int] | None) -> "QuerySet[PublishedOffering]":
    """Of the published model of the outer query: those that a call could go to."""
    effective = PublishedOffering.objects.filter(
        Q(effective_from=None) | Q(effective_from__lte=at),
        Q(effective_to=None) | Q(effective_to__gt=at),
        published=OuterRef("pk"),
    )
    if callable_ids is None:
        return effective
    return effective.filter(offering__is_enabled=True, provider_id__in=callable_ids)


def _is_open(callable_ids: Collection[int]) -> Case:
    """Of a published offering: whether it and its provider are on."""
    is_on = When(offering__is_enabled=True, provider_id__in=callable_ids, then=Value(True))
    return Case(is_on, default=Value(False))


def has(column: str, part: str) -> Q:
    """The text holds that part, letter for letter, on every database alike."""
    return Q(GreaterThan(StrIndex(F(column), Value(part)), 0))


def has_any(column: str, words: Iterable[str]) -> Q:
    """The list of words, kept as one text, holds one of those words."""
    wanted = Q(pk__in=[])
    for word in words:
        wanted |= has(column, f" {word} ")
    return wanted


def has_all(column: str, words: Iterable[str]) -> Q:
    wanted = Q()
    for word in words:
        wanted &= has(column, f" {word} ")
    return wanted


def _prices_now(at: datetime, meter: str | None = None) -> "QuerySet[PublishedPrice]":
    prices = PublishedPrice.objects.filter(
        Q(valid_from=None) | Q(valid_from__lte=at),
        Q(valid_to=None) | Q(valid_to__gt=at),
        offering=OuterRef("pk"),
    )
    return prices.filter(meter=meter) if meter else prices


def _price(at: datetime, meter: str) -> Subquery:
    newest = _prices_now(at, meter).order_by(F("valid_from").desc(nulls_last=True), "-pk")
    return Subquery(newest.values("usd_per_unit")[:1])
