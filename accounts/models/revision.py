"""The counter by which every process notices that something it holds in memory has changed."""

from django.db import models


class Revision(models.Model):
    """Three rows: of every change (`WHOLE`), of changes to keys alone (`OF_KEYS`), and of rules (`OF_RULES`).

    `number` grows with every change that the data plane must see, in the same transaction. The part columns hold
    the number at which that part last changed. A row's lock is held until commit, so numbers become visible in
    order and `revision > seen` misses nothing. Keys have a row of their own so that revoking one waits for no
    change of the catalogue, however long that takes. So have limits and budgets, the rules, which are read by
    themselves: their row counts them alone.
    It lives here because accounts is the package that all others may import.
    """

    WHOLE = 1
    OF_KEYS = 2
    OF_RULES = 3

    class Part(models.TextChoices):
        CATALOGUE = "catalogue"
        PROVIDERS = "providers"
        KEYS = "keys"
        RULES = "rules"

    number = models.BigIntegerField(default=0)
    catalogue = models.BigIntegerField(default=0)
    providers = models.BigIntegerField(default=0)
    keys = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(pk__in=[1, 2, 3]), name="revision_three_rows")
        ]

    def __str__(self) -> str:
        return str(self.number)
