"""The counter by which every process notices that something it holds in memory has changed."""

from django.db import models


class Revision(models.Model):
    """One row. `number` grows with every change that the data plane must see, in the same transaction.

    The part columns hold the number at which that part last changed. The row's lock is held until commit, so
    numbers become visible in order and `revision > seen` misses nothing.
    It lives here because accounts is the package that all others may import.
    """

    class Part(models.TextChoices):
        CATALOGUE = "catalogue"
        PROVIDERS = "providers"
        KEYS = "keys"

    number = models.BigIntegerField(default=0)
    catalogue = models.BigIntegerField(default=0)
    providers = models.BigIntegerField(default=0)
    keys = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="revision_single_row")]

    def __str__(self) -> str:
        return str(self.number)
