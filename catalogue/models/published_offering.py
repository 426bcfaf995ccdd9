"""What lists ask of a published model's offerings, as columns."""

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
    effective_from = models.DateTimeField(null=True)
    effective_to = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"offering {self.offering_id} at provider {self.provider_id}"
