"""How budgets are written as JSON, and what may be sent about them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.limit_serializers import name_subject
from accounts.models import Budget, Team
from accounts.models.subject import KINDS
from accounts.money import usd_of
from accounts.serializers import ListParameters, StrictSerializer
from accounts.spending import Bases, read_bases

_SUBJECT = "Whom it is for; a key stands for its lineage."
_SUBJECT_ID = "A key's id, a member's user name, or a slug; it may be left out where the subject is the team."


def _usd(help_text: str, **terms: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=20, decimal_places=10, help_text=help_text, **terms)


class BudgetListParameters(ListParameters):
    """The query of a list of budgets."""

    subject = serializers.ChoiceField(choices=KINDS, required=False, help_text=_SUBJECT)
    subject_id = serializers.CharField(max_length=150, required=False, help_text=_SUBJECT_ID)


class BudgetChangesSerializer(StrictSerializer):
    """What may change of a budget. Of one that staff set (`most_usd`), the amount and thresholds only."""

    amount_usd = _usd("More than 0; at most `most_usd`, where staff said that.", min_value=Decimal("1e-10"))
    zone = serializers.CharField(
        max_length=64,
        required=False,
        help_text="The time zone in which days, weeks and months begin, such as Europe/Berlin.",
    )
    mode = serializers.ChoiceField(
        choices=Budget.Mode.choices, required=False, help_text="What a running call holds of it."
    )
    refuses = serializers.BooleanField(required=False, help_text="false: it only tells, and calls go on.")
    thresholds = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=100),
        required=False,
        max_length=10,
        help_text="At how many percent people are told, once in each window; the lowest first.",
    )
    is_active = serializers.BooleanField(required=False, help_text="false: it neither refuses nor tells.")


class NewBudgetSerializer(BudgetChangesSerializer):
    """What a budget is made from."""

    subject = serializers.ChoiceField(choices=KINDS, help_text=_SUBJECT)
    subject_id = serializers.CharField(max_length=150, required=False, help_text=_SUBJECT_ID)
    window = serializers.ChoiceField(choices=Budget.Period.choices, help_text="Weeks begin on Monday.")


class RaiseSerializer(StrictSerializer):
    """More for a while: it ends by itself."""

    raise_usd = _usd("How much more.", min_value=Decimal("1e-10"))
    raise_until = serializers.DateTimeField(help_text="In the future, and within 366 days.")


class BudgetSerializer(serializers.ModelSerializer[Budget]):
    """How much one subject may spend in a window, and what it has spent of it. Money as text, exact."""

    id = serializers.SerializerMethodField()
    object = serializers.SerializerMethodField()
    team = serializers.SerializerMethodField(help_text="The team's slug.")
    subject = serializers.CharField(source="subject_kind", read_only=True, help_text=_SUBJECT)
    subject_id = serializers.SerializerMethodField(
        help_text="As it is named when a budget is made. Of a key that was rotated: the first of its lineage."
    )
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
    window_start = serializers.SerializerMethodField(help_text="null: `lifetime` has none.")
    resets_at = serializers.SerializerMethodField(help_text="When the next window begins; null: never.")
    set_by = serializers.CharField(read_only=True, help_text="Who set it last; empty: nobody knows.")

    class Meta:
        model = Budget
        fields = [
            "id",
            "object",
            "team",
            "subject",
            "subject_id",
            "window",
            "zone",
            "amount_usd",
            "most_usd",
            "raise_usd",
            "raise_until",
            "mode",
            "refuses",
            "thresholds",
            "is_active",
            "spent_usd",
            "left_usd",
            "window_start",
            "resets_at",
            "set_by",
            "set_at",
        ]
        read_only_fields = fields

    def get_id(self, budget: Budget) -> str:
        return str(budget.pk)

    def get_object(self, budget: Budget) -> str:  # noqa: ARG002  # the framework's signature
        return "budget"

    def get_team(self, budget: Budget) -> str:
        row = budget.subject_row
        return row.slug if isinstance(row, Team) else str(row.team.slug)  # type: ignore[attr-defined]

    def get_subject_id(self, budget: Budget) -> str:
        return name_subject(budget.subject_row)

    def get_amount_usd(self, budget: Budget) -> str:
        return plain(budget.amount_usd)

    def get_most_usd(self, budget: Budget) -> str | None:
        return None if budget.most_usd is None else plain(budget.most_usd)

    def get_raise_usd(self, budget: Budget) -> str | None:
        return plain(budget.raise_usd) if self._is_raised(budget) and budget.raise_usd else None

    def get_raise_until(self, budget: Budget) -> datetime | None:
        return budget.raise_until if self._is_raised(budget) else None

    def get_spent_usd(self, budget: Budget) -> str:
        return plain(usd_of(self._spent(budget)))

    def get_left_usd(self, budget: Budget) -> str:
        return plain(usd_of(max(0, budget.amount_at(self._now) - self._spent(budget))))

    def get_window_start(self, budget: Budget) -> datetime | None:
        window = budget.window_at(self._now)
        return None if window.ends_at is None else datetime.fromtimestamp(window.starts_at, UTC)

    def get_resets_at(self, budget: Budget) -> datetime | None:
        ends_at = budget.window_at(self._now).ends_at
        return None if ends_at is None else datetime.fromtimestamp(ends_at, UTC)

    @property
    def _now(self) -> float:
        now: float = self.context["at"]
        return now

    def _spent(self, budget: Budget) -> int:
        bases: Bases = self.context["bases"]
        return bases.spent[budget.subject_text][budget.window_at(self._now).field]

    def _is_raised(self, budget: Budget) -> bool:
        return budget.raise_until is not None and self._now < budget.raise_until.timestamp()


@extend_schema_serializer(many=False)
class BudgetListSerializer(serializers.Serializer[Any]):
    """One page of budgets."""

    object = serializers.CharField(default="list")
    total = serializers.IntegerField()
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    data = BudgetSerializer(many=True)  # type: ignore[assignment]  # a field, though named as a property


def write_budgets(budgets: list[Budget]) -> list[Any]:
    """With what was spent of each, read in one statement."""
    at = timezone.now().timestamp()
    wanted: dict[str, list[Any]] = {}
    for budget in budgets:
        wanted.setdefault(budget.subject_text, []).append(budget.window_at(at))
    context = {"at": at, "bases": read_bases(wanted)}
    return list(BudgetSerializer(budgets, many=True, context=context).data)


def plain(amount: Decimal) -> str:
    """Exact, without exponent and without trailing zeros."""
    return format(amount.normalize(), "f")
