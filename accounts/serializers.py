"""How keys are written as JSON, and what may be sent about them."""

from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.limits import LIMIT_MAX, TIMEOUT_MAX_MS
from accounts.models import Key
from accounts.patterns import PATTERNS_MAX, warn_of
from accounts.scopes import SCOPES
from accounts.services import OVERLAP_MOST
from gateway.core.choice_field import ChoiceField
from gateway.core.errors import ApiError


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know, instead of dropping them in silence."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = (
            sorted(str(name) for name in data if name not in self.fields) if hasattr(data, "keys") else []
        )
        if unknown:
            allowed = ", ".join(sorted(self.fields))
            message = f"Unknown parameter '{unknown[0]}'. Allowed: {allowed}."
            raise ApiError(message, code="unknown_parameter", param=unknown[0])
        return super().to_internal_value(data)


class StrictScheme(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Says so in the OpenAPI document."""

    target_class = "accounts.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": False}


def words_list(help_text: str) -> "serializers.ListField":
    child = serializers.CharField(max_length=200)
    return serializers.ListField(child=child, max_length=PATTERNS_MAX, required=False, help_text=help_text)


def _told_list() -> "serializers.ListField":
    return serializers.ListField(child=serializers.CharField(), read_only=True)


class ListParameters(StrictSerializer):
    """The query of a list of keys."""

    team = serializers.SlugField(required=False)
    limit = serializers.IntegerField(min_value=1, max_value=250, default=50)
    offset = serializers.IntegerField(min_value=0, max_value=1_000_000, default=0)


class TeamParameter(StrictSerializer):
    """The query of everything else: which team, for people in several."""

    team = serializers.SlugField(required=False)


class HandOverSerializer(StrictSerializer):
    """Whose a key is from now on; neither: the team's own."""

    owner = serializers.CharField(
        max_length=150, required=False, allow_null=True, help_text="A member's user name."
    )
    service_account = serializers.SlugField(required=False, allow_null=True)


class KeyChangesSerializer(StrictSerializer):
    """What may change of a key after it was issued."""

    name = serializers.CharField(max_length=100, help_text="What uses this key.")
    requests_per_minute = serializers.IntegerField(
        min_value=1, max_value=LIMIT_MAX, allow_null=True, required=False, help_text="null: no limit."
    )
    concurrency = serializers.IntegerField(
        min_value=1,
        max_value=LIMIT_MAX,
        allow_null=True,
        required=False,
        help_text="Calls running at the same time; null: no limit.",
    )
    model_patterns = serializers.ListField(
        child=serializers.CharField(max_length=200),
        max_length=PATTERNS_MAX,
        required=False,
        help_text="Models that the key may call, such as anthropic/*; none: all.",
    )
    denied_model_patterns = words_list("Models that the key may not call, whatever permits them.")
    provider_patterns = words_list("Providers that its calls may go to, by their slugs; none: all.")
    denied_provider_patterns = words_list("Providers that its calls never go to.")
    surfaces = words_list("APIs that it may call, such as messages; none: all.")
    ip_ranges = words_list("Addresses and networks that it may be used from; none: anywhere.")
    regions = words_list("Regions that its calls stay in, such as eu; none: anywhere.")
    quantizations = words_list("Quantizations that may answer, such as bf16 or unknown; none: any.")
    zero_retention = serializers.BooleanField(
        required=False, help_text="Its calls go only where nothing of them is kept once they are answered."
    )
    no_data_collection = serializers.BooleanField(
        required=False,
        help_text="Its calls go only where nothing of them is used for the provider's own ends, such as training.",
    )
    project = serializers.CharField(
        max_length=64,
        allow_null=True,
        required=False,
        help_text="The slug of the team's project that all of its calls are for; null: each call may name one.",
    )
    expires_at = serializers.DateTimeField(allow_null=True, required=False, help_text="null: never.")
    lane = ChoiceField(choices=Key.Lane.choices, required=False)
    may_search_elsewhere = serializers.BooleanField(
        required=False,
        help_text="Another vendor's web search may stand in for the one that is asked for, at its price.",
    )
    timeout_ms = serializers.IntegerField(
        min_value=1,
        max_value=TIMEOUT_MAX_MS,
        allow_null=True,
        required=False,
        help_text="Milliseconds that its calls are waited for, over all attempts; a request may ask for less by "
        "x-gateway-timeout-ms. null: as long as requests say.",
    )


class NewKeySerializer(KeyChangesSerializer):
    """What a key is issued from."""

    scope = ChoiceField(
        choices=Key.Scope.choices,
        required=False,
        help_text="A feed key is for feed readers and calendars, as `token` in an address.",
    )
    scopes = serializers.ListField(
        child=ChoiceField(choices=list(SCOPES)),
        max_length=len(SCOPES),
        required=False,
        help_text="All that it may do, in place of `scope`; `feed` stands alone.",
    )
    owner = serializers.CharField(
        max_length=150,
        allow_null=True,
        required=False,
        help_text="The user name of the member whose key it is; it is refused once they leave. null: the team's own.",
    )
    service_account = serializers.CharField(
        max_length=60, allow_null=True, required=False, help_text="The slug of the program whose key it is."
    )


class RotationSerializer(StrictSerializer):
    """How a key is rotated."""

    overlap_s = serializers.IntegerField(
        min_value=0,
        max_value=int(OVERLAP_MOST.total_seconds()),
        required=False,
        help_text="For how many seconds the old key works on; a day where it is not said.",
    )


class KeySerializer(serializers.ModelSerializer[Key]):
    """A key as it is shown: never its secret, nor what the secret is checked with."""

    id = serializers.CharField(source="public_id", read_only=True)
    object = serializers.SerializerMethodField()
    team = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    state = serializers.SerializerMethodField()
    requests_per_minute = serializers.IntegerField(read_only=True, allow_null=True)
    concurrency = serializers.IntegerField(read_only=True, allow_null=True)
    model_patterns = serializers.ListField(child=serializers.CharField(), read_only=True)
    stopped_by = serializers.SerializerMethodField(
        help_text="Whose state keeps the key out: `team`, `owner` or `service_account`; null: nobody's."
    )
    scopes = serializers.SerializerMethodField()
    owner = serializers.SlugRelatedField[Any](slug_field="username", read_only=True, allow_null=True)
    known_to = serializers.SlugRelatedField[Any](
        slug_field="username",
        read_only=True,
        allow_null=True,
        help_text="Whose it was before it was handed over, who may know its text still: rotate it. Null: nobody's.",
    )
    service_account = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True, allow_null=True)
    project = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True, allow_null=True)
    denied_model_patterns = _told_list()
    provider_patterns = _told_list()
    denied_provider_patterns = _told_list()
    surfaces = _told_list()
    ip_ranges = _told_list()
    regions = _told_list()
    quantizations = _told_list()
    replaces = serializers.SlugRelatedField[Any](
        slug_field="public_id",
        read_only=True,
        allow_null=True,
        help_text="The id of the key that was rotated into this one.",
    )
    successor = serializers.SerializerMethodField(
        help_text="The id of the key that this one was rotated into; this one works until `expires_at`."
    )

    class Meta:
        model = Key
        fields = [
            "id",
            "object",
            "name",
            "team",
            "owner",
            "known_to",
            "service_account",
            "project",
            "scope",
            "scopes",
            "state",
            "stopped_by",
            "requests_per_minute",
            "concurrency",
            "model_patterns",
            "denied_model_patterns",
            "provider_patterns",
            "denied_provider_patterns",
            "surfaces",
            "ip_ranges",
            "regions",
            "quantizations",
            "zero_retention",
            "no_data_collection",
            "lane",
            "may_search_elsewhere",
            "timeout_ms",
            "created_at",
            "expires_at",
            "revoked_at",
            "last_used_at",
            "replaces",
            "successor",
        ]
        read_only_fields = fields

    def get_object(self, key: Key) -> str:  # noqa: ARG002  # the framework's signature
        return "key"

    def get_state(self, key: Key) -> Key.State:
        return key.state_at(timezone.now())

    def get_stopped_by(self, key: Key) -> str | None:
        return key.stopped_by or None

    def get_scopes(self, key: Key) -> list[str]:
        return sorted(key.scope_set)

    def get_successor(self, key: Key) -> str | None:
        successor: Key | None = getattr(key, "successor", None)
        return successor.public_id if successor else None


class ChangedKeySerializer(KeySerializer):
    """A key just changed."""

    warnings = serializers.SerializerMethodField(help_text="What was accepted, but may be a mistake.")

    class Meta(KeySerializer.Meta):
        fields = [*KeySerializer.Meta.fields, "warnings"]
        read_only_fields = fields

    def get_warnings(self, key: Key) -> list[str]:
        return warn_of(
            [*key.model_patterns, *key.denied_model_patterns],
            [*key.provider_patterns, *key.denied_provider_patterns],
        )


class IssuedKeySerializer(ChangedKeySerializer):
    """A key just issued, with its text: shown here and never again."""

    key = serializers.CharField(
        read_only=True,
        allow_null=True,
        help_text="The key itself. It cannot be shown again; null: it was, in answer to a request like this one.",
    )

    class Meta(ChangedKeySerializer.Meta):
        fields = ["key", *ChangedKeySerializer.Meta.fields]
        read_only_fields = fields


class PageSerializer(serializers.Serializer[Any]):
    """What a page of a list has beside its rows, which are its `data`."""

    object = serializers.CharField(default="list")
    total = serializers.IntegerField()
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()


@extend_schema_serializer(many=False)
class KeyListSerializer(PageSerializer):
    """One page of keys."""

    data = KeySerializer(many=True)  # type: ignore[assignment]  # a field, though named as a property
