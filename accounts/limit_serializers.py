"""How limits are written as JSON, and what may be sent about them."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.limits import AMOUNT_MAX
from accounts.models import Key, Limit, Membership, Team
from accounts.models.subject import KINDS
from accounts.serializers import ListParameters, StrictSerializer

_WINDOWS = [word for word in Limit.Window.values if word != Limit.Window.NONE]
_SUBJECT = "Whom it is for; a key stands for its lineage."
_SUBJECT_ID = "A key's id, a member's user name, or a slug; it may be left out where the subject is the team."


class LimitListParameters(ListParameters):
    """The query of a list of limits."""

    subject = serializers.ChoiceField(choices=KINDS, required=False, help_text=_SUBJECT)
    subject_id = serializers.CharField(max_length=150, required=False, help_text=_SUBJECT_ID)


class LimitChangesSerializer(StrictSerializer):
    """What may change of a limit."""

    amount = serializers.IntegerField(
        min_value=1,
        max_value=AMOUNT_MAX,
        help_text="How much of the unit; at most `most`, where staff said that.",
    )


class NewLimitSerializer(LimitChangesSerializer):
    """What a limit is made from."""

    subject = serializers.ChoiceField(choices=KINDS, help_text=_SUBJECT)
    subject_id = serializers.CharField(max_length=150, required=False, help_text=_SUBJECT_ID)
    unit = serializers.ChoiceField(
        choices=Limit.Unit.choices,
        help_text="What is counted. `concurrency`: calls running at the same time.",
    )
    window = serializers.ChoiceField(
        choices=_WINDOWS,
        allow_null=True,
        required=False,
        help_text="In which time; `concurrency` has none.",
    )


class LimitSerializer(serializers.ModelSerializer[Limit]):
    """How much of something one subject may have. All limits count that a call meets."""

    id = serializers.SerializerMethodField()
    object = serializers.SerializerMethodField()
    team = serializers.SerializerMethodField(help_text="The team's slug.")
    subject = serializers.CharField(source="subject_kind", read_only=True, help_text=_SUBJECT)
    subject_id = serializers.SerializerMethodField(
        help_text="As it is named when a limit is made. Of a key that was rotated: the first of its lineage."
    )
    window = serializers.SerializerMethodField(help_text="`minute` or `day`; null: it counts at any time.")
    most = serializers.IntegerField(
        read_only=True,
        allow_null=True,
        help_text="What staff allow: it may be set lower, and not removed. null: it is the team's own.",
    )
    set_by = serializers.CharField(read_only=True, help_text="Who set the amount; empty: nobody knows.")

    class Meta:
        model = Limit
        fields = [
            "id",
            "object",
            "team",
            "subject",
            "subject_id",
            "unit",
            "window",
            "amount",
            "most",
            "set_by",
            "set_at",
        ]
        read_only_fields = fields

    def get_id(self, limit: Limit) -> str:
        return str(limit.pk)

    def get_object(self, limit: Limit) -> str:  # noqa: ARG002  # the framework's signature
        return "limit"

    def get_team(self, limit: Limit) -> str:
        row = limit.subject_row
        return row.slug if isinstance(row, Team) else str(row.team.slug)  # type: ignore[attr-defined]

    def get_subject_id(self, limit: Limit) -> str:
        return name_subject(limit.subject_row)

    def get_window(self, limit: Limit) -> str | None:
        return None if limit.window == Limit.Window.NONE else limit.window


def name_subject(row: Any) -> str:
    """As it is named in requests."""
    if isinstance(row, Key):
        return row.public_id
    return row.user.username if isinstance(row, Membership) else str(row.slug)


@extend_schema_serializer(many=False)
class LimitListSerializer(serializers.Serializer[Any]):
    """One page of limits."""

    object = serializers.CharField(default="list")
    total = serializers.IntegerField()
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    data = LimitSerializer(many=True)  # type: ignore[assignment]  # a field, though named as a property
