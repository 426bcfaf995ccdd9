"""Editions and the models they published."""

from django.conf import settings
from django.db import models

from catalogue.querysets.published import PublishedModelQuerySet


class Edition(models.Model):
    """One numbered act of publishing. Its number is the revision at which it was made, so that numbers have gaps.

    People count editions by their place, from 1 on; one that an older version of the gateway made meanwhile has none.
    """

    number = models.BigIntegerField(primary_key=True)
    place = models.PositiveBigIntegerField("edition", null=True, editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    note = models.CharField(max_length=300, blank=True)
    published_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"edition {self.place or self.number}"


class PublishedModel(models.Model):
    """A model as clients see it, from one edition to another. Written by publishing only, never edited.

    `content` holds facts that do not change with time (dates, offerings with their dated prices); status and
    current prices are derived from it at the moment of reading. Its shape is `catalogue.published.content.Content`.
    The other columns repeat what lists ask in SQL; lists of words are one text with a space around each word.
    """

    public_id = models.CharField(max_length=200, db_index=True)
    kind = models.CharField(max_length=5, default="model", db_default="model")
    organisation_id = models.CharField(max_length=60)
    name = models.CharField(max_length=150)
    sort_name = models.CharField(max_length=300)
    search_text = models.TextField()
    release_at = models.DateTimeField(null=True)
    deprecation_at = models.DateTimeField(null=True)
    retirement_at = models.DateTimeField(null=True)
    input_types = models.TextField()
    output_types = models.TextField()
    context_length = models.PositiveIntegerField(null=True)
    reasoning_tier = models.CharField(max_length=6)
    open_weights = models.BooleanField(null=True)
    content = models.JSONField()
    digest = models.CharField(max_length=64)
    edition_from = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="opened")
    edition_to = models.ForeignKey(Edition, on_delete=models.PROTECT, null=True, related_name="closed")

    objects = PublishedModelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["public_id"],
                condition=models.Q(edition_to__isnull=True),
                name="published_one_current_row",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} from edition {self.edition_from_id}"

    def is_live_at(self, edition: int) -> bool:
        """The rule of PublishedModelQuerySet.at_edition, for a row in hand."""
        return self.edition_from_id <= edition and (
            self.edition_to_id is None or self.edition_to_id > edition
        )
