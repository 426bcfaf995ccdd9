"""What each key and each member of a team gets, and may have at most."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import models

from accounts import allowance_terms
from accounts.money import plain
from gateway.core.refusals import InvalidField


class Allowance(models.Model):
    """A limit or a budget that each key, or each member, of a team gets when it is made or they join.

    Rows of limits and budgets are made from it, and what holds is there. `amount` is what new ones get; `most` is
    staff's word: none has more, older ones neither, and none is without.
    """

    class Whose(models.TextChoices):
        KEY = "key", "each key"
        MEMBER = "member", "each member"

    class Unit(models.TextChoices):
        REQUESTS = "requests", "requests"
        TOKENS = "tokens", "tokens, in and out"
        INPUT_TOKENS = "input_tokens", "input tokens"
        OUTPUT_TOKENS = "output_tokens", "output tokens"
        CONCURRENCY = "concurrency", "calls at once"
        USD = "usd", "USD"

    class Window(models.TextChoices):
        MINUTE = "minute", "a minute"
        DAY = "day", "a day"
        WEEK = "week", "a week"
        MONTH = "month", "a month"
        LIFETIME = "lifetime", "ever"
        NONE = "none", "at any time"

    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="allowances")
    whose = models.CharField(max_length=6, choices=Whose)
    unit = models.CharField(max_length=16, choices=Unit)
    window = models.CharField(
        max_length=8,
        choices=Window,
        default=Window.MONTH,
        help_text="Money has a day, a week, a month or ever; all else a minute or a day, calls at once none.",
    )
    amount = models.DecimalField(
        max_digits=23,
        decimal_places=10,
        null=True,
        blank=True,
        help_text="What a new key, or somebody who joins, gets. Empty: as much as they may have at most.",
    )
    most = models.DecimalField(
        max_digits=23,
        decimal_places=10,
        null=True,
        blank=True,
        help_text="What none has more of, older ones neither. Empty: there is no ceiling.",
    )

    class Meta:
        ordering = ["whose", "unit", "window", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "whose", "unit", "window"], name="allowance_once_per_team"
            ),
            models.CheckConstraint(
                condition=models.Q(amount__isnull=False) | models.Q(most__isnull=False),
                name="allowance_says_something",
            ),
            models.CheckConstraint(
                condition=models.Q(amount__isnull=True)
                | models.Q(most__isnull=True)
                | models.Q(amount__lte=models.F("most")),
                name="allowance_within_most",
            ),
            models.CheckConstraint(
                condition=models.Q(whose__in=["key", "member"]), name="allowance_whose_known"
            ),
        ]

    def __str__(self) -> str:
        unit = self.get_unit_display().partition(",")[0]
        window = "" if self.window == self.Window.NONE else f" {self.get_window_display()}"
        return f"{unit}{window} of {self.get_whose_display()}"

    def clean(self) -> None:
        """Whatever window stands beside calls at once, they have none."""
        if self.unit == self.Unit.CONCURRENCY:
            self.window = self.Window.NONE
        if not (self.unit and self.whose):
            # Said at the field by whoever asked for it.
            return
        try:
            allowance_terms.check(self.whose, self.unit, self.window, self.amount, self.most)
        except InvalidField as fault:
            raise ValidationError({fault.field: fault.message}) from None

    @property
    def is_money(self) -> bool:
        return self.unit == self.Unit.USD

    def written(self, amount: Decimal | None) -> str:
        """As people read it; empty where there is none."""
        if amount is None:
            return ""
        return f"${plain(amount)}" if self.is_money else f"{int(amount):,}"
