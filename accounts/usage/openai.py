"""OpenAI's `/v1/organization/usage/{completions,embeddings}` and `/v1/organization/costs`, for a team in its place.

Source: the types of the openai package, `openai/types/admin/organization`. A project is told by its slug, a user by
the user name, a key by the id of the first of its lineage; a line item is a model, and what it costs is the charge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Team
from accounts.money import usd_of
from accounts.serializers import StrictSerializer
from accounts.usage.access import UsageView
from accounts.usage.names import columns_of, find_values, name_groups
from accounts.usage.parameters import GROUPS, check_groups, check_values, read_words
from accounts.usage.question import Filters, Question
from accounts.usage.reader import read_usage
from accounts.usage.times import HOUR, WHOLE_DAY
from gateway.core.choice_field import ChoiceField
from gateway.core.refusals import InvalidField

_EMBEDDINGS = "embeddings"
_OURS = {
    "project_id": "project",
    "user_id": "member",
    "api_key_id": "key",
    "model": "model",
    "line_item": "model",
}
"""By OpenAI's names, what is told apart here."""
_CONSTANT: Mapping[str, Any] = {"batch": False, "service_tier": None, "api_source": "unlabeled"}
"""What all calls here have in common."""
_WIDTHS_S = {WHOLE_DAY: 86_400, HOUR: 3_600}
_LIMITS = {WHOLE_DAY: (7, 31), HOUR: (24, 168)}
"""By width of a bucket: how many there are on a page, where nothing is said and at most."""
_LAST = 4_102_444_800
_PAGE = "page_"


def _instant(**terms: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=946_684_800, max_value=_LAST - 1, **terms)


def _words(help_text: str = "") -> serializers.CharField:
    return serializers.CharField(required=False, help_text=help_text)


class _Parameters(StrictSerializer):
    team = serializers.SlugField(required=False, help_text="A slug; ours, for people and staff.")
    start_time = _instant(help_text="Unix seconds, inclusive.")
    end_time = _instant(required=False, help_text="Unix seconds, exclusive.")
    limit = serializers.IntegerField(min_value=1, required=False, help_text="Buckets of a page.")
    page = serializers.CharField(required=False, help_text="`next_page` of the page before.")
    group_by = _words()
    project_ids = _words("Slugs.")
    api_key_ids = _words("Ids of keys.")


class UsageParameters(_Parameters):
    """The query of usage, as OpenAI has it; lists may be repeated, with or without brackets."""

    bucket_width = ChoiceField(choices=["1m", HOUR, WHOLE_DAY], default=WHOLE_DAY)
    user_ids = _words("User names.")
    models = _words()


class CompletionsParameters(UsageParameters):
    """The query of usage of language models."""

    batch = serializers.BooleanField(required=False, allow_null=True, default=None)


class CostsParameters(_Parameters):
    """The query of costs, as OpenAI has it; lists may be repeated, with or without brackets."""

    bucket_width = ChoiceField(choices=[WHOLE_DAY], default=WHOLE_DAY)
    line_items = _words("Models.")


class _GroupsSerializer(serializers.Serializer[Any]):
    project_id = serializers.CharField(allow_null=True)
    user_id = serializers.CharField(allow_null=True)
    api_key_id = serializers.CharField(allow_null=True)


class CompletionsResultSerializer(_GroupsSerializer):
    object = ChoiceField(choices=["organization.usage.completions.result"])
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    num_model_requests = serializers.IntegerField()
    input_cached_tokens = serializers.IntegerField()
    input_cache_write_tokens = serializers.IntegerField()
    input_uncached_tokens = serializers.IntegerField()
    input_audio_tokens = serializers.IntegerField()
    output_audio_tokens = serializers.IntegerField()
    input_image_tokens = serializers.IntegerField()
    output_image_tokens = serializers.IntegerField()
    model = serializers.CharField(allow_null=True)
    batch = serializers.BooleanField(allow_null=True)
    service_tier = serializers.CharField(allow_null=True)
    api_source = serializers.CharField(allow_null=True)


class EmbeddingsResultSerializer(_GroupsSerializer):
    object = ChoiceField(choices=["organization.usage.embeddings.result"])
    input_tokens = serializers.IntegerField()
    num_model_requests = serializers.IntegerField()
    model = serializers.CharField(allow_null=True)


class AmountSerializer(serializers.Serializer[Any]):
    value = serializers.FloatField()
    currency = serializers.CharField(default="usd")


class CostsResultSerializer(_GroupsSerializer):
    object = ChoiceField(choices=["organization.costs.result"])
    amount = AmountSerializer()
    line_item = serializers.CharField(allow_null=True)
    quantity = serializers.FloatField(allow_null=True)
    quantity_unit = serializers.CharField(allow_null=True)
    api_source = serializers.CharField(allow_null=True)


def _page_of(name: str, result: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    """The envelope of those results, as its own part of the API document."""
    bucket = type(
        f"{name}BucketSerializer",
        (serializers.Serializer,),
        {
            "object": serializers.CharField(default="bucket"),
            "start_time": serializers.IntegerField(),
            "end_time": serializers.IntegerField(),
            "results": result(many=True),
        },
    )
    page = type(
        f"{name}PageSerializer",
        (serializers.Serializer,),
        {
            "object": serializers.CharField(default="page"),
            "data": bucket(many=True),
            "has_more": serializers.BooleanField(),
            "next_page": serializers.CharField(allow_null=True),
        },
    )
    return extend_schema_serializer(many=False)(page)


class _OrganizationView(UsageView):
    """One of OpenAI's three."""

    parameters: ClassVar[type[StrictSerializer]] = UsageParameters
    groups: ClassVar[Sequence[str]]
    filters: ClassVar[Mapping[str, str]] = {
        "project_ids": "project",
        "user_ids": "member",
        "api_key_ids": "key",
        "models": "model",
    }
    """By parameter: what it narrows, in our words."""
    limits: ClassVar[Mapping[str, tuple[int, int]]] = _LIMITS
    narrowed: ClassVar[Filters] = {}
    excluded: ClassVar[Filters] = {}
    """Of which calls it tells, as terms of a Question."""

    def write(self, sums: Mapping[str, int]) -> dict[str, Any]:
        raise NotImplementedError

    def get(self, request: Request) -> Response:  # noqa: ARG002  # the framework's signature
        query = self.query(self.parameters)
        team = self.team_asked(query.get("team"))
        width = query["bucket_width"]
        if width not in _WIDTHS_S:
            message = "bucket_width is '1m'; usage is added up by quarters of an hour: use 1h or 1d."
            raise InvalidField("bucket_width", message)
        step_s = _WIDTHS_S[width]
        low, high = _range(query, step_s)
        begin = _read_page(query["page"], low, high, step_s) if "page" in query else low
        end = min(high, begin + self._limit(query, width) * step_s)
        groups = read_words([query["group_by"]]) if "group_by" in query else []
        check_groups("group_by", groups, self.groups)
        filters = {**self.narrowed, **self._filters(query, team)}
        question = Question(
            begin, end, width, filters=filters, excluded=self.excluded, team_id=team.pk if team else None
        )
        results = {} if query.get("batch") else self._results(question, groups)
        buckets = [
            {"object": "bucket", "start_time": at, "end_time": at + step_s, "results": results.get(at, [])}
            for at in range(begin, end, step_s)
        ]
        next_page = f"{_PAGE}{end}" if end < high else None
        return Response(
            {"object": "page", "data": buckets, "has_more": next_page is not None, "next_page": next_page}
        )

    def _limit(self, query: Mapping[str, Any], width: str) -> int:
        usual, most = self.limits[width]
        limit: int = query.get("limit", usual)
        if limit > most:
            raise InvalidField("limit", f"limit is {limit}; with bucket_width {width} it is {most} at most.")
        return limit

    def _results(self, question: Question, groups: Sequence[str]) -> dict[int, list[dict[str, Any]]]:
        """By start of a bucket."""
        ours = list(dict.fromkeys(_OURS[name] for name in groups if name in _OURS))
        rows = read_usage(replace(question, groups=columns_of(ours)))
        found: dict[int, list[dict[str, Any]]] = {}
        for row, named in zip(rows, name_groups(ours, [row.key[1:] for row in rows]), strict=True):
            told = {name: _CONSTANT[name] if name in _CONSTANT else named[_OURS[name]] for name in groups}
            result = self.write(row.sums) | dict.fromkeys(self.groups) | told
            found.setdefault(row.key[0], []).append(result)
        return found

    def _filters(self, query: Mapping[str, Any], team: Team | None) -> dict[str, Sequence[Any]]:
        return {
            GROUPS[ours]: find_values(ours, check_values(name, read_words([query[name]])), team, param=name)
            for name, ours in self.filters.items()
            if name in query
        }


def _range(query: Mapping[str, Any], width: int) -> tuple[int, int]:
    """The buckets that it touches."""
    end = query.get("end_time", int(timezone.now().timestamp()) + 1)
    if end <= query["start_time"]:
        raise InvalidField("end_time", "end_time must be later than start_time.")
    return query["start_time"] // width * width, -(-end // width) * width


def _read_page(text: str, low: int, high: int, width: int) -> int:
    digits = text.removeprefix(_PAGE)
    if digits.isascii() and digits.isdecimal() and len(digits) < 12:
        start = int(digits)
        if low <= start < high and (start - low) % width == 0:
            return start
    raise InvalidField("page", "page is none of this list: send `next_page` of the page before.")


def _as_openai(name: str, summary: str, result: type[serializers.Serializer[Any]], example: Any) -> Any:
    bucket = {
        "object": "bucket",
        "start_time": 1_777_852_800,
        "end_time": 1_777_939_200,
        "results": [example],
    }
    page = {"object": "page", "data": [bucket], "has_more": False, "next_page": None}

    def describe(view: type[_OrganizationView]) -> type[_OrganizationView]:
        get = extend_schema(
            tags=["usage"],
            operation_id=f"organization_{name}",
            summary=summary,
            parameters=[view.parameters],
            responses=_page_of(f"Organization{name.title()}", result),
            examples=[OpenApiExample("A day", value=page, response_only=True)],
        )
        return extend_schema_view(get=get)(view)

    return describe


@_as_openai(
    "completions",
    "Usage of language models, in OpenAI's form",
    CompletionsResultSerializer,
    {"object": "organization.usage.completions.result", "input_tokens": 120, "output_tokens": 80},
)
class CompletionsView(_OrganizationView):
    """`/v1/organization/usage/completions`."""

    parameters = CompletionsParameters
    groups = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier", "api_source")
    excluded = {"endpoint": [_EMBEDDINGS]}

    def write(self, sums: Mapping[str, int]) -> dict[str, Any]:
        cached, written = sums["cached_read_tokens"], sums["cached_write_tokens"]
        return {
            "object": "organization.usage.completions.result",
            "input_tokens": sums["input_tokens"],
            "output_tokens": sums["output_tokens"],
            "num_model_requests": sums["calls"],
            "input_cached_tokens": cached,
            "input_cache_write_tokens": written,
            "input_uncached_tokens": max(0, sums["input_tokens"] - cached - written),
            "input_audio_tokens": sums["input_audio_tokens"],
            "output_audio_tokens": sums["output_audio_tokens"],
            "input_image_tokens": sums["input_image_tokens"],
            "output_image_tokens": sums["output_image_tokens"],
        }


@_as_openai(
    "embeddings",
    "Usage of embedding models, in OpenAI's form",
    EmbeddingsResultSerializer,
    {"object": "organization.usage.embeddings.result", "input_tokens": 120, "num_model_requests": 3},
)
class EmbeddingsView(_OrganizationView):
    """`/v1/organization/usage/embeddings`."""

    groups = ("project_id", "user_id", "api_key_id", "model")
    narrowed = {"endpoint": [_EMBEDDINGS]}

    def write(self, sums: Mapping[str, int]) -> dict[str, Any]:
        return {
            "object": "organization.usage.embeddings.result",
            "input_tokens": sums["input_tokens"],
            "num_model_requests": sums["calls"],
        }


@_as_openai(
    "costs",
    "What is charged, by day, in OpenAI's form",
    CostsResultSerializer,
    {"object": "organization.costs.result", "amount": {"value": 0.06, "currency": "usd"}},
)
class CostsView(_OrganizationView):
    """`/v1/organization/costs`."""

    parameters = CostsParameters
    groups = ("project_id", "user_id", "line_item", "api_key_id", "api_source")
    filters = {"project_ids": "project", "api_key_ids": "key", "line_items": "model"}
    limits = {WHOLE_DAY: (7, 180)}

    def write(self, sums: Mapping[str, int]) -> dict[str, Any]:
        return {
            "object": "organization.costs.result",
            "amount": {"value": float(usd_of(sums["charge"])), "currency": "usd"},
            "quantity": None,
            "quantity_unit": None,
        }
