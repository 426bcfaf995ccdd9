"""The catalogue's records as clients and the API document see them, field by field."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from catalogue.lifecycle import Status
from catalogue.models import Model, PublishedModel
from catalogue.record import listing, record

_STATUSES = [status.value for status in Status]
_DATE = "YYYY-MM-DD, or with a time of day where one was set."
_PRICE = "USD for one single unit, an exact decimal in plain notation."
_PARAMS = ["max_tokens", "stream", "temperature", "tools"]
_DATES: dict[str, Any] = {"release_date": "2025-10-15", "deprecation_date": None, "retirement_date": None}

GATEWAY_MODEL_EXAMPLE: dict[str, Any] = {
    "id": "anthropic/claude-haiku-4.5",
    "canonical_slug": "anthropic/claude-haiku-4.5",
    "model_id": "anthropic/claude-haiku-4.5",
    "name": "Claude Haiku 4.5",
    "description": None,
    "created": 1760486400,
    **_DATES,
    "status": "active",
    "lifecycle": {
        "status": "active",
        "deprecation_date": None,
        "retirement_date": None,
        "replacement_model_id": None,
        "message": None,
    },
    "organisation_id": "anthropic",
    "organisation_name": "Anthropic",
    "organisation_colour": "#d97757",
    "aliases": ["claude-haiku-4-5"],
    "endpoints": ["chat.completions"],
    "input_types": ["image", "text"],
    "output_types": ["text"],
    "providers": [{"api_provider_id": "anthropic", "is_active_gateway": True, "params": _PARAMS}],
    "supported_params": _PARAMS,
    "supported_parameters": _PARAMS,
    "architecture": {
        "modality": "image+text->text",
        "input_modalities": ["image", "text"],
        "output_modalities": ["text"],
        "tokenizer": None,
        "instruct_type": "chat",
    },
    "top_provider_id": "anthropic",
    "top_provider": {"context_length": 200000, "max_completion_tokens": 64000, "is_moderated": False},
    "pricing": {
        "prompt": "0.000001",
        "completion": "0.000005",
        "request": None,
        "image": None,
        "input_cache_read": "0.0000001",
        "input_cache_write": None,
        "web_search": None,
    },
    "pricing_detail": {
        "pricing_plan": "standard",
        "meters": {
            "input_text_tokens": {
                "provider_id": "anthropic",
                "unit": "token",
                "unit_size": 1000000,
                "price_per_unit": "0.000001",
                "currency": "USD",
            }
        },
    },
    "per_request_limits": None,
}
REFUSAL_EXAMPLE: dict[str, Any] = {
    "ok": False,
    "error": "invalid_request",
    "code": "invalid_value",
    "message": "limit must be a whole number from 1 to 250; '500' came.",
    "param": "limit",
    "provided": "500",
    "minimum": 1,
    "maximum": 250,
}
MODEL_EXAMPLE: dict[str, Any] = {
    "id": "anthropic/claude-haiku-4.5",
    "object": "model",
    "created": 1795305600,
    "owned_by": "anthropic",
    "provider": "anthropic",
    "reasoning_tier": None,
    "supports_streaming": True,
    "shutdown_date": None,
}


def _words(about: str, *, required: bool = True) -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(), help_text=about, required=required)


def _price() -> serializers.CharField:
    return serializers.CharField(allow_null=True, help_text=_PRICE)


def _date() -> serializers.CharField:
    return serializers.CharField(allow_null=True, help_text=_DATE)


class LifecycleSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(_STATUSES, help_text="Derived from the dates.")
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
    meters = serializers.DictField(child=MeterSerializer(), help_text="By meter; only those with a price.")


@extend_schema_serializer(examples=[OpenApiExample("model", GATEWAY_MODEL_EXAMPLE)])
class GatewayModelSerializer(serializers.Serializer[PublishedModel]):
    """A model with all that is known of it. Unknown is null. Prices are those of the top provider."""

    id = serializers.CharField()
    canonical_slug = serializers.CharField()
    model_id = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField(allow_null=True)
    created = serializers.IntegerField(allow_null=True, help_text="Unix seconds of the release.")
    release_date = _date()
    deprecation_date = _date()
    retirement_date = _date()
    status = serializers.ChoiceField(_STATUSES)
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
    per_request_limits = serializers.DictField(allow_null=True)

    def to_representation(self, instance: PublishedModel) -> dict[str, Any]:
        view = self.context["view"]
        return super().to_representation(record(instance.content, view.at, view.live))  # type: ignore[arg-type]


class RefusalSerializer(serializers.Serializer[Any]):
    """Why the list cannot be answered. What is allowed comes as far as it applies."""

    ok = serializers.BooleanField()
    error = serializers.CharField(help_text="Such as invalid_request.")
    code = serializers.CharField(help_text="A stable name to program against.")
    message = serializers.CharField()
    param = serializers.CharField(required=False)
    provided = serializers.JSONField(required=False, help_text="What came.")
    allowed = _words("What may come.", required=False)
    minimum = serializers.IntegerField(required=False)
    maximum = serializers.IntegerField(required=False)


@extend_schema_serializer(examples=[OpenApiExample("model", MODEL_EXAMPLE)])
class ModelSerializer(serializers.Serializer[PublishedModel]):
    """A model in OpenAI's list form."""

    id = serializers.CharField(help_text="For the `model` field of requests.")
    object = serializers.ChoiceField(["model"])
    created = serializers.IntegerField(help_text="Unix seconds of its registration here.")
    owned_by = serializers.CharField(help_text="The provider that is asked first.")
    provider = serializers.CharField(help_text="The same.")
    reasoning_tier = serializers.ChoiceField(Model.ReasoningTier.values, allow_null=True)
    supports_streaming = serializers.BooleanField()
    shutdown_date = serializers.CharField(allow_null=True, help_text=f"When it retires. {_DATE}")

    def to_representation(self, instance: PublishedModel) -> dict[str, Any]:
        view = self.context["view"]
        return super().to_representation(listing(instance.content, view.at, view.live))  # type: ignore[arg-type]


class ModelListSerializer(serializers.Serializer[Any]):
    object = serializers.ChoiceField(["list"])
    data = ModelSerializer(many=True)  # type: ignore[assignment]  # a field here, a property of others
