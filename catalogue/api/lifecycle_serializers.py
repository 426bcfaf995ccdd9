"""Lifecycles and verdicts as the API document sees them, and what a check may ask."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from accounts.policies import LifecyclePolicy
from accounts.serializers import StrictSerializer
from catalogue.lifecycle.check import Outcome, Verdict
from catalogue.lifecycle.status import Status
from gateway.core.choice_field import ChoiceField

MODELS_MAX = 500
NEAR_DAYS = 90
NEAR_DAYS_MAX = 3650
_MESSAGE = "Model 'acme/one' will be retired on 2027-01-15; use 'acme/two'."
_DATES: dict[str, Any] = {"release_date": None, "deprecation_date": None, "retirement_date": "2027-01-15"}
LIFECYCLE_EXAMPLE: dict[str, Any] = {
    "ok": True,
    "limit": 50,
    "total": 1,
    "models": [
        {
            "id": "acme/one",
            "name": "One",
            "organisation_id": "acme",
            "status": "active",
            **_DATES,
            "next": {"kind": "retired", "date": "2027-01-15"},
            "replacement_model_id": "acme/two",
            "message": _MESSAGE,
        }
    ],
    "next_cursor": None,
}
QUESTION_EXAMPLE: dict[str, Any] = {"models": ["acme/one"], "within_days": 90}
VERDICTS_EXAMPLE: dict[str, Any] = {
    "ok": False,
    "at": "2026-11-25T09:30:00Z",
    "within_days": 90,
    "models": [
        {
            "requested": "acme/one",
            "ok": False,
            "verdict": "retiring",
            "id": "acme/one",
            **_DATES,
            "days_left": 50,
            "replacement_model_id": "acme/two",
            "message": _MESSAGE,
            "policy": "advise",
            "outcome": "answer",
            "outcome_once_retired": "block",
            "nearest": [],
        }
    ],
}
# As the API document's name for them is looked up.
_OUTCOMES = [(outcome.value, outcome.name) for outcome in Outcome]
_DATE = "YYYY-MM-DD, or with a time of day where one was set."
_TO_MANY = f"Ids or aliases, at most {MODELS_MAX}."


def _date() -> serializers.CharField:
    return serializers.CharField(allow_null=True, help_text=_DATE)


class NextMilestoneSerializer(serializers.Serializer[Any]):
    kind = ChoiceField(["released", "deprecated", "retired"])
    date = serializers.CharField(help_text=_DATE)


class LifecycleEntrySerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    organisation_id = serializers.CharField()
    status = ChoiceField([status.value for status in Status], help_text="Derived from the dates.")
    release_date = _date()
    deprecation_date = _date()
    retirement_date = _date()
    next = NextMilestoneSerializer(allow_null=True, help_text="What comes next; null: nothing is known.")
    replacement_model_id = serializers.CharField(allow_null=True, help_text="What to use instead.")
    message = serializers.CharField(allow_null=True, help_text="For people.")


@extend_schema_serializer(many=False, examples=[OpenApiExample("lifecycle", LIFECYCLE_EXAMPLE)])
class LifecycleListSerializer(serializers.Serializer[Any]):
    """One page of models whose life has a date to tell, in the order of what comes next."""

    ok = serializers.BooleanField()
    limit = serializers.IntegerField()
    total = serializers.IntegerField(help_text="Models on all pages.")
    models = LifecycleEntrySerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class TextField(serializers.CharField):
    """A text and nothing that could be written as one: 0 names no model."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_serializer(examples=[OpenApiExample("two models", QUESTION_EXAMPLE)])
class QuestionSerializer(StrictSerializer):
    models = serializers.ListField(
        child=TextField(max_length=200), min_length=1, max_length=MODELS_MAX, help_text=_TO_MANY
    )
    within_days = serializers.IntegerField(
        min_value=0,
        max_value=NEAR_DAYS_MAX,
        required=False,
        help_text=f"What ends within so many days fails; {NEAR_DAYS} where left out.",
    )
    at = TextField(required=False, max_length=40, help_text="A day or an instant to judge at; left out: now.")


class VerdictSerializer(serializers.Serializer[Any]):
    requested = serializers.CharField(help_text="As it was asked for.")
    ok = serializers.BooleanField(help_text="Whether it is answered at that instant, and does not end soon.")
    verdict = ChoiceField([verdict.value for verdict in Verdict])
    id = serializers.CharField(allow_null=True, help_text="The model's; null: unknown.")
    release_date = _date()
    deprecation_date = _date()
    retirement_date = _date()
    days_left = serializers.IntegerField(
        allow_null=True,
        help_text="Until it stops answering your calls; null: no day is known.",
    )
    replacement_model_id = serializers.CharField(allow_null=True, help_text="What to use instead.")
    message = serializers.CharField(allow_null=True, help_text="For people.")
    policy = ChoiceField(
        [policy.value for policy in LifecyclePolicy], help_text="The alias's own, or else your team's."
    )
    outcome = ChoiceField(_OUTCOMES, help_text="What would happen to a call at that instant.")
    outcome_once_retired = ChoiceField(_OUTCOMES, allow_null=True, help_text="null: no retirement is known.")
    nearest = serializers.ListField(child=serializers.CharField(), help_text="Names near an unknown one.")


@extend_schema_serializer(examples=[OpenApiExample("verdicts", VERDICTS_EXAMPLE)])
class VerdictListSerializer(serializers.Serializer[Any]):
    """One verdict a name, in the order asked."""

    ok = serializers.BooleanField(help_text="Whether all of them are.")
    at = serializers.DateTimeField()
    within_days = serializers.IntegerField()
    models = VerdictSerializer(many=True)
