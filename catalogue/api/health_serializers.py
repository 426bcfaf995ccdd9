"""How offerings do, as answers have it: for the API document."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from providers.breaker import CLOSED, HALF_OPEN, OPEN
from providers.breaker_models import Cause
from providers.live_health import WINDOWS
from providers.models import Provider

_BREAKER = "closed: calls go there; open: none do; half_open: one call is let through to find out."
_CAUSE = "Why it is not closed; null where it is."
STATUSES = ["ok", "degraded", "down"]
_STATES = [CLOSED, OPEN, HALF_OPEN]


class PercentilesSerializer(serializers.Serializer[Any]):
    p50 = serializers.FloatField()
    p90 = serializers.FloatField()
    p99 = serializers.FloatField()


class WindowSerializer(serializers.Serializer[Any]):
    """Callers' own mistakes are left out. Null where nothing was measured."""

    calls = serializers.IntegerField()
    success_rate = serializers.FloatField(allow_null=True, help_text="0 to 1.")
    connect_failures = serializers.IntegerField(help_text="No connection was made.")
    failures = serializers.DictField(
        child=serializers.IntegerField(), help_text="How many of each kind, such as timeout."
    )
    latency_ms = PercentilesSerializer(allow_null=True, help_text="To the end of the answer.")
    first_token_ms = PercentilesSerializer(allow_null=True, help_text="Of streams.")
    throughput = PercentilesSerializer(allow_null=True, help_text="Output tokens a second.")


WindowsSerializer = type(
    "WindowsSerializer", (serializers.Serializer,), {name: WindowSerializer() for name in WINDOWS}
)


class LiveHealthSerializer(serializers.Serializer[Any]):
    """At this moment, as routing has it: what all processes saw of calls by the gateway's own credentials."""

    breaker = serializers.ChoiceField(_STATES, help_text=_BREAKER)
    cause = serializers.ChoiceField(Cause.choices, allow_null=True, help_text=_CAUSE)
    until = serializers.DateTimeField(allow_null=True, help_text="When the next call is let through.")
    success_rate = serializers.FloatField(help_text="0 to 1; old failures fade.")
    latency_ms = serializers.FloatField(allow_null=True, help_text="On average, the newest calls most.")
    windows = WindowsSerializer(help_text="The last 1, 5 and 30 minutes.")


class OfferingStatusSerializer(serializers.Serializer[Any]):
    provider = serializers.CharField()
    upstream_name = serializers.CharField()
    probe = serializers.ChoiceField(Provider.Health.choices, help_text="Of the provider's last probe.")
    breaker = serializers.ChoiceField(_STATES, help_text=_BREAKER)
    cause = serializers.ChoiceField(Cause.choices, allow_null=True, help_text=_CAUSE)
    until = serializers.DateTimeField(allow_null=True, help_text="When the next call is let through.")
    success_rate = serializers.FloatField(help_text="0 to 1; old failures fade.")
    avg_latency_ms = serializers.FloatField(allow_null=True)
    calls_5m = serializers.IntegerField(help_text="In the last 5 minutes.")


class ModelStatusSerializer(serializers.Serializer[Any]):
    provider = serializers.CharField(help_text="Of the offering that does best.")
    healthy = serializers.BooleanField(
        help_text="Some offering's breaker is closed, and its provider not unhealthy."
    )
    success_rate = serializers.FloatField(
        help_text="0 to 1, of the offering that does best; old failures fade."
    )
    avg_latency_ms = serializers.FloatField(allow_null=True, help_text="Null: nothing was measured.")
    in_cooldown = serializers.BooleanField(help_text="The breakers of all offerings are open.")
    cooldown_until = serializers.DateTimeField(
        allow_null=True, help_text="When the first of them lets a call through."
    )
    daily_requests = serializers.IntegerField(help_text="By all teams, since midnight UTC.")
    daily_limit = serializers.IntegerField(
        allow_null=True, help_text="The operator's quotas a day; null: none."
    )
    offerings = OfferingStatusSerializer(many=True)


STATUS_EXAMPLE: dict[str, Any] = {
    "status": "ok",
    "models": {
        "anthropic/claude-haiku-4.5": {
            "provider": "anthropic",
            "healthy": True,
            "success_rate": 0.9992,
            "avg_latency_ms": 412.0,
            "in_cooldown": False,
            "cooldown_until": None,
            "daily_requests": 1204,
            "daily_limit": None,
            "offerings": [
                {
                    "provider": "anthropic",
                    "upstream_name": "claude-haiku-4-5-20251001",
                    "probe": "healthy",
                    "breaker": "closed",
                    "cause": None,
                    "until": None,
                    "success_rate": 0.9992,
                    "avg_latency_ms": 412.0,
                    "calls_5m": 61,
                }
            ],
        }
    },
}


@extend_schema_serializer(examples=[OpenApiExample("status", STATUS_EXAMPLE)])
class RoutingStatusSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(STATUSES, help_text="All models are healthy, some are not, none is.")
    models = serializers.DictField(child=ModelStatusSerializer(), help_text="By the model's id.")
