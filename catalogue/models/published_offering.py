"""What lists ask of a published model's offerings and their prices, as columns."""

from django.db import models


class PublishedOffering(models.Model):
    """One offering of a published model, for questions in SQL; the facts that clients see are in its content.

    It keeps what was published, so a list agrees with the records in it where the working row has moved on.
    References carry no database constraint: history outlives the rows that it names.
    """

    published = models.ForeignKey(
        "catalogue.PublishedModel", on_delete=models.CASCADE, related_name="offerings"
    )
    offering = models.ForeignKey(
        "catalogue.Offering", on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    provider = models.ForeignKey(
        "providers.Provider", on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    provider_slug = models.CharField(max_length=60)
    endpoints = models.TextField()
    params = models.TextField()
    regions = models.TextField(default="", db_default="")
    context_length = models.PositiveIntegerField(null=True)
    position = models.PositiveSmallIntegerField()
    effective_from = models.DateTimeField(null=True)
    effective_to = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"offering {self.offering_id} at provider {self.provider_id}"


class PublishedPrice(models.Model):
    """A price that lists show and compare: of the standard plan, in USD and without conditions."""

    offering = models.ForeignKey(PublishedOffering, on_delete=models.CASCADE, related_name="prices")
    meter = models.CharField(max_length=40)
    usd_per_unit = models.DecimalField(max_digits=40, decimal_places=20)
    valid_from = models.DateTimeField(null=True)
    valid_to = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.usd_per_unit.normalize():f} USD for one of {self.meter}"
