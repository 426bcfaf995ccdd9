"""How a team, its service accounts and its projects are written as JSON, and what may be sent about them."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.limits import LIMIT_MAX, PROJECT
from accounts.measures import write_exactly
from accounts.models import Project, ServiceAccount, Team
from accounts.models.team import CHARGE_FACTOR_MOST
from accounts.policies import POLICY_CHOICES
from accounts.serializers import PageSerializer, StrictSerializer, words_list
from gateway.core.choice_field import ChoiceField

_DAYS_MAX = 3_650


def _whole(help_text: str, most: int = LIMIT_MAX, least: int = 1) -> serializers.IntegerField:
    return serializers.IntegerField(
        min_value=least, max_value=most, allow_null=True, required=False, help_text=help_text
    )


class NameSerializer(StrictSerializer):
    name = serializers.CharField(max_length=100)


class NewServiceAccountSerializer(NameSerializer):
    """What a service account is made from."""

    slug = serializers.SlugField(max_length=60)


class ServiceAccountChangesSerializer(NameSerializer):
    """What may change of a service account."""

    is_active = serializers.BooleanField(required=False, help_text="false: its keys are refused.")


class _Told(serializers.ModelSerializer[Any]):
    """A row with the name of its kind."""

    def get_object(self, row: Any) -> str:
        return str(row._meta.verbose_name).replace(" ", "_")


class ServiceAccountSerializer(_Told):
    """A program of the team that owns keys."""

    id = serializers.CharField(source="slug", read_only=True)
    object = serializers.SerializerMethodField()
    team = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)

    class Meta:
        model = ServiceAccount
        fields = ["id", "object", "name", "team", "is_active", "created_at"]
        read_only_fields = fields


class NewProjectSerializer(NameSerializer):
    """What a project is made from."""

    slug = serializers.RegexField(PROJECT.pattern, max_length=64, help_text="As calls name it.")


class ProjectChangesSerializer(NameSerializer):
    """What may change of a project."""

    is_archived = serializers.BooleanField(
        required=False, help_text="true: no key is bound to it any more, and keys that are take no calls."
    )


class ProjectSerializer(_Told):
    """What a team spends on."""

    id = serializers.CharField(source="slug", read_only=True)
    object = serializers.SerializerMethodField()
    team = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)

    class Meta:
        model = Project
        fields = ["id", "object", "name", "team", "created_at", "archived_at"]
        read_only_fields = fields


class TeamChangesSerializer(StrictSerializer):
    """What a team's owners may change of it. What it may reach and its ceilings are the operator's.

    They may have its calls keep to more (`regions`, `quantizations`, `zero_retention`, `no_data_collection`); staff
    alone may let them keep to less.
    """

    name = serializers.CharField(max_length=100, required=False)
    cost_centre = serializers.CharField(max_length=100, allow_blank=True, required=False)
    charge_factor = serializers.DecimalField(
        max_digits=9,
        decimal_places=4,
        min_value=0,
        max_value=CHARGE_FACTOR_MOST,
        required=False,
        help_text="For staff alone. What the team is charged is what its calls cost times this.",
    )
    time_zone = serializers.CharField(
        max_length=64,
        required=False,
        help_text="Where its days begin at midnight in what it used, such as Europe/Berlin.",
    )
    allows_free_projects = serializers.BooleanField(
        required=False, help_text="false: calls may name the team's own projects only."
    )
    regions = words_list("Regions that all calls of its keys stay in, such as eu; none: anywhere.")
    quantizations = words_list("Quantizations that may answer, such as bf16 or unknown; none: any.")
    zero_retention = serializers.BooleanField(
        required=False, help_text="Calls go only where nothing of them is kept once they are answered."
    )
    no_data_collection = serializers.BooleanField(
        required=False,
        help_text="Calls go only where nothing of them is used for the provider's own ends, such as training.",
    )
    lifecycle_policy = ChoiceField(choices=POLICY_CHOICES, required=False)
    keeps_responses = serializers.BooleanField(required=False)
    leaked_keys = ChoiceField(
        choices=Team.LeakedKeys.choices,
        required=False,
        help_text="What happens to a key that is reported as found in public; empty: as the gateway has it.",
    )
    key_requests_per_minute = _whole("What a new key gets where nothing is said; null: no limit.")
    key_concurrency = _whole("What a new key gets where nothing is said; null: no limit.")
    key_days = _whole("After how many days a new key expires where nothing is said; null: never.", _DAYS_MAX)
    unused_key_days = _whole(
        "After how many days without use a key expires; 0: never; null: as the gateway has it.", _DAYS_MAX, 0
    )


class TeamSerializer(_Told):
    """A team with its terms. `state` says what its keys meet."""

    id = serializers.CharField(source="slug", read_only=True)
    object = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField()
    charge_factor = serializers.SerializerMethodField(
        help_text="What it is charged is what its calls cost times this; a plain decimal."
    )

    class Meta:
        model = Team
        fields = [
            "id",
            "object",
            "name",
            "state",
            "cost_centre",
            "time_zone",
            "charge_factor",
            "lifecycle_policy",
            "keeps_responses",
            "allows_free_projects",
            "new_models",
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
            "key_requests_per_minute",
            "key_requests_per_minute_most",
            "key_concurrency",
            "key_concurrency_most",
            "key_days",
            "key_days_most",
            "unused_key_days",
            "leaked_keys",
            "created_at",
            "frozen_at",
            "archived_at",
        ]
        read_only_fields = fields

    def get_state(self, team: Team) -> Team.State:
        return team.state

    def get_charge_factor(self, team: Team) -> str:
        return write_exactly(team.charge_factor)


@extend_schema_serializer(many=False)
class ServiceAccountListSerializer(PageSerializer):
    """One page of service accounts."""

    data = ServiceAccountSerializer(many=True)  # type: ignore[assignment]  # likewise


@extend_schema_serializer(many=False)
class ProjectListSerializer(PageSerializer):
    """One page of projects."""

    data = ProjectSerializer(many=True)  # type: ignore[assignment]  # likewise
