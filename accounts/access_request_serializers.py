"""How access requests are written as JSON, and what may be sent about them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from accounts.access_terms import KINDS, REASON_LENGTH
from accounts.models import AccessRequest
from accounts.serializers import ListParameters, PageSerializer, StrictSerializer
from gateway.core.choice_field import ChoiceField

_ASKED = (
    "By kind. `role`: `role`. `model` and `provider`: the name or pattern under that word, and `key` where it is for "
    "one key. `limit`: `subject`, `subject_id`, `unit`, `window` and the `amount` wanted. `budget`: `subject`, "
    "`subject_id`, `window` and `raise_usd`, how much more."
)
_ASKED_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        **{
            name: {"type": "string"}
            for name in ("role", "model", "provider", "key", "subject", "subject_id", "unit", "window")
        },
        "amount": {"type": "integer"},
        "raise_usd": {"type": "string"},
    },
    "description": _ASKED,
}


@extend_schema_field(_ASKED_SCHEMA)
class AskedField(serializers.DictField):
    """Terms of which accounts.access_terms says what they may be."""


class AccessRequestListParameters(ListParameters):
    """The query of a list of access requests."""

    state = ChoiceField(choices=AccessRequest.State.choices, required=False)


class NewAccessRequestSerializer(StrictSerializer):
    """What is asked for, and why."""

    kind = ChoiceField(choices=list(KINDS))
    asked = AskedField()
    reason = serializers.CharField(max_length=REASON_LENGTH)
    until = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="When it ends by itself. null: never."
    )


class DecisionSerializer(StrictSerializer):
    """What becomes of a request."""

    decision = ChoiceField(choices=["grant", "decline"])
    note = serializers.CharField(max_length=REASON_LENGTH, required=False, allow_blank=True)
    until = serializers.DateTimeField(
        required=False,
        allow_null=True,
        help_text="In place of what was asked. null: it does not end by itself.",
    )


class AccessRequestSerializer(serializers.ModelSerializer[AccessRequest]):
    """That somebody asks for more than they have, and what came of it."""

    id = serializers.CharField(source="public_id", read_only=True)
    object = serializers.SerializerMethodField()
    team = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    asked = AskedField(read_only=True)
    person = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    decided_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = AccessRequest
        fields = [
            "id",
            "object",
            "team",
            "person",
            "kind",
            "asked",
            "summary",
            "reason",
            "decider",
            "state",
            "until",
            "decided_by",
            "decided_at",
            "note",
            "ended_at",
            "created_at",
        ]
        read_only_fields = fields

    def get_object(self, row: AccessRequest) -> str:  # noqa: ARG002  # the framework's signature
        return "access_request"


@extend_schema_serializer(many=False)
class AccessRequestListSerializer(PageSerializer):
    """One page of access requests."""

    data = AccessRequestSerializer(many=True)  # type: ignore[assignment]  # a field, though named as a property
