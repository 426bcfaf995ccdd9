"""What was spent, added up: the ledger in sums, so that a window of any budget is a few rows."""

from django.db import models


class Spend(models.Model):
    """What one subject spent in a quarter of an hour, a day of UTC, or ever; only the recorder writes it.

    It is written with the rows of the ledger that it adds up, in one transaction. A call counts when it started.
    """

    class Grain(models.TextChoices):
        QUARTER = "quarter", "Quarter of an hour"
        DAY = "day", "Day of UTC"
        TOTAL = "total", "Ever"

    pk = models.CompositePrimaryKey("subject", "grain", "starts_at")
    subject = models.CharField(max_length=80, help_text="Such as key:7 or provider:acme; or deployment.")
    grain = models.CharField(max_length=7, choices=Grain)
    starts_at = models.BigIntegerField(help_text="Unix seconds.")
    cost = models.BigIntegerField(
        help_text="In 10^-10 USD. Of teams and theirs what they are charged, of providers and the deployment the cost."
    )
    loss = models.BigIntegerField(help_text="Borne by the operator, in 10^-10 USD.")

    class Meta:
        verbose_name_plural = "spend"

    def __str__(self) -> str:
        return f"{self.subject}, {self.grain} {self.starts_at}"


class SpendVersion(models.Model):
    """How often what was spent has been added to; one row. Whoever reads it reads sums with all of the ledger then."""

    number = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="spend_version_one_row")]

    def __str__(self) -> str:
        return str(self.number)


class SpoolMark(models.Model):
    """How far a process' closed attempts are in the ledger: all up to the one of the number `seq`."""

    process = models.CharField(max_length=120, primary_key=True)
    seq = models.BigIntegerField()
    moved_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.process} up to {self.seq}"
