"""What a key is told of itself: what it may do, what binds it, and what is left of that."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts import standings
from accounts.floors import Floor
from accounts.keys import KeyFacts
from accounts.models import Budget, Key
from accounts.money import plain, usd_of
from accounts.owner_serializers import TeamSerializer
from accounts.rule_loading import rules_of
from accounts.scopes import MANAGEMENT
from accounts.serializers import KeySerializer
from accounts.spending import Bases, read_bases
from accounts.standings import BudgetStanding, stand_budgets
from accounts.subjects import OWN
from accounts.windows import DAY, LIFETIME, MONTH, WEEK, window_at
from gateway.core.store.interface import Limit, Standing

_OPENROUTERS = (
    "label",
    "limit",
    "limit_remaining",
    "limit_reset",
    "usage",
    "usage_daily",
    "usage_weekly",
    "usage_monthly",
    "byok_usage",
    "byok_usage_daily",
    "byok_usage_weekly",
    "byok_usage_monthly",
    "include_byok_in_limit",
    "is_free_tier",
    "is_management_key",
    "is_provisioning_key",
)
"""Of its `GET /key`. Source: https://openrouter.ai/docs/api-reference/limits."""
_RESETS = {DAY: "daily", WEEK: "weekly", MONTH: "monthly", LIFETIME: None}
_PERIODS = {"usage": LIFETIME, "usage_daily": DAY, "usage_weekly": WEEK, "usage_monthly": MONTH}
_WINDOWS = {60: "minute", 86_400: "day", 0: "none"}


@dataclass(frozen=True, slots=True)
class Standings:
    """All that binds a key, as it stands at `at` (Unix seconds). `own` is its subject."""

    at: float
    own: str
    floor: Floor | None
    limits: Sequence[Limit]
    left: dict[Limit, Standing]
    budgets: Sequence[Budget]
    of_budgets: Mapping[int, BudgetStanding]
    bases: Bases

    def spent(self, window: str) -> int:
        return self.bases.spent[self.own][window_at(window, "UTC", self.at).field]

    def spent_on_own(self, window: str) -> int:
        """What calls on the team's own credentials would have cost."""
        return self.bases.spent[self.own + OWN][window_at(window, "UTC", self.at).field] - self.spent(window)

    def left_of(self, budget: Budget) -> int:
        return self.of_budgets[budget.pk].left

    @property
    def tightest(self) -> Budget | None:
        """Of the key's own budgets that refuse, the one that leaves least."""
        own = [each for each in self.budgets if each.refuses and each.key_id is not None]
        return min(own, key=self.left_of, default=None)


def look(facts: KeyFacts) -> Standings:
    """Blocks on SQL, and for a moment on the store."""
    at = timezone.now().timestamp()
    own = f"key:{facts.lineage_id}"
    limits = rules_of(facts).limits
    budgets = list(Budget.objects.filter(_binding(facts), is_active=True).order_by("pk"))
    windows = [window_at(window, "UTC", at) for window in _PERIODS.values()]
    spent = read_bases({own: windows, own + OWN: windows})
    left = {standing.limit: standing for standing in standings.here.reader.standings(limits)}
    return Standings(at, own, facts.floor, limits, left, budgets, stand_budgets(budgets, at), spent)


def _binding(facts: KeyFacts) -> Q:
    binding = Q(is_deployment=True)
    for kind, pk in facts.subjects:
        binding |= Q(**{f"{kind}_id": pk})
    return binding


def _own_usage() -> serializers.SerializerMethodField:
    return serializers.SerializerMethodField(
        help_text="What calls on the team's own credentials would have cost, in USD; by UTC."
    )


class LimitStandingSerializer(serializers.Serializer[Any]):
    """One limit that counts for the key, whosever it is."""

    subject = serializers.CharField(help_text="Whose: key, member, service_account, project or team.")
    unit = serializers.CharField()
    window = serializers.CharField(help_text="minute, day, or none for calls at once.")
    amount = serializers.IntegerField()
    remaining = serializers.IntegerField(allow_null=True, help_text="null: unknown, as for calls at once.")
    reset_s = serializers.FloatField(allow_null=True, help_text="Seconds until it is whole again.")


class BudgetStandingSerializer(serializers.Serializer[Any]):
    """One budget that counts for the key, whosever it is. Money in USD as text, exact."""

    subject = serializers.CharField(
        help_text="Whose: key, member, service_account, project, team or deployment."
    )
    window = serializers.CharField()
    zone = serializers.CharField()
    refuses = serializers.BooleanField()
    counts_own = serializers.BooleanField(
        help_text="Calls on the team's own credentials, too, with what they would have cost."
    )
    amount_usd = serializers.CharField()
    spent_usd = serializers.CharField()
    held_usd = serializers.CharField(
        allow_null=True,
        help_text="What calls hold of it that run now; further ones may take `left_usd` less this. null: unknown.",
    )
    left_usd = serializers.CharField(help_text="The amount less what is spent, never below 0.")
    resets_at = serializers.DateTimeField(allow_null=True)


class FloorSerializer(serializers.Serializer[Any]):
    """What is unknown of an offering does not fulfil it."""

    regions = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="A model has to run within each of these lists, with all regions that it runs in; none: anywhere.",
    )
    zero_retention = serializers.BooleanField(help_text="Nothing of a call is kept once it is answered.")
    no_data_collection = serializers.BooleanField(
        help_text="Nothing of a call is used for the provider's own ends, such as training."
    )
    quantizations = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="Any of these; null: any at all."
    )


class OwnKeySerializer(KeySerializer):
    """What the key that asks may do: the members that OpenRouter's answer has, and ours.

    The limits are those in force, with the team's ceilings in them. `context` holds its `standings`.
    """

    label = serializers.CharField(source="name", read_only=True)  # type: ignore[assignment]  # as a list's `data`
    limit = serializers.SerializerMethodField(
        help_text="USD of the key's own budget that leaves least; null: none."
    )
    limit_remaining = serializers.SerializerMethodField(help_text="What it leaves, in USD.")
    limit_reset = serializers.SerializerMethodField(help_text="daily, weekly, monthly, or null: never.")
    usage = serializers.SerializerMethodField(
        help_text="What the key and those before it spent, in USD; by UTC."
    )
    usage_daily = serializers.SerializerMethodField()
    usage_weekly = serializers.SerializerMethodField()
    usage_monthly = serializers.SerializerMethodField()
    byok_usage = _own_usage()
    byok_usage_daily = _own_usage()
    byok_usage_weekly = _own_usage()
    byok_usage_monthly = _own_usage()
    include_byok_in_limit = serializers.SerializerMethodField(help_text="Whether `limit` counts those, too.")
    is_free_tier = serializers.SerializerMethodField(method_name="get_never")
    is_management_key = serializers.SerializerMethodField(method_name="get_manages")
    is_provisioning_key = serializers.SerializerMethodField(method_name="get_manages")
    requests_per_minute = serializers.SerializerMethodField()  # type: ignore[assignment]  # likewise
    concurrency = serializers.SerializerMethodField()  # type: ignore[assignment]  # likewise
    limits = serializers.SerializerMethodField()
    budgets = serializers.SerializerMethodField()
    floor = serializers.SerializerMethodField(
        help_text="What its calls keep to whatever they ask for, by its own terms and its team's; null: nothing."
    )
    team = TeamSerializer(read_only=True)  # type: ignore[assignment]  # more than the others tell of it

    class Meta(KeySerializer.Meta):
        fields = [*_OPENROUTERS, *KeySerializer.Meta.fields, "floor", "limits", "budgets"]
        read_only_fields = fields

    @property
    def _standings(self) -> Standings:
        told: Standings = self.context["standings"]
        return told

    def get_limit(self, key: Key) -> float | None:  # noqa: ARG002  # the framework's signature
        budget = self._standings.tightest
        return None if budget is None else float(usd_of(budget.amount_at(self._standings.at)))

    def get_limit_remaining(self, key: Key) -> float | None:  # noqa: ARG002  # likewise
        budget = self._standings.tightest
        return None if budget is None else float(usd_of(self._standings.left_of(budget)))

    def get_limit_reset(self, key: Key) -> str | None:  # noqa: ARG002  # likewise
        budget = self._standings.tightest
        return None if budget is None else _RESETS[budget.window]

    def get_usage(self, key: Key) -> float:  # noqa: ARG002  # likewise
        return self._spent(LIFETIME)

    def get_usage_daily(self, key: Key) -> float:  # noqa: ARG002  # likewise
        return self._spent(DAY)

    def get_usage_weekly(self, key: Key) -> float:  # noqa: ARG002  # likewise
        return self._spent(WEEK)

    def get_usage_monthly(self, key: Key) -> float:  # noqa: ARG002  # likewise
        return self._spent(MONTH)

    def _spent(self, window: str) -> float:
        return float(usd_of(self._standings.spent(window)))

    def get_byok_usage(self, key: Key) -> float:  # noqa: ARG002  # likewise
        return self._spent_on_own(LIFETIME)

    def get_byok_usage_daily(self, key: Key) -> float:  # noqa: ARG002  # likewise
        return self._spent_on_own(DAY)

    def get_byok_usage_weekly(self, key: Key) -> float:  # noqa: ARG002  # likewise
        return self._spent_on_own(WEEK)

    def get_byok_usage_monthly(self, key: Key) -> float:  # noqa: ARG002  # likewise
        return self._spent_on_own(MONTH)

    def _spent_on_own(self, window: str) -> float:
        return float(usd_of(self._standings.spent_on_own(window)))

    def get_include_byok_in_limit(self, key: Key) -> bool:  # noqa: ARG002  # likewise
        budget = self._standings.tightest
        return budget is not None and budget.counts_own

    def get_never(self, key: Key) -> bool:  # noqa: ARG002  # likewise
        return False

    def get_manages(self, key: Key) -> bool:
        return MANAGEMENT in key.scope_set

    def get_requests_per_minute(self, key: Key) -> int | None:  # noqa: ARG002  # likewise
        return self._own_limit("requests", 60)

    def get_concurrency(self, key: Key) -> int | None:  # noqa: ARG002  # likewise
        return self._own_limit("concurrency", 0)

    def _own_limit(self, unit: str, window_s: int) -> int | None:
        told = self._standings
        return next(
            (
                limit.amount
                for limit in told.limits
                if (limit.subject, limit.unit, limit.window_s) == (told.own, unit, window_s)
            ),
            None,
        )

    @extend_schema_field(FloorSerializer(allow_null=True))
    def get_floor(self, key: Key) -> Any:  # noqa: ARG002  # likewise
        floor = self._standings.floor
        return None if floor is None else asdict(floor)

    @extend_schema_field(LimitStandingSerializer(many=True))
    def get_limits(self, key: Key) -> Any:  # noqa: ARG002  # likewise
        return [self._write_limit(limit) for limit in self._standings.limits]

    def _write_limit(self, limit: Limit) -> dict[str, Any]:
        left = self._standings.left.get(limit)
        return {
            "subject": limit.subject.partition(":")[0],
            "unit": limit.unit,
            "window": _WINDOWS[limit.window_s],
            "amount": limit.amount,
            "remaining": left and max(0, left.remaining),
            "reset_s": left and round(left.reset_s, 3),
        }

    @extend_schema_field(BudgetStandingSerializer(many=True))
    def get_budgets(self, key: Key) -> Any:  # noqa: ARG002  # likewise
        return [self._write_budget(budget) for budget in self._standings.budgets]

    def _write_budget(self, budget: Budget) -> dict[str, Any]:
        told = self._standings.of_budgets[budget.pk]
        return {
            "subject": budget.subject_text.partition(":")[0],
            "window": budget.window,
            "zone": budget.zone,
            "refuses": budget.refuses,
            "counts_own": budget.counts_own,
            "amount_usd": plain(usd_of(told.amount)),
            "spent_usd": plain(usd_of(told.spent)),
            "held_usd": None if told.held is None else plain(usd_of(told.held)),
            "left_usd": plain(usd_of(told.left)),
            "resets_at": told.resets_at,
        }


class OwnKeyAnswerSerializer(serializers.Serializer[Any]):
    """As OpenRouter wraps it."""

    data = OwnKeySerializer()  # type: ignore[assignment]  # a field, though named as a property
