"""The words by which the list of models is narrowed, with how many models each would leave."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

from django.http import HttpResponseBase
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.api.conditional import conditional
from catalogue.api.serializers import OrganisationSerializer, ProviderSerializer, WordSerializer
from catalogue.api.views.base import PublishedView, refusals
from catalogue.listing.filters import check_names
from catalogue.listing.pagination import PARAMETERS, cut_page, page_links
from catalogue.listing.vocabulary import count_words
from catalogue.models import Organisation
from providers.models import Provider

_PAGING = [
    OpenApiParameter(name, field.schema, description=about) for name, (field, about) in PARAMETERS.items()
]


class VocabularyView(PublishedView):
    """One list of words. `member` names it in the answer."""

    member: ClassVar[str]
    own_parameters = frozenset(PARAMETERS)

    @conditional
    def list(self, request: Request) -> HttpResponseBase:
        check_names(request, self.own_parameters)
        entries = {entry["id"]: entry for entry in self.entries()}
        page = cut_page(list(entries), request)
        body = {
            "ok": True,
            "limit": page.limit,
            "offset": page.offset,
            "total": page.total,
            self.member: [entries[word] for word in page.ids],
            "next_cursor": page.next_cursor,
        }
        links = page_links(page, request)
        return Response(body, headers={"Link": links} if links else None)

    @abstractmethod
    def entries(self) -> Iterable[dict[str, Any]]:
        """In the order in which they are listed."""


def _page(member: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {"ok": True, "limit": 50, "offset": 0, "total": 1, member: [entry], "next_cursor": None}


def _documented(
    member: str, serializer: type[serializers.Serializer[Any]], summary: str, example: dict[str, Any]
) -> Any:
    fields: dict[str, Any] = {
        "ok": serializers.BooleanField(),
        "limit": serializers.IntegerField(),
        "offset": serializers.IntegerField(),
        "total": serializers.IntegerField(),
        member: serializer(many=True),
        "next_cursor": serializers.CharField(allow_null=True),
    }
    page = type(f"{member.title()}ListSerializer", (serializers.Serializer,), fields)
    return extend_schema_view(
        list=extend_schema(
            tags=["catalogue"],
            operation_id=f"gateway_{member}_list",
            summary=summary,
            parameters=_PAGING,
            examples=[
                OpenApiExample("page", _page(member, example), response_only=True, status_codes=["200"])
            ],
            responses={200: extend_schema_serializer(many=False)(page)}
            | refusals(_400="A parameter is unknown or its value is not allowed."),
        )
    )


@_documented(
    "organisations",
    OrganisationSerializer,
    "List organisations that make models",
    {
        "id": "anthropic",
        "name": "Anthropic",
        "colour": "#cc785c",
        "country_code": "US",
        "website": None,
        "models": 9,
    },
)
class OrganisationViewSet(VocabularyView):
    member = "organisations"

    def entries(self) -> Iterable[dict[str, Any]]:
        counts = count_words(self.reading.snapshot, self.reading.at, lambda model, _: [model.organisation_id])
        for row in Organisation.objects.order_by("pk"):
            yield {
                "id": row.pk,
                "name": row.name,
                "colour": row.colour or None,
                "country_code": row.country_code or None,
                "website": row.website or None,
                "models": counts[row.pk],
            }


@_documented(
    "providers",
    ProviderSerializer,
    "List providers",
    {
        "id": "groq",
        "name": "Groq",
        "website": "https://groq.com",
        "is_routable": True,
        "health": "healthy",
        "models": 8,
    },
)
class ProviderViewSet(VocabularyView):
    member = "providers"

    def entries(self) -> Iterable[dict[str, Any]]:
        counts = count_words(
            self.reading.snapshot, self.reading.at, lambda _, serving: (o.provider_slug for o in serving)
        )
        facts = self.reading.snapshot.providers
        for row in Provider.objects.order_by("slug"):
            yield {
                "id": row.slug,
                "name": row.name,
                "website": row.website or None,
                "is_routable": row.pk in facts and facts[row.pk].is_callable,
                "health": row.health,
                "models": counts[row.slug],
            }


class WordView(VocabularyView):
    """Words of offerings, the commonest first."""

    def entries(self) -> Iterable[dict[str, Any]]:
        counts = count_words(
            self.reading.snapshot,
            self.reading.at,
            lambda _, serving: (word for offering in serving for word in getattr(offering, self.member)),
        )
        for word, models in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])):
            yield {"id": word, "models": models}


@_documented(
    "endpoints",
    WordSerializer,
    "List endpoints that models are offered at",
    {"id": "chat.completions", "models": 97},
)
class EndpointViewSet(WordView):
    member = "endpoints"


@_documented("params", WordSerializer, "List parameters that models take", {"id": "tools", "models": 84})
class ParamViewSet(WordView):
    member = "params"


@_documented("regions", WordSerializer, "List regions that models run in", {"id": "eu", "models": 41})
class RegionViewSet(WordView):
    member = "regions"
