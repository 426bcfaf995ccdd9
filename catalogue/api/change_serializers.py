"""Changes and histories as the API document sees them, field by field."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from catalogue.changes.model_changes import Kind
from gateway.core.choice_field import ChoiceField

_FIELDS = [
    {"field": "pricing.prompt", "before": "0.000001", "after": "0.0000008"},
    {
        "field": "offerings.anthropic:claude-haiku-4-5-20251001.pricing.input_text_tokens",
        "before": "0.000001",
        "after": "0.0000008",
    },
]
CHANGES_EXAMPLE: dict[str, Any] = {
    "ok": True,
    "from": "2026-10-26T00:00:00Z",
    "to": None,
    "limit": 50,
    "total": 1,
    "changes": [
        {
            "id": "urn:uuid:2b0b3f0e-7a0c-5bb0-8a3b-7a1a3c9d7c11",
            "kind": "repriced",
            "at": "2026-11-01T00:00:00Z",
            "edition": None,
            "model_id": "anthropic/claude-haiku-4.5",
            "model_name": "Claude Haiku 4.5",
            "organisation_id": "anthropic",
            "replacement_model_id": None,
            "summary": "Model 'anthropic/claude-haiku-4.5' has new prices: pricing.prompt 0.000001 → 0.0000008.",
            "fields": _FIELDS,
        }
    ],
    "next_cursor": None,
}
HISTORY_EXAMPLE: dict[str, Any] = {
    "ok": True,
    "id": "anthropic/claude-haiku-4.5",
    "name": "Claude Haiku 4.5",
    "limit": 50,
    "total": 2,
    "editions": [
        {
            "edition": 57,
            "at": "2026-11-02T09:30:00Z",
            "kind": "changed",
            "fields": [{"field": "retirement_date", "before": None, "after": "2027-03-01"}],
        },
        {"edition": 3, "at": "2026-09-01T08:00:00Z", "kind": "added", "fields": []},
    ],
    "instants": [
        {
            "at": "2027-03-01T00:00:00Z",
            "kind": "retired",
            "is_past": False,
            "summary": "Claude Haiku 4.5 will be retired on 2027-03-01",
        }
    ],
    "next_cursor": None,
}


class FieldChangeSerializer(serializers.Serializer[Any]):
    """Prices are exact decimals in plain notation, USD for one single unit."""

    field = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class ChangeSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="A URN that never changes.")
    kind = ChoiceField([kind.value for kind in Kind])
    at = serializers.DateTimeField(help_text="When it became so.")
    edition = serializers.IntegerField(
        allow_null=True, help_text="That made it so; null where a date came and nobody published."
    )
    model_id = serializers.CharField()
    model_name = serializers.CharField()
    organisation_id = serializers.CharField()
    replacement_model_id = serializers.CharField(allow_null=True, help_text="What to use instead, as of now.")
    summary = serializers.CharField(help_text="For people.")
    fields = FieldChangeSerializer(many=True)  # type: ignore[assignment]  # a field, though named as a property


@extend_schema_serializer(many=False, examples=[OpenApiExample("changes", CHANGES_EXAMPLE)])
class ChangeListSerializer(serializers.Serializer[Any]):
    """One page of changes, the newest first."""

    ok = serializers.BooleanField()
    to = serializers.DateTimeField(allow_null=True, help_text="null: until now.")
    limit = serializers.IntegerField()
    total = serializers.IntegerField(help_text="On all pages.")
    changes = ChangeSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `from` is a word of the language.
        begins = serializers.DateTimeField()
        return {"ok": self._declared_fields["ok"], "from": begins} | super().get_fields()


class EditionChangesSerializer(serializers.Serializer[Any]):
    """What one edition changed of the model."""

    edition = serializers.IntegerField()
    at = serializers.DateTimeField()
    kind = ChoiceField(["added", "changed", "withdrawn"])
    fields = FieldChangeSerializer(many=True)  # type: ignore[assignment]  # a field, though named as a property


class DatedInstantSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    kind = ChoiceField(
        [
            "released",
            "deprecated",
            "retired",
            "offering_begins",
            "offering_ends",
            "price_begins",
            "price_ends",
        ]
    )
    is_past = serializers.BooleanField()
    summary = serializers.CharField()


@extend_schema_serializer(examples=[OpenApiExample("history", HISTORY_EXAMPLE)])
class HistorySerializer(serializers.Serializer[Any]):
    """The editions in which a model changed, the newest first, and the dates that its record holds."""

    ok = serializers.BooleanField()
    id = serializers.CharField()
    name = serializers.CharField()
    limit = serializers.IntegerField()
    total = serializers.IntegerField(help_text="Editions on all pages.")
    editions = EditionChangesSerializer(many=True)
    instants = DatedInstantSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True)
