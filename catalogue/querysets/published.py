"""Questions that are asked of published rows, in SQL. The same rules in memory are those of catalogue.published.

Whatever depends on time takes `at`; `openings` are the providers that calls can go to.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Any, Self

from django.db.models import (
    Case,
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Round, StrIndex
from django.db.models.lookups import GreaterThan

from catalogue.endpoints import GENERATION, Openings
from catalogue.models.published_offering import PublishedOffering, PublishedPrice
from catalogue.pricing.meters import CACHED_READ_TEXT, INPUT_TEXT, OUTPUT_TEXT
from catalogue.pricing.mix import BLENDED_PLACES, Mix
from catalogue.querysets.status import status_case

if TYPE_CHECKING:
    from catalogue.models.published import PublishedModel  # noqa: F401  # named in a base class, as text


_USD = DecimalField(max_digits=40, decimal_places=20)


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

    def routable(self, at: datetime, openings: Openings) -> Self:
        """Listed, with an offering that is inside its dates, switched on, and at a provider that can be asked for it.

        Which offerings there are, and their dates, count as published; switches count as they are now.
        """
        return self.filter(is_routable(at, openings))

    def of_status(self, at: datetime, statuses: Iterable[str]) -> Self:
        return self.annotate(status=status_case(at)).filter(status__in=list(statuses))

    def matching(self, words: Mapping[str, Collection[str]]) -> Self:
        """Every word is somewhere in its id, name, aliases, organisation or description, or its id is the word's."""
        return self.filter(*(has("search_text", word) | Q(public_id__in=ids) for word, ids in words.items()))

    def where_serving(self, at: datetime, openings: Openings, wanted: Q) -> Self:
        """An offering that a call could go to meets the condition."""
        return self.filter(Exists(serving(at, openings).filter(wanted)))

    def where_shown(self, at: datetime, openings: Openings, wanted: Q) -> Self:
        """An offering that its record speaks of meets the condition: one that serves; any, where none serves."""
        of_model, serves = (
            PublishedOffering.objects.filter(published=OuterRef("pk")),
            serving(at, openings),
        )
        return self.filter(
            Exists(serves.filter(wanted)) | (~Exists(serves) & Exists(of_model.filter(wanted)))
        )

    def with_headline(
        self, at: datetime, openings: Openings, columns: Iterable[str], *, free: Collection[int], mix: Mix
    ) -> Self:
        """Annotated with what catalogue.published.headline says of them, of one token in USD or of tokens.

        `columns` are any of those below; `free` are the offerings at which no meter charges anything.
        """
        offered = _effective(at).annotate(
            is_open=Case(When(_opens(openings), then=Value(True)), default=Value(False))
        )
        prices = {
            "prompt_usd": _price(at, INPUT_TEXT),
            "completion_usd": _price(at, OUTPUT_TEXT),
            "cached_usd": _price(at, CACHED_READ_TEXT),
            "blended_usd": _blended(at, mix),
        }
        known: dict[str, Subquery | Coalesce] = {
            name: _cheapest(offered.annotate(asked_usd=usd), free)
            for name, usd in prices.items()
            if name in columns
        }
        taken = offered.annotate(taken=Coalesce("context_length", OuterRef("context_length")))
        largest = taken.order_by(F("is_open").desc(), F("taken").desc(nulls_last=True)).values("taken")[:1]
        known["shown_context"] = Coalesce(Subquery(largest), "context_length")
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


def is_routable(at: datetime, openings: Openings) -> Q:
    """Of a published model."""
    return is_listed(at) & Q(Exists(serving(at, openings)))


def serving(at: datetime, openings: Openings) -> "QuerySet[PublishedOffering]":
    """Of the published model of the outer query: those that a call could go to."""
    return _effective(at).filter(_opens(openings))


def _effective(at: datetime) -> "QuerySet[PublishedOffering]":
    """Of the published model of the outer query: those inside their dates."""
    return PublishedOffering.objects.filter(
        Q(effective_from=None) | Q(effective_from__lte=at),
        Q(effective_to=None) | Q(effective_to__gt=at),
        published=OuterRef("pk"),
    )


def _opens(openings: Openings) -> Q:
    """Of a published offering: whether it and its provider are on, and can be asked for one of its endpoints."""
    is_open = Q(pk__in=[])
    for endpoints, ids in openings.items():
        # One stands for all of those that generate text: whoever offers one offers all.
        asked = has_any("endpoints", sorted(endpoints)[:1] if endpoints == GENERATION else endpoints)
        is_open |= asked if ids is None else asked & Q(offering__is_enabled=True, provider_id__in=ids)
    return is_open


def _cheapest(offered: "QuerySet[PublishedOffering]", free: Collection[int]) -> Subquery:
    """Of those that are open, else of all. A zero beside another meter that charges is none."""
    is_said = Q(asked_usd__gt=0) | Q(offering_id__in=free)
    said = offered.annotate(usd=Case(When(is_said, then=F("asked_usd")), output_field=_USD))
    return Subquery(said.order_by(F("is_open").desc(), F("usd").asc(nulls_last=True)).values("usd")[:1])


def _blended(at: datetime, mix: Mix) -> Any:
    prompt, completion = _price(at, INPUT_TEXT), _price(at, OUTPUT_TEXT)
    cached = Coalesce(_price(at, CACHED_READ_TEXT), prompt)
    parts: list[tuple[int, Any]] = [(mix.input, prompt), (mix.cached, cached), (mix.output, completion)]
    terms = [ExpressionWrapper(usd * Value(count), output_field=_USD) for count, usd in parts if count]
    total = reduce(lambda one, other: ExpressionWrapper(one + other, output_field=_USD), terms)
    blended = ExpressionWrapper(total / Value(Decimal(mix.whole)), output_field=_USD)
    return Round(blended, precision=BLENDED_PLACES, output_field=_USD)


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


def _prices_now(at: datetime, meter: str) -> "QuerySet[PublishedPrice]":
    return PublishedPrice.objects.filter(
        Q(valid_from=None) | Q(valid_from__lte=at),
        Q(valid_to=None) | Q(valid_to__gt=at),
        offering=OuterRef("pk"),
        meter=meter,
    )


def _price(at: datetime, meter: str) -> Subquery:
    newest = _prices_now(at, meter).order_by(F("valid_from").desc(nulls_last=True), "-pk")
    return Subquery(newest.values("usd_per_unit")[:1])
