"""How budgets are written as JSON, and what may be sent about them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.models import Budget
from accounts.money import plain, usd_of
from accounts.serializers import PageSerializer, StrictSerializer
from accounts.standings import BudgetStanding, stand_budgets
from accounts.subject_serializers import COMMON, NewSubjectRowSerializer, SubjectRowSerializer
from gateway.core.choice_field import ChoiceField


def _usd(help_text: str, **terms: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=20, decimal_places=10, help_text=help_text, **terms)


class BudgetChangesSerializer(StrictSerializer):
    """What may change of a budget. Of one that staff set (`most_usd`), the amount and thresholds only."""

    amount_usd = _usd("More than 0; at most `most_usd`, where staff said that.", min_value=Decimal("1e-10"))
    zone = serializers.CharField(
        max_length=64,
        required=False,
        help_text="The time zone in which days, weeks and months begin, such as Europe/Berlin.",
    )
    mode = ChoiceField(
        choices=Budget.Mode.choices, required=False, help_text="What a running call holds of it."
    )
    refuses = serializers.BooleanField(required=False, help_text="false: it only tells, and calls go on.")
    counts_own = serializers.BooleanField(
        required=False,
        help_text="true: calls on the team's own credentials count with what they would have cost by the price list.",
    )
    thresholds = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=100),
        required=False,
        max_length=10,
        help_text="At how many percent people are told, once in each window; the lowest first.",
    )
    is_active = serializers.BooleanField(required=False, help_text="false: it neither refuses nor tells.")


class NewBudgetSerializer(BudgetChangesSerializer, NewSubjectRowSerializer):
    """What a budget is made from."""

    window = ChoiceField(choices=Budget.Period.choices, help_text="Weeks begin on Monday.")


class RaiseSerializer(StrictSerializer):
    """More for a while: it ends by itself."""

    raise_usd = _usd("How much more.", min_value=Decimal("1e-10"))
    raise_until = serializers.DateTimeField(help_text="In the future, and within 366 days.")


class BudgetSerializer(SubjectRowSerializer):
    """How much one subject may spend in a window, and what it has spent of it. Money as text, exact."""

    amount_usd = serializers.SerializerMethodField(help_text="Without a raise.")
    most_usd = serializers.SerializerMethodField(
        help_text="What staff allow: it may be set lower, and not removed. null: it is the team's own."
    )
    raise_usd = serializers.SerializerMethodField(help_text="null: there is none now.")
    raise_until = serializers.SerializerMethodField()
    thresholds = serializers.ListField(child=serializers.IntegerField(), read_only=True)
    spent_usd = serializers.SerializerMethodField(
        help_text="In this window, of calls whose end is recorded: at most a few seconds ago."
    )
    left_usd = serializers.SerializerMethodField(
        help_text="Of the amount, with a raise that counts now; never below 0."
    )
    held_usd = serializers.SerializerMethodField(
        help_text="What calls hold of it that run now, not counted as spent: further ones may take `left_usd` less "
        "this. null: unknown."
    )
    window_start = serializers.SerializerMethodField(help_text="null: `lifetime` has none.")
    resets_at = serializers.SerializerMethodField(help_text="When the next window begins; null: never.")

    class Meta:
        model = Budget
        fields = [
            *COMMON,
            "window",
            "zone",
            "amount_usd",
            "most_usd",
            "raise_usd",
            "raise_until",
            "mode",
            "refuses",
            "counts_own",
            "thresholds",
            "is_active",
            "spent_usd",
            "left_usd",
            "held_usd",
            "window_start",
            "resets_at",
            "set_by",
            "set_at",
        ]
        read_only_fields = fields

    def get_amount_usd(self, budget: Budget) -> str:
        return plain(budget.amount_usd)

    def get_most_usd(self, budget: Budget) -> str | None:
        return None if budget.most_usd is None else plain(budget.most_usd)

    def get_raise_usd(self, budget: Budget) -> str | None:
        return plain(budget.raise_usd) if self._is_raised(budget) and budget.raise_usd else None

    def get_raise_until(self, budget: Budget) -> datetime | None:
        return budget.raise_until if self._is_raised(budget) else None

    def get_spent_usd(self, budget: Budget) -> str:
        return plain(usd_of(self._standing(budget).spent))

    def get_left_usd(self, budget: Budget) -> str:
        return plain(usd_of(self._standing(budget).left))

    def get_held_usd(self, budget: Budget) -> str | None:
        held = self._standing(budget).held
        return None if held is None else plain(usd_of(held))

    def get_window_start(self, budget: Budget) -> datetime | None:
        window = self._standing(budget).window
        return None if window.ends_at is None else datetime.fromtimestamp(window.starts_at, UTC)

    def get_resets_at(self, budget: Budget) -> datetime | None:
        return self._standing(budget).resets_at

    @property
    def _now(self) -> float:
        now: float = self.context["at"]
        return now

    def _standing(self, budget: Budget) -> BudgetStanding:
        standing: BudgetStanding = self.context["standings"][budget.pk]
        return standing

    def _is_raised(self, budget: Budget) -> bool:
        return budget.raise_until is not None and self._now < budget.raise_until.timestamp()


@extend_schema_serializer(many=False)
class BudgetListSerializer(PageSerializer):
    """One page of budgets."""

    data = BudgetSerializer(many=True)  # type: ignore[assignment]  # a field, though named as a property


def write_budgets(budgets: Sequence[Budget]) -> list[Any]:
    """With what was spent of each, and what is held."""
    at = timezone.now().timestamp()
    context = {"at": at, "standings": stand_budgets(budgets, at)}
    return list(BudgetSerializer(budgets, many=True, context=context).data)
