"""Statements: what a team, or a cost centre, was charged in a month, as it was told to it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from django.db import models

from accounts.money import usd_of

_TOLD = "What was told stays as it was told: a later statement puts it right."


class _ToldQuerySet(models.QuerySet[Any]):
    def update(self, **_kwargs: Any) -> NoReturn:
        raise TypeError(_TOLD)

    def delete(self) -> NoReturn:
        raise TypeError(_TOLD)


class _Told(models.Model):
    """Written once. Raises TypeError where it would be changed; triggers of the database refuse it, too."""

    objects = _ToldQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError(_TOLD)
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise TypeError(_TOLD)


class _ToldMoney(_Told):
    cost = models.BigIntegerField(help_text="By the price list, in 10⁻¹⁰ USD.")
    charge = models.BigIntegerField(help_text="In 10⁻¹⁰ USD.")

    class Meta:
        abstract = True

    @property
    def cost_usd(self) -> Decimal:
        return usd_of(self.cost)

    @property
    def charge_usd(self) -> Decimal:
        return usd_of(self.charge)


class StatementNumber(models.Model):
    """The last number that a statement has, in one row. A statement's own transaction takes it: none is left out."""

    last = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="statement_number_one_row")]

    def __str__(self) -> str:
        return str(self.last)


class Statement(_ToldMoney):
    """A team's month, closed: numbered, and never changed.

    All that it says is kept by value, so it outlives the team, its name and its keys. What is booked later for the
    month stands in a later statement, in lines that name this one.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    team = models.ForeignKey(
        "accounts.Team",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="statements",
    )
    team_slug = models.CharField(max_length=60)
    team_name = models.CharField(max_length=100)
    cost_centre = models.CharField(max_length=100, blank=True)
    month = models.CharField(max_length=7, help_text="As 2026-10.")
    zone = models.CharField(max_length=64, help_text="Where the month began and ended at midnight.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="What began at that instant is in the next month.")
    closed_at = models.DateTimeField()
    calls = models.BigIntegerField()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["team", "month"], name="statement_once_a_month")]

    def __str__(self) -> str:
        return f"Statement {self.number}: {self.team_name}, {self.month}"

    @property
    def first_day(self) -> datetime:
        """When it began, by the clocks of its zone."""
        return self.starts_at.astimezone(ZoneInfo(self.zone))

    @property
    def period(self) -> str:
        """As people say it, such as October 2026."""
        return _say_month(self.month)


class CentreStatement(_ToldMoney):
    """What the teams of a cost centre were charged in a month: all that their own statements say, summed up once.

    A team's statement that is made after this one is part of the next.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    cost_centre = models.CharField(max_length=100)
    month = models.CharField(max_length=7, help_text="As 2026-10.")
    closed_at = models.DateTimeField()
    calls = models.BigIntegerField()

    class Meta:
        ordering = ["-number"]
        verbose_name = "cost centre's statement"
        constraints = [
            models.UniqueConstraint(fields=["cost_centre", "month"], name="centre_statement_once_a_month")
        ]

    def __str__(self) -> str:
        return f"Statement C{self.number}: {self.cost_centre}, {self.month}"

    @property
    def period(self) -> str:
        """As people say it, such as October 2026."""
        return _say_month(self.month)


class CentreStatementPart(_Told):
    """A team's statement on its cost centre's, once."""

    centre_statement = models.ForeignKey(CentreStatement, on_delete=models.PROTECT, related_name="parts")
    statement = models.OneToOneField(Statement, on_delete=models.PROTECT, related_name="centre_part")

    class Meta:
        ordering = ["centre_statement_id", "statement_id"]

    def __str__(self) -> str:
        return f"{self.statement} on {self.centre_statement}"


def _say_month(month: str) -> str:
    year, number = map(int, month.split("-"))
    return f"{datetime(year, number, 1, tzinfo=UTC):%B %Y}"


class StatementLine(_ToldMoney):
    """What a project used of one model at one provider with one key, at one factor; or what was put right of that."""

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    corrects = models.ForeignKey(
        Statement,
        on_delete=models.PROTECT,
        null=True,
        related_name="corrected_in",
        help_text="The earlier statement to which this adds. Empty: it is of the month itself.",
    )
    project = models.CharField(max_length=64, blank=True)
    lineage_id = models.BigIntegerField(
        help_text="The first key of the key's lineage; 0: of before this was kept."
    )
    key = models.CharField(max_length=16, blank=True, help_text="Its public id. Empty: the key is gone.")
    key_name = models.CharField(max_length=100, blank=True)
    model = models.CharField(max_length=200)
    provider = models.CharField(max_length=60)
    factor = models.DecimalField(
        max_digits=9,
        decimal_places=4,
        null=True,
        help_text="By which the cost was charged. Empty: of what was booked later it is not told.",
    )
    calls = models.BigIntegerField()
    input_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    cached_read_tokens = models.BigIntegerField()
    cached_write_tokens = models.BigIntegerField()
    own_cost = models.BigIntegerField(
        help_text="What calls on the team's own credentials would have cost, in 10⁻¹⁰ USD. It is not charged."
    )

    class Meta:
        ordering = ["statement", "position"]
        constraints = [models.UniqueConstraint(fields=["statement", "position"], name="statement_line_once")]

    def __str__(self) -> str:
        return f"{self.model} at {self.provider}"

    @property
    def own_cost_usd(self) -> Decimal:
        return usd_of(self.own_cost)
