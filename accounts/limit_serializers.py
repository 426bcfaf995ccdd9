"""How limits are written as JSON, and what may be sent about them."""

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.limits import AMOUNT_MAX
from accounts.models import Limit
from accounts.serializers import PageSerializer, StrictSerializer
from accounts.standings import stand_limits
from accounts.subject_serializers import COMMON, NewSubjectRowSerializer, SubjectRowSerializer
from gateway.core.choice_field import ChoiceField
from gateway.core.store.interface import Standing

_WINDOWS = [word for word in Limit.Window.values if word != Limit.Window.NONE]


class LimitChangesSerializer(StrictSerializer):
    """What may change of a limit."""

    amount = serializers.IntegerField(
        min_value=1,
        max_value=AMOUNT_MAX,
        help_text="How much of the unit; at most `most`, where staff said that.",
    )


class NewLimitSerializer(LimitChangesSerializer, NewSubjectRowSerializer):
    """What a limit is made from."""

    unit = ChoiceField(
        choices=Limit.Unit.choices,
        help_text="What is counted. `concurrency`: calls running at the same time.",
    )
    window = ChoiceField(
        choices=_WINDOWS,
        allow_null=True,
        required=False,
        help_text="In which time; `concurrency` has none.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return attrs | {"window": attrs.get("window") or Limit.Window.NONE}


class LimitSerializer(SubjectRowSerializer):
    """How much of something one subject may have. All limits count that a call meets."""

    window = serializers.SerializerMethodField(help_text="`minute` or `day`; null: it counts at any time.")
    most = serializers.IntegerField(
        read_only=True,
        allow_null=True,
        help_text="What staff allow: it may be set lower, and not removed. null: it is the team's own.",
    )
    remaining = serializers.SerializerMethodField(
        help_text="How much of it is left now; null: unknown, as for calls at once."
    )
    reset_s = serializers.SerializerMethodField(help_text="Seconds until it is whole again; null likewise.")

    class Meta:
        model = Limit
        fields = [*COMMON, "unit", "window", "amount", "most", "remaining", "reset_s", "set_by", "set_at"]
        read_only_fields = fields

    def get_window(self, limit: Limit) -> str | None:
        return None if limit.window == Limit.Window.NONE else limit.window

    def get_remaining(self, limit: Limit) -> int | None:
        standing = self._standing(limit)
        return None if standing is None else max(0, standing.remaining)

    def get_reset_s(self, limit: Limit) -> float | None:
        standing = self._standing(limit)
        return None if standing is None else round(standing.reset_s, 3)

    def _standing(self, limit: Limit) -> Standing | None:
        standings: Mapping[int, Standing] = self.context["standings"]
        return standings.get(limit.pk)


@extend_schema_serializer(many=False)
class LimitListSerializer(PageSerializer):
    """One page of limits."""

    data = LimitSerializer(many=True)  # type: ignore[assignment]  # a field, though named as a property


def write_limits(limits: Sequence[Limit]) -> list[Any]:
    """With what is left of each."""
    return list(LimitSerializer(limits, many=True, context={"standings": stand_limits(limits)}).data)
