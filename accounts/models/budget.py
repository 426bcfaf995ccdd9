"""Budgets of everybody who can own or spend, and of the operator itself."""

from decimal import Decimal
from typing import Any

from django.db import models

from accounts.keys import DEPLOYMENT
from accounts.models.subject import KINDS, SubjectModel
from accounts.money import units_of
from accounts.querysets import BudgetQuerySet
from accounts.subjects import OWN, provider_name, store_name
from accounts.windows import Window, window_at


def _thresholds() -> list[int]:
    return [80, 100]


def _one_subject() -> models.Q:
    """Of a row: it is for exactly one."""
    every = [
        *((models.Q(**{f"{kind}__isnull": False}), models.Q(**{f"{kind}__isnull": True})) for kind in KINDS),
        (~models.Q(provider=""), models.Q(provider="")),
        (models.Q(is_deployment=True), models.Q(is_deployment=False)),
    ]
    found = models.Q()
    for place, (is_it, _) in enumerate(every):
        alone = is_it
        for other, (_, is_not) in enumerate(every):
            if other != place:
                alone &= is_not
        found |= alone
    return found


class Budget(SubjectModel):
    """How much money one subject may spend in a window.

    Of a key's lineage, a member, a service account, a project or a team: what they are charged. Of a provider or of
    the whole deployment: what they cost, with what the operator loses.
    """

    class Period(models.TextChoices):
        DAY = "day", "a day"
        WEEK = "week", "a week"
        MONTH = "month", "a month"
        LIFETIME = "lifetime", "ever"

    class Mode(models.TextChoices):
        BALANCED = "balanced", "Balanced: running calls hold what such calls usually cost"
        STRICT = "strict", "Strict: running calls hold the most that they can cost"

    provider = models.CharField(
        max_length=60,
        blank=True,
        default="",
        help_text="The slug of a provider, in place of somebody of a team.",
    )
    is_deployment = models.BooleanField("all of this deployment", default=False)
    window = models.CharField(max_length=8, choices=Period, help_text="Weeks begin on Monday.")
    zone = models.CharField(
        "time zone",
        max_length=64,
        default="UTC",
        help_text="Where days, weeks and months begin at midnight, such as Europe/Berlin.",
    )
    amount_usd = models.DecimalField("amount in USD", max_digits=20, decimal_places=10)
    most_usd = models.DecimalField(
        max_digits=20,
        decimal_places=10,
        null=True,
        blank=True,
        help_text="What staff allow: the team may set less, and cannot remove it. Empty: it is the team's own.",
    )
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.BALANCED)
    refuses = models.BooleanField(default=True, help_text="Off: it only tells, and calls go on.")
    counts_own = models.BooleanField(
        "counts own credentials",
        default=False,
        db_default=False,
        help_text="Calls on the team's own credentials count, too: with what they would have cost by the price list.",
    )
    thresholds = models.JSONField(
        default=_thresholds, blank=True, help_text="At how many percent people are told, such as [80, 100]."
    )
    raise_usd = models.DecimalField(
        max_digits=20, decimal_places=10, null=True, blank=True, help_text="How much more it is for a while."
    )
    raise_until = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField("active", default=True)
    set_by = models.CharField(max_length=160, blank=True, editable=False)
    set_at = models.DateTimeField(auto_now=True)

    objects = BudgetQuerySet.as_manager()

    class Meta:
        ordering = ["window", "id"]
        permissions = [("change_operators_budget", "Can set budgets of providers and of the deployment")]
        constraints = [
            models.CheckConstraint(condition=_one_subject(), name="budget_one_subject"),
            models.CheckConstraint(condition=models.Q(amount_usd__gt=0), name="budget_amount_positive"),
            models.CheckConstraint(
                condition=models.Q(most_usd__isnull=True) | models.Q(amount_usd__lte=models.F("most_usd")),
                name="budget_within_most",
            ),
            models.CheckConstraint(
                condition=models.Q(window__in=["day", "week", "month", "lifetime"]),
                name="budget_window_known",
            ),
            models.CheckConstraint(
                condition=models.Q(mode__in=["balanced", "strict"]), name="budget_mode_known"
            ),
            models.CheckConstraint(
                condition=models.Q(raise_usd__isnull=True, raise_until__isnull=True)
                | models.Q(raise_usd__gt=0, raise_until__isnull=False),
                name="budget_raise_ends",
            ),
            *(
                models.UniqueConstraint(fields=[kind, "window"], name=f"budget_once_per_{kind}")
                for kind in KINDS
            ),
            models.UniqueConstraint(
                fields=["provider", "window"],
                condition=~models.Q(provider=""),
                name="budget_once_per_provider",
            ),
            models.UniqueConstraint(
                fields=["window"], condition=models.Q(is_deployment=True), name="budget_once_per_deployment"
            ),
        ]

    def __str__(self) -> str:
        return f"${Decimal(self.amount_usd).normalize():f} {self.get_window_display()}"

    @property
    def subject_text(self) -> str:
        """As sums and the store name it."""
        if self.is_deployment:
            return DEPLOYMENT
        if self.provider:
            return provider_name(self.provider)
        return store_name(self.subject) + (OWN if self.counts_own else "")

    @property
    def is_operators(self) -> bool:
        """Nobody's of a team."""
        return self.is_deployment or bool(self.provider)

    def window_at(self, at: float) -> Window:
        """The one that counts at that instant; Unix seconds."""
        return window_at(self.window, self.zone, at)

    def amount_at(self, at: float) -> int:
        """With a raise that is in force then; in 10^-10 USD."""
        raised: Any = self.raise_usd if self.raise_until and at < self.raise_until.timestamp() else None
        return units_of(self.amount_usd) + (units_of(raised) if raised else 0)


class BudgetNotice(models.Model):
    """That people were told how much of a budget is spent: once for each window and threshold."""

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="notices")
    starts_at = models.BigIntegerField(help_text="Of the window; Unix seconds.")
    threshold = models.PositiveSmallIntegerField(help_text="Percent.")
    told_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["budget", "starts_at", "threshold"], name="budget_notice_once")
        ]

    def __str__(self) -> str:
        return f"{self.threshold} % of {self.budget}"
