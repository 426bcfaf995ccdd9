"""What narrows the list of models, and how a parameter that cannot be honoured is refused."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework.request import Request

from accounts.errors import ApiError
from catalogue.models import Organisation, PublishedModel
from catalogue.record import Switches

# The published page's list; an organisation that staff add is as good as these.
PUBLISHED_ORGANISATIONS = frozenset(
    {
        "ai21",
        "aion-labs",
        "allenai",
        "amazon",
        "anthropic",
        "arcee-ai",
        "baidu",
        "black-forest-labs",
        "bytedance",
        "cohere",
        "cursor",
        "deepseek",
        "eleven-labs",
        "essential-ai",
        "google",
        "ibm",
        "inception",
        "inclusionai",
        "kwaipilot",
        "lg",
        "liquid-ai",
        "meituan",
        "meta",
        "microsoft",
        "minimax",
        "mistral",
        "moonshotai",
        "naver-hyperclova",
        "nous",
        "nvidia",
        "openai",
        "perplexity",
        "prime-intellect",
        "qwen",
        "relace",
        "sourceful",
        "stepfun",
        "suno",
        "upstage",
        "vercel",
        "voyage",
        "x-ai",
        "xiaomi",
        "z-ai",
    }
)
# On the published page, and refused rather than ignored for as long as nothing answers to them.
NOT_YET = frozenset({"endpoints", "input_types", "output_types", "params"})


def refuse(name: str, message: str, *, code: str = "invalid_value", **facts: Any) -> ApiError:
    """The refusal of one parameter; `facts` (what came, what is allowed) go into the published error shape."""
    return ApiError(message, code=code, param=name, extra={"param": name, **facts})


def only_value(query: QueryDict, name: str) -> str | None:
    """The parameter's one value, None where it is absent. Raises ApiError if it came twice."""
    values = query.getlist(name)
    if len(values) > 1:
        raise refuse(name, f"{name} takes one value; {len(values)} came.", provided=values)
    return values[0] if values else None


class WordsWidget(forms.Widget):
    """Reads a list from repeated keys, commas and spaces alike."""

    def value_from_datadict(self, data: Any, _files: Any, name: str) -> list[str]:
        words = [word for value in data.getlist(name) for word in re.split(r"[,\s]+", value) if word]
        return list(dict.fromkeys(words))


class WordsField(forms.Field):
    widget = WordsWidget


class WordsFilter(filters.Filter):  # type: ignore[misc]
    """A list of words: OR inside, AND with other parameters."""

    field_class = WordsField


def _one_of(*choices: str, about: str, method: str) -> filters.ChoiceFilter:
    return filters.ChoiceFilter(
        choices=[(choice, choice) for choice in choices], method=method, label=about, empty_label=None
    )


_ORGANISATION_SCHEMA = {
    "type": "array",
    "items": {"type": "string", "example": "anthropic"},
    "description": "Ids of organisations, matched exactly; repeated, or parted by commas or spaces.",
}


class GatewayModelFilter(filters.FilterSet):  # type: ignore[misc]
    """The parameters of the published list that choose models, and `availability`."""

    organisation = extend_schema_field(_ORGANISATION_SCHEMA)(WordsFilter(method="by_organisations"))
    availability = _one_of(
        "active", "all", method="keep", about="`all` adds listed models that nothing can serve now."
    )
    privacy_scope = _one_of("shared", "team", method="in_scope", about="`team` is not implemented: 501.")
    format = _one_of("json", method="keep", about="Of the answer.")
    feed = _one_of("json", method="keep", about="Another name of `format`.")

    class Meta:
        model = PublishedModel
        fields: list[str] = []

    def __init__(self, *args: Any, at: datetime, live: Switches, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at = at
        self.live = live

    def filter_queryset(self, queryset: Any) -> Any:
        narrowed = super().filter_queryset(queryset)
        if self.form.cleaned_data["availability"] == "all":
            return narrowed.listed(self.at)
        return narrowed.routable(self.at, self.live.provider_ids)

    def by_organisations(
        self, queryset: QuerySet[PublishedModel], name: str, value: list[str]
    ) -> QuerySet[PublishedModel]:
        unknown = [word for word in value if word not in PUBLISHED_ORGANISATIONS]
        if unknown:
            known = set(Organisation.objects.values_list("id", flat=True)) | PUBLISHED_ORGANISATIONS
            _check_known(name, unknown, known)
        return queryset.filter(organisation_id__in=value)

    def in_scope(self, queryset: QuerySet[PublishedModel], name: str, value: str) -> QuerySet[PublishedModel]:
        if value == "team":
            raise ApiError(
                "privacy_scope=team is not implemented; use privacy_scope=shared.",
                status=501,
                code="models_privacy_scope_not_implemented",
                param=name,
                extra={"privacy_scope": value},
            )
        return queryset

    def keep(self, queryset: QuerySet[PublishedModel], _name: str, _value: str) -> QuerySet[PublishedModel]:
        """For parameters that narrow nothing by themselves."""
        return queryset


class StrictFilterBackend(filters.DjangoFilterBackend):  # type: ignore[misc]
    """Refuses what it does not know and what has no value: a wish is never dropped in silence."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        filterset = self.get_filterset(request, queryset, view)
        _check_names(request.query_params, sorted({*filterset.filters, *view.pagination_class.parameters}))
        _check_values(request.query_params, filterset)
        return filterset.qs

    def get_filterset_kwargs(self, request: Request, queryset: Any, view: Any) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_filterset_kwargs(request, queryset, view)
        return kwargs | {"at": view.at, "live": view.live}


def _check_known(name: str, words: Sequence[str], known: set[str]) -> None:
    for word in words:
        if word not in known:
            message = f"{name}: there is no organisation {word!r}. Organisations are given by id."
            raise refuse(name, message, provided=word, allowed=sorted(known))


def _check_names(query: QueryDict, allowed: list[str]) -> None:
    for name in query:
        if name not in allowed:
            fault = "is not supported yet" if name in NOT_YET else "does not exist"
            message = f"The parameter {name!r} {fault}. Parameters are {', '.join(allowed)}."
            raise refuse(
                name, message, code="unknown_parameter", provided=query.getlist(name), allowed=allowed
            )


def _check_values(query: QueryDict, filterset: Any) -> None:
    for name in query:
        choice = filterset.filters.get(name)
        if isinstance(choice, WordsFilter):
            _check_words(query, name)
        elif choice is not None:
            _check_choice(name, only_value(query, name), [value for value, _ in choice.extra["choices"]])


def _check_words(query: QueryDict, name: str) -> None:
    if not WordsWidget().value_from_datadict(query, {}, name):
        raise refuse(
            name, f"{name} came without a value; leave it out instead.", provided=query.getlist(name)
        )


def _check_choice(name: str, value: str | None, allowed: list[str]) -> None:
    if value not in allowed:
        message = f"{name} must be one of {', '.join(allowed)}; {value!r} came."
        raise refuse(name, message, provided=value, allowed=allowed)
