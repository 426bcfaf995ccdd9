"""The catalogue's records as clients and the API document see them, field by field."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from catalogue.api.examples import (
    ENDPOINTS_EXAMPLE,
    GATEWAY_MODEL_EXAMPLE,
    GATEWAY_MODELS_EXAMPLE,
    GOOGLE_MODEL_EXAMPLE,
    MODEL_EXAMPLE,
)
from catalogue.api.health_serializers import LiveHealthSerializer, PercentilesSerializer
from catalogue.lifecycle.status import Status
from catalogue.models import Model
from gateway.core.choice_field import ChoiceField
from providers.models import Provider

_STATUSES = [status.value for status in Status]
_DATE = "YYYY-MM-DD, or with a time of day where one was set."
_PRICE = "USD for one single unit, an exact decimal in plain notation."


def _words(about: str, *, required: bool = True) -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(), help_text=about, required=required)


def _price() -> serializers.CharField:
    return serializers.CharField(allow_null=True, help_text=_PRICE)


def _date() -> serializers.CharField:
    return serializers.CharField(allow_null=True, help_text=_DATE)


class LifecycleSerializer(serializers.Serializer[Any]):
    status = ChoiceField(_STATUSES, help_text="Derived from the dates.")
    deprecation_date = _date()
    retirement_date = _date()
    replacement_model_id = serializers.CharField(allow_null=True, help_text="What to use instead.")
    message = serializers.CharField(allow_null=True, help_text="For people; null while active.")


class ModelProviderSerializer(serializers.Serializer[Any]):
    api_provider_id = serializers.CharField()
    is_active_gateway = serializers.BooleanField(help_text="Whether it can serve the model now.")
    params = _words("Parameters that it takes.")


class ArchitectureSerializer(serializers.Serializer[Any]):
    modality = serializers.CharField(allow_null=True)
    input_modalities = _words("Such as text, image.")
    output_modalities = _words("Such as text.")
    tokenizer = serializers.CharField(allow_null=True)
    instruct_type = serializers.CharField(allow_null=True, help_text="Such as chat or embedding.")


class TopProviderSerializer(serializers.Serializer[Any]):
    context_length = serializers.IntegerField(allow_null=True, help_text="Tokens.")
    max_completion_tokens = serializers.IntegerField(allow_null=True)
    is_moderated = serializers.BooleanField()


class PricingSerializer(serializers.Serializer[Any]):
    prompt = _price()
    completion = _price()
    request = _price()
    image = _price()
    input_cache_read = _price()
    input_cache_write = _price()
    web_search = _price()


class MeterSerializer(serializers.Serializer[Any]):
    provider_id = serializers.CharField()
    unit = serializers.CharField()
    unit_size = serializers.IntegerField(help_text="How many units the provider sells at a time.")
    price_per_unit = serializers.CharField(help_text=_PRICE)
    currency = serializers.CharField()


class PricingDetailSerializer(serializers.Serializer[Any]):
    pricing_plan = serializers.CharField()
    provider_id = serializers.CharField(
        allow_null=True, help_text="Whose prices and limits these are: the top provider."
    )
    upstream_name = serializers.CharField(allow_null=True, help_text="What that provider calls the model.")
    meters = serializers.DictField(child=MeterSerializer(), help_text="By meter; only those with a price.")


class PriceSpanSerializer(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python's."""
        return {
            "from": serializers.CharField(help_text=_PRICE),
            "to": serializers.CharField(help_text=_PRICE),
        }


class TokenSpanSerializer(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.IntegerField(), "to": serializers.IntegerField()}


class HeadlineSerializer(serializers.Serializer[Any]):
    """Over all offerings that a call could go to, the range of what they ask and take. What lists are sorted by."""

    over = ChoiceField(
        ["callable", "all"], help_text="`all`: no call could go anywhere now, so it is over all offerings."
    )
    offerings = serializers.IntegerField(help_text="How many they are.")
    is_free = serializers.BooleanField(
        allow_null=True,
        help_text="Whether no meter of any of them charges anything. Null: no price is known.",
    )
    prompt = PriceSpanSerializer(allow_null=True)
    completion = PriceSpanSerializer(allow_null=True)
    input_cache_read = PriceSpanSerializer(allow_null=True)
    context_length = TokenSpanSerializer(allow_null=True)


class RouteConditionsSerializer(serializers.Serializer[Any]):
    """All that is said has to hold. Null and empty: it does not matter."""

    is_streamed = serializers.BooleanField(allow_null=True)
    has_tools = serializers.BooleanField(allow_null=True)
    input_types = _words("One of these in its input; text: nothing else.")
    input_tokens_from = serializers.IntegerField(allow_null=True)
    input_tokens_below = serializers.IntegerField(allow_null=True)
    endpoints = _words("Called at one of these.")
    is_for_some_teams = serializers.BooleanField(help_text="Only for keys of some team or project.")


class RouteMemberSerializer(serializers.Serializer[Any]):
    model_id = serializers.CharField()
    provider_id = serializers.CharField(allow_null=True, help_text="Only there; null: wherever it runs.")
    tier = serializers.IntegerField(help_text="The lowest is tried first.")
    weight = serializers.IntegerField(help_text="Its share of the tier; 0: it takes no calls.")
    canary_percent = serializers.IntegerField(
        allow_null=True, help_text="Of a hundred calls, before all tiers; null: it is no canary."
    )
    conditions = RouteConditionsSerializer()
    text = serializers.CharField(help_text="The same for people.")


class RouteSerializer(serializers.Serializer[Any]):
    fallback_on = _words("Troubles with a request for which its next member answers, unasked.")
    members = RouteMemberSerializer(many=True)


@extend_schema_serializer(examples=[OpenApiExample("model", GATEWAY_MODEL_EXAMPLE)])
class GatewayModelSerializer(serializers.Serializer[Any]):
    """A model with all that is known of it. Unknown is null.

    `pricing` and `top_provider` are those of one offering, which `pricing_detail` names. What is said of a named route
    is so whichever of its members answers; its offerings and prices are theirs.
    """

    id = serializers.CharField()
    canonical_slug = serializers.CharField()
    model_id = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField(allow_null=True)
    created = serializers.IntegerField(allow_null=True, help_text="Unix seconds of the release.")
    release_date = _date()
    deprecation_date = _date()
    retirement_date = _date()
    status = ChoiceField(_STATUSES)
    lifecycle = LifecycleSerializer()
    organisation_id = serializers.CharField()
    organisation_name = serializers.CharField(allow_null=True)
    organisation_colour = serializers.CharField(allow_null=True, help_text="Such as #d97757.")
    aliases = _words("Other names of the model.")
    endpoints = _words("Such as chat.completions.")
    input_types = _words("Such as text, image.")
    output_types = _words("Such as text.")
    providers = ModelProviderSerializer(many=True)
    supported_params = _words("What any of its providers takes.")
    supported_parameters = _words("The same as supported_params.")
    architecture = ArchitectureSerializer()
    top_provider_id = serializers.CharField(allow_null=True)
    top_provider = TopProviderSerializer()
    pricing = PricingSerializer()
    pricing_detail = PricingDetailSerializer()
    headline = HeadlineSerializer()
    per_request_limits = serializers.DictField(allow_null=True)
    reasoning_tier = ChoiceField(Model.ReasoningTier.values, allow_null=True)
    open_weights = serializers.BooleanField(
        allow_null=True, help_text="Whether its weights can be downloaded."
    )
    licence = serializers.CharField(allow_null=True, help_text="Of the weights, such as Apache-2.0.")
    knowledge_cutoff = serializers.DateField(
        allow_null=True, help_text="The last day its training data covers."
    )
    is_routable = serializers.BooleanField(help_text="Whether it can be called now.")
    kind = ChoiceField(Model.Kind.choices, help_text="`route`: a named route, for which models answer.")
    route = RouteSerializer(allow_null=True, help_text="Who answers for a named route; null of a model.")


class ListedModelSerializer(GatewayModelSerializer):
    """A model of a list: all of its fields, or those that `fields` asks for."""

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for field in fields.values():
            field.required = False
        return fields


class WarningSerializer(serializers.Serializer[Any]):
    param = serializers.CharField()
    provided = serializers.CharField()
    message = serializers.CharField()


@extend_schema_serializer(many=False, examples=[OpenApiExample("page", GATEWAY_MODELS_EXAMPLE)])
class GatewayModelListSerializer(serializers.Serializer[Any]):
    """One page of models."""

    ok = serializers.BooleanField()
    privacy_scope = ChoiceField(["shared", "team"])
    limit = serializers.IntegerField(min_value=1, max_value=250)
    offset = serializers.IntegerField(min_value=0)
    total = serializers.IntegerField(min_value=0, help_text="Matches on all pages.")
    models = ListedModelSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="For `cursor`; null on the last page.")
    warnings = WarningSerializer(many=True, help_text="Values that no published model has.")


class HealthSerializer(serializers.Serializer[Any]):
    """Of the last 24 hours, and `now`. Null where nothing was measured."""

    probe = ChoiceField(Provider.Health.choices, help_text="Of the provider's last probe.")
    calls = serializers.IntegerField()
    success_rate = serializers.FloatField(allow_null=True, help_text="0 to 1.")
    probe_uptime = serializers.FloatField(allow_null=True, help_text="0 to 1.")
    latency_ms = PercentilesSerializer(
        allow_null=True, help_text="To the first token of streams, else to the end."
    )
    throughput = PercentilesSerializer(allow_null=True, help_text="Output tokens a second.")
    now = LiveHealthSerializer()


class OfferingPriceSerializer(serializers.Serializer[Any]):
    meter = serializers.CharField()
    plan = serializers.CharField(help_text="Such as standard, batch, flex, priority.")
    unit = serializers.CharField()
    unit_size = serializers.IntegerField(help_text="How many units the provider sells at a time.")
    price_per_unit = serializers.CharField(help_text="An exact decimal in plain notation.")
    currency = serializers.CharField()
    conditions = serializers.ListField(child=serializers.DictField(), help_text="All of them must hold.")
    valid_from = _date()
    valid_to = _date()
    is_current = serializers.BooleanField()


class LimitsSerializer(serializers.Serializer[Any]):
    context_length = serializers.IntegerField(allow_null=True, help_text="Tokens.")
    max_completion_tokens = serializers.IntegerField(allow_null=True)


class OfferingSerializer(serializers.Serializer[Any]):
    """One place where the model runs."""

    provider_id = serializers.CharField()
    provider_name = serializers.CharField()
    upstream_name = serializers.CharField(help_text="What the provider calls the model.")
    is_routable = serializers.BooleanField(help_text="Whether calls can go there now.")
    endpoints = _words("Such as chat.completions.")
    params = _words("Parameters that it takes; none: unknown.")
    supports_streaming = serializers.BooleanField()
    quantization = serializers.CharField(allow_null=True)
    regions = _words("Where the provider runs it, such as eu or us-east-1; global: anywhere. None: unknown.")
    zero_retention = serializers.BooleanField(
        allow_null=True, help_text="Nothing of a call is kept once it is answered. null: unknown."
    )
    collects_data = serializers.BooleanField(
        allow_null=True,
        help_text="What it is sent is used for the provider's own ends, such as training. null: unknown.",
    )
    limits = LimitsSerializer()
    effective_from = _date()
    effective_to = _date()
    pricing = PricingSerializer()
    prices = OfferingPriceSerializer(many=True)
    health = HealthSerializer()


@extend_schema_serializer(examples=[OpenApiExample("endpoints", ENDPOINTS_EXAMPLE)])
class ModelEndpointsSerializer(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    id = serializers.CharField()
    name = serializers.CharField()
    endpoints = OfferingSerializer(
        many=True, help_text="In static order: where a call goes if all are healthy."
    )


class RefusalSerializer(serializers.Serializer[Any]):
    """Why the list cannot be answered. What is allowed comes as far as it applies."""

    ok = serializers.BooleanField()
    error = serializers.CharField(help_text="Such as invalid_request.")
    code = serializers.CharField(help_text="A stable name to program against.")
    message = serializers.CharField()
    param = serializers.CharField(required=False)
    provided = serializers.JSONField(required=False, help_text="What was sent.")
    allowed = _words("What may come.", required=False)
    minimum = serializers.IntegerField(required=False)
    maximum = serializers.IntegerField(required=False)


@extend_schema_serializer(examples=[OpenApiExample("model", MODEL_EXAMPLE)])
class ModelSerializer(serializers.Serializer[Any]):
    """A model in OpenAI's list form."""

    id = serializers.CharField(help_text="For the `model` field of requests.")
    object = ChoiceField(["model"])
    created = serializers.IntegerField(help_text="Unix seconds of its registration here.")
    owned_by = serializers.CharField(
        help_text="The provider that is asked first; of a named route, its organisation."
    )
    provider = serializers.CharField(help_text="The same.")
    reasoning_tier = ChoiceField(Model.ReasoningTier.values, allow_null=True)
    supports_streaming = serializers.BooleanField()
    shutdown_date = serializers.CharField(allow_null=True, help_text=f"When it retires. {_DATE}")


class ModelListSerializer(serializers.Serializer[Any]):
    object = ChoiceField(["list"])
    data = ModelSerializer(many=True)  # type: ignore[assignment]  # a field here, a property of others


class AnthropicModelSerializer(serializers.Serializer[Any]):
    """A model in Anthropic's list form."""

    type = serializers.CharField(help_text="Always model.")
    id = serializers.CharField()
    display_name = serializers.CharField()
    created_at = serializers.DateTimeField(
        help_text="Its release; its registration here where that is unknown."
    )
    max_input_tokens = serializers.IntegerField(allow_null=True)
    max_tokens = serializers.IntegerField(allow_null=True, help_text="The most it can write.")
    deprecated_at = serializers.DateTimeField(allow_null=True)
    retires_at = serializers.DateTimeField(allow_null=True)


class AnthropicModelListSerializer(serializers.Serializer[Any]):
    data = AnthropicModelSerializer(many=True)  # type: ignore[assignment]  # a field here, a property of others
    has_more = serializers.BooleanField()
    first_id = serializers.CharField(allow_null=True)
    last_id = serializers.CharField(allow_null=True)


@extend_schema_serializer(examples=[OpenApiExample("model", GOOGLE_MODEL_EXAMPLE)])
class GoogleModelSerializer(serializers.Serializer[Any]):
    """A model in Google's list form. What is unknown is left out."""

    name = serializers.CharField(help_text="Its id behind `models/`.")
    baseModelId = serializers.CharField()  # noqa: N815  # Google's name, as those below
    version = serializers.CharField(help_text="The day of its release, else 1.")
    displayName = serializers.CharField()  # noqa: N815
    description = serializers.CharField(required=False)
    inputTokenLimit = serializers.IntegerField(required=False)  # noqa: N815
    outputTokenLimit = serializers.IntegerField(required=False)  # noqa: N815
    supportedGenerationMethods = serializers.ListField(child=serializers.CharField())  # noqa: N815
    thinking = serializers.BooleanField(required=False, help_text="Present where the model reasons.")


@extend_schema_serializer(many=False, examples=[OpenApiExample("page", {"models": [GOOGLE_MODEL_EXAMPLE]})])
class GoogleModelListSerializer(serializers.Serializer[Any]):
    models = GoogleModelSerializer(many=True)
    nextPageToken = serializers.CharField(required=False, help_text="Absent on the last page.")  # noqa: N815


class OrganisationSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="For the `organisation` parameter.")
    name = serializers.CharField()
    colour = serializers.CharField(allow_null=True, help_text="Such as #d97757.")
    country_code = serializers.CharField(allow_null=True, help_text="ISO 3166-1 alpha-2.")
    website = serializers.CharField(allow_null=True)
    models = serializers.IntegerField(help_text="How many of its models can be called now.")


class ProviderSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="For the `provider` parameter.")
    name = serializers.CharField()
    website = serializers.CharField(allow_null=True)
    is_routable = serializers.BooleanField(help_text="Whether calls can go there now.")
    health = ChoiceField(Provider.Health.choices, help_text="As the last probe found.")
    models = serializers.IntegerField(help_text="How many models can be called there now.")


class WordSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="For the parameter of the same name as this list.")
    models = serializers.IntegerField(help_text="How many models that can be called now have it.")
