"""How alert channels and their deliveries are written as JSON, and what may be sent about them."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.alerts.kinds import FOR_TEAMS
from accounts.models import AlertChannel, AlertDelivery
from accounts.serializers import PageSerializer, StrictSerializer
from gateway.core.choice_field import ChoiceField

_ADDRESS = (
    "A webhook's or a chat's URL, https and public; of `mail`, addresses with commas between them. It is never told "
    "again."
)


class ChannelChangesSerializer(StrictSerializer):
    """What may change of an alert channel."""

    name = serializers.CharField(max_length=100)
    address = serializers.CharField(max_length=1_000, help_text=_ADDRESS)
    kinds = serializers.ListField(
        child=ChoiceField(choices=list(FOR_TEAMS)),
        max_length=len(FOR_TEAMS),
        required=False,
        help_text="The kinds of alerts that go there; none: all.",
    )
    is_active = serializers.BooleanField(
        required=False, help_text="true: it is tried again, also where it was switched off by itself."
    )


class NewChannelSerializer(StrictSerializer):
    """What an alert channel is made from."""

    kind = ChoiceField(choices=AlertChannel.Kind.choices)
    name = serializers.CharField(max_length=100)
    address = serializers.CharField(max_length=1_000, help_text=_ADDRESS)
    kinds = serializers.ListField(
        child=ChoiceField(choices=list(FOR_TEAMS)),
        max_length=len(FOR_TEAMS),
        required=False,
        help_text="The kinds of alerts that go there; none: all.",
    )


class ChannelSerializer(serializers.ModelSerializer[AlertChannel]):
    """Where a team wants its alerts to go."""

    id = serializers.CharField(source="public_id", read_only=True)
    object = serializers.SerializerMethodField()
    team = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    address = serializers.CharField(
        source="shown", read_only=True, help_text="What may be seen of it: a path may hold a key."
    )
    kinds = serializers.ListField(child=serializers.CharField(), read_only=True, help_text="None: all.")
    disabled_because = serializers.CharField(
        read_only=True, help_text="Why it was switched off by itself; empty: it was not."
    )
    failing_since = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="null: it took what it got last."
    )
    delivered_at = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="When it took something last."
    )
    former_secret_until = serializers.DateTimeField(
        source="former_until",
        read_only=True,
        allow_null=True,
        help_text="So long the secret before its last rotation signs, too.",
    )

    class Meta:
        model = AlertChannel
        fields = [
            "id",
            "object",
            "team",
            "name",
            "kind",
            "address",
            "kinds",
            "is_active",
            "disabled_because",
            "failing_since",
            "delivered_at",
            "former_secret_until",
            "created_at",
        ]
        read_only_fields = fields

    def get_object(self, channel: AlertChannel) -> str:  # noqa: ARG002  # the framework's signature
        return "alert_channel"


class NewChannelAnswerSerializer(ChannelSerializer):
    """A channel with the secret that signs what a webhook gets: shown once, and null for others."""

    secret = serializers.CharField(allow_null=True, read_only=True)

    class Meta(ChannelSerializer.Meta):
        fields = [*ChannelSerializer.Meta.fields, "secret"]
        read_only_fields = fields


class TrySerializer(serializers.Serializer[Any]):
    """One try of a delivery."""

    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True, help_text="HTTP's; null: no answer came.")
    problem = serializers.CharField(allow_blank=True, help_text="Empty: it was taken.")
    took_ms = serializers.IntegerField(required=False)


class DeliverySerializer(serializers.ModelSerializer[AlertDelivery]):
    """One alert to one channel."""

    id = serializers.CharField(source="pk", read_only=True)
    object = serializers.SerializerMethodField()
    event = serializers.CharField(
        source="alert.public_id", read_only=True, help_text="The `webhook-id`, the same in every try."
    )
    type = serializers.CharField(source="alert.kind", read_only=True)
    title = serializers.CharField(source="alert.title", read_only=True)
    next_try_at = serializers.SerializerMethodField(help_text="null: it is not tried again.")
    tries = serializers.ListField(source="log", child=TrySerializer(), read_only=True)

    class Meta:
        model = AlertDelivery
        fields = [
            *("id", "object", "event", "type", "title", "state"),
            *("next_try_at", "delivered_at", "created_at", "tries"),
        ]
        read_only_fields = fields

    def get_object(self, delivery: AlertDelivery) -> str:  # noqa: ARG002  # the framework's signature
        return "alert_delivery"

    def get_next_try_at(self, delivery: AlertDelivery) -> str | None:
        is_waiting = delivery.state == AlertDelivery.State.WAITING
        return delivery.due_at.isoformat().replace("+00:00", "Z") if is_waiting else None


@extend_schema_serializer(many=False)
class ChannelListSerializer(PageSerializer):
    """One page of alert channels."""

    data = ChannelSerializer(many=True)  # type: ignore[assignment]  # its own name for a field


@extend_schema_serializer(many=False)
class DeliveryListSerializer(PageSerializer):
    """One page of deliveries."""

    data = DeliverySerializer(many=True)  # type: ignore[assignment]  # its own name for a field
