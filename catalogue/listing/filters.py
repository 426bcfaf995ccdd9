"""What narrows and orders the list of models, in SQL."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Q
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework.request import Request

from catalogue.feeds.formats import FEED_FORMATS
from catalogue.lifecycle.status import Status
from catalogue.listing.capabilities import CAPABILITIES, capabilities_of, have_all
from catalogue.listing.organisations import PUBLISHED_ORGANISATIONS
from catalogue.listing.parameters import (
    ChoiceField,
    CountField,
    FlagField,
    InstantField,
    MixField,
    ParameterField,
    PriceField,
    WordsField,
    refusal_of,
    refuse,
)
from catalogue.listing.search import NameIndex, name_index_cache
from catalogue.models import Model, Organisation, PublishedModel
from catalogue.pricing.mix import USUAL
from catalogue.published.headline import free_offerings, is_free
from catalogue.published.reading import Reading
from catalogue.querysets.published import PublishedModelQuerySet, has_all, has_any, is_listed, is_routable
from gateway.core.errors import ApiError

Rows = PublishedModelQuerySet
FORMATS = ("json", *FEED_FORMATS)
DEFAULT_SORT = "-release_date"
_SORTS = {
    "release_date": "release_at",
    "retirement_date": "retirement_at",
    "name": "sort_name",
    "context_length": "shown_context",
    "prompt_price": "prompt_usd",
    "completion_price": "completion_usd",
    "cached_price": "cached_usd",
    "blended_price": "blended_usd",
}
_HEADLINE_COLUMNS = ("shown_context", "prompt_usd", "completion_usd", "cached_usd", "blended_usd")
# Parameters that ask what only the offerings tell.
_ASK_HEADLINE = {
    "min_context": ("shown_context",),
    "max_price_prompt": ("prompt_usd",),
    "max_price_completion": ("completion_usd",),
    "max_price_blended": ("blended_usd",),
}
_UNLISTED: frozenset[str] = frozenset({Status.ANNOUNCED, Status.RETIRED})
_TOKENS_MAX = 1_000_000_000


def _parameter(field: ParameterField | WordsField, method: str, about: str) -> filters.Filter:
    """A filter around the field, described in the API document by the field's schema."""

    class ParameterFilter(filters.Filter):  # type: ignore[misc]
        @property
        def field(self) -> ParameterField | WordsField:
            return field

    described = extend_schema_field(field.schema | {"description": about})
    return described(ParameterFilter(method=method, label=about))


class GatewayModelFilter(filters.FilterSet):  # type: ignore[misc]
    """The published list's parameters that choose models, and our own."""

    endpoints = _parameter(
        WordsField(), "by_endpoints", "Offered at any of these, such as `chat.completions`."
    )
    organisation = _parameter(WordsField(), "by_organisations", "Made by any of these, by exact id.")
    input_types = _parameter(WordsField(), "by_types", "Takes any of these modalities, such as `image`.")
    output_types = _parameter(WordsField(), "by_types", "Gives any of these modalities.")
    params = _parameter(WordsField(), "by_params", "Takes any of these parameters.")
    all_params = _parameter(
        WordsField(), "by_all_params", "One of its offerings takes all of these parameters."
    )
    provider = _parameter(WordsField(), "by_providers", "Offered by any of these providers.")
    regions = _parameter(
        WordsField(),
        "by_regions",
        "Offered in any of these regions, such as `eu`; each stands for itself alone.",
    )
    q = _parameter(
        ParameterField(example="haiku"),
        "by_text",
        "Every word is in id, name, aliases or description; in names with or without hyphens, dots and blanks. "
        "Without `sort`, models of exactly that name come first.",
    )
    capabilities = _parameter(
        WordsField(*CAPABILITIES), "by_capabilities", "One of its offerings has all of these."
    )
    status = _parameter(
        WordsField(*Status),
        "keep",
        "Of any of these. `announced` and `retired` models are listed only where this asks for them.",
    )
    kind = _parameter(WordsField(*Model.Kind.values), "by_kinds", "Models, named routes, or both.")
    reasoning_tier = _parameter(
        WordsField(*Model.ReasoningTier.values), "by_tiers", "Reasons in any of these tiers."
    )
    min_context = _parameter(
        CountField(1, _TOKENS_MAX),
        "by_context",
        "Context window of at least so many tokens, at one of its offerings.",
    )
    max_price_prompt = _parameter(
        PriceField(),
        "by_prompt_price",
        "At most so many USD for one input token, at the cheapest of its offerings.",
    )
    max_price_completion = _parameter(
        PriceField(),
        "by_completion_price",
        "At most so many USD for one output token, at the cheapest of its offerings.",
    )
    max_price_blended = _parameter(
        PriceField(), "by_blended_price", "At most so many USD for one token of the `mix`."
    )
    mix = _parameter(
        MixField(),
        "keep",
        "For which tokens a blended price is: parts of input and output, or of input, cached and output.",
    )
    released_after = _parameter(InstantField(), "by_release", "Released then or later.")
    retires_before = _parameter(InstantField(), "by_retirement", "Retires before that.")
    free = _parameter(
        FlagField(),
        "by_cost",
        "Whether no meter of its offerings charges anything. A model without prices is neither.",
    )
    open_weights = _parameter(FlagField(), "by_weights", "Whether its weights can be downloaded.")
    sort = _parameter(
        ChoiceField(*_SORTS, *(f"-{name}" for name in _SORTS), default=DEFAULT_SORT),
        "keep",
        "Ascending; descending after a minus. Unknown values come last.",
    )
    availability = _parameter(
        ChoiceField("active", "all", default="active"),
        "keep",
        "`all` adds listed models that nothing can serve now, with `is_routable` false.",
    )
    privacy_scope = _parameter(
        ChoiceField("shared", "team", default="shared"),
        "in_scope",
        "`team`: what this key may call. 501 unless the deployment has turned it on.",
    )
    privacy = _parameter(ChoiceField("shared", "team"), "in_scope", "Another name of `privacy_scope`.")
    as_of = _parameter(
        InstantField(), "keep", "The list as it was published then; an instant to come: as it will be."
    )
    format = _parameter(ChoiceField(*FORMATS, default="json"), "keep", "Of the answer.")
    feed = _parameter(ChoiceField(*FORMATS), "keep", "Another name of `format`.")

    class Meta:
        model = PublishedModel
        fields: list[str] = []

    def __init__(self, *args: Any, reading: Reading, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reading = reading
        self.at, self.openings = reading.at, reading.openings

    def filter_queryset(self, queryset: Rows) -> Rows:
        asked = self.form.cleaned_data
        sort: str = asked["sort"] or DEFAULT_SORT
        column = _SORTS[sort.removeprefix("-")]
        columns = {column}.intersection(_HEADLINE_COLUMNS)
        columns.update(*(those for name, those in _ASK_HEADLINE.items() if asked[name] is not None))
        if columns:
            free = free_offerings(self.reading.snapshot, self.at)
            mix = asked["mix"] or USUAL
            queryset = queryset.with_headline(self.at, self.openings, columns, free=free, mix=mix)
        narrowed: Rows = super().filter_queryset(queryset)
        first = self._names.exact(asked["q"]) if asked["q"] and not asked["sort"] else ()
        return self._listed(narrowed, asked).in_order(column, descending=sort.startswith("-"), first=first)

    def by_endpoints(self, rows: Rows, _name: str, words: list[str]) -> Rows:
        return self._where_shown(rows, has_any("endpoints", words))

    def by_params(self, rows: Rows, _name: str, words: list[str]) -> Rows:
        return self._where_shown(rows, has_any("params", words))

    def by_all_params(self, rows: Rows, _name: str, words: list[str]) -> Rows:
        return self._where_shown(rows, has_all("params", words))

    def by_providers(self, rows: Rows, _name: str, words: list[str]) -> Rows:
        return self._where_shown(rows, Q(provider_slug__in=words))

    def by_regions(self, rows: Rows, _name: str, words: list[str]) -> Rows:
        return self._where_shown(rows, has_any("regions", [word.lower() for word in words]))

    def by_organisations(self, rows: Rows, name: str, words: list[str]) -> Rows:
        check_organisations(name, words)
        return rows.filter(organisation_id__in=words)

    def by_types(self, rows: Rows, name: str, words: list[str]) -> Rows:
        return rows.filter(has_any(name, [word.lower() for word in words]))

    def by_text(self, rows: Rows, _name: str, text: str) -> Rows:
        return rows.matching({word: self._names.only_folded(word) for word in text.casefold().split()})

    def by_capabilities(self, rows: Rows, _name: str, words: list[str]) -> Rows:
        wanted, snapshot = frozenset(words), self.reading.snapshot
        able = [
            model.id
            for model in snapshot.models.values()
            if have_all(capabilities_of(model, snapshot, self.at), wanted)
        ]
        return rows.filter(public_id__in=able)

    def by_kinds(self, rows: Rows, _name: str, kinds: list[str]) -> Rows:
        return rows.filter(kind__in=kinds)

    def by_tiers(self, rows: Rows, _name: str, tiers: list[str]) -> Rows:
        return rows.filter(reasoning_tier__in=tiers)

    def by_context(self, rows: Rows, _name: str, tokens: int) -> Rows:
        return rows.filter(Q(shown_context__gte=tokens))

    def by_prompt_price(self, rows: Rows, _name: str, usd: Decimal) -> Rows:
        return rows.filter(Q(prompt_usd__lte=usd))

    def by_completion_price(self, rows: Rows, _name: str, usd: Decimal) -> Rows:
        return rows.filter(Q(completion_usd__lte=usd))

    def by_blended_price(self, rows: Rows, _name: str, usd: Decimal) -> Rows:
        return rows.filter(Q(blended_usd__lte=usd))

    def by_release(self, rows: Rows, _name: str, at: Any) -> Rows:
        return rows.filter(release_at__gte=at)

    def by_retirement(self, rows: Rows, _name: str, at: Any) -> Rows:
        return rows.filter(retirement_at__lt=at)

    def by_cost(self, rows: Rows, _name: str, wanted: bool) -> Rows:
        snapshot = self.reading.snapshot
        models = snapshot.models.values()
        ids = [model.id for model in models if is_free(model, snapshot, self.at) is wanted]
        return rows.filter(public_id__in=ids)

    def by_weights(self, rows: Rows, _name: str, are_open: bool) -> Rows:
        return rows.filter(open_weights=are_open)

    def in_scope(self, rows: Rows, name: str, value: str) -> Rows:
        """What a key may call are patterns, which the view knows; here only whether it may be asked."""
        if value == "team" and not settings.TEAM_SCOPE:
            raise ApiError(
                f"{name}=team is not turned on in this deployment; use {name}=shared.",
                status=501,
                code="models_privacy_scope_not_implemented",
                param=name,
                extra={"privacy_scope": value},
            )
        return rows

    def keep(self, rows: Rows, _name: str, _value: Any) -> Rows:
        """For parameters that narrow nothing by themselves."""
        return rows

    @property
    def _names(self) -> NameIndex:
        return name_index_cache.read(self.reading.snapshot.models)

    def _where_shown(self, rows: Rows, wanted: Q) -> Rows:
        asked = self.form.cleaned_data
        shows_unserved = asked["availability"] == "all" or _unlisted(asked)
        where = rows.where_shown if shows_unserved else rows.where_serving
        return where(self.at, self.openings, wanted)

    def _listed(self, rows: Rows, asked: dict[str, Any]) -> Rows:
        shows_all = asked["availability"] == "all"
        shown = is_listed(self.at) if shows_all else is_routable(self.at, self.openings)
        if asked["status"] is None:
            return rows.filter(shown)
        return rows.of_status(self.at, asked["status"]).filter(shown | Q(status__in=_unlisted(asked)))


def _unlisted(asked: dict[str, Any]) -> frozenset[str]:
    """Statuses that are asked for and that lists leave out otherwise."""
    return _UNLISTED.intersection(asked["status"] or ())


class StrictFilterBackend(filters.DjangoFilterBackend):  # type: ignore[misc]
    """Refuses what it does not know and what has no value: a wish is never dropped in silence."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        filterset = self.get_filterset(request, queryset, view)
        check_names(request, {*filterset.filters, *view.own_parameters})
        if not filterset.is_valid():
            name, error = next(iter(filterset.form.errors.as_data().items()))
            raise refusal_of(name, error[0])
        return filterset.qs

    def get_filterset_kwargs(self, request: Request, queryset: Any, view: Any) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_filterset_kwargs(request, queryset, view)
        return kwargs | {"reading": view.reading}


def check_names(request: Request, allowed: Iterable[str]) -> None:
    """Raises ApiError for a parameter that is not one of these."""
    known = sorted(allowed)
    for name in request.query_params:
        if name not in known:
            message = f"The parameter {name[:100]!r} does not exist. Parameters are {', '.join(known)}."
            raise refuse(
                name[:100],
                message,
                code="unknown_parameter",
                provided=request.query_params.getlist(name),
                allowed=known,
            )


def check_organisations(name: str, words: Iterable[str]) -> None:
    """Raises ApiError for one that does not exist."""
    unknown = [word for word in words if word not in PUBLISHED_ORGANISATIONS]
    known = set(Organisation.objects.values_list("id", flat=True)) if unknown else set()
    for word in unknown:
        if word not in known:
            message = f"{name}: there is no organisation {word!r}. Organisations are given by id."
            raise refuse(name, message, provided=word, allowed=sorted(known | PUBLISHED_ORGANISATIONS))
