"""How far the audit is sent on."""

from django.db import models


class AuditReceiver(models.Model):
    """A SIEM that settings name, and up to which entry it has the audit. Kept when settings name it no more."""

    name = models.CharField(
        "receiver", max_length=300, unique=True, help_text="Its address, without secrets."
    )
    sent_id = models.BigIntegerField(default=0, help_text="The last entry that it took.")
    sent = models.PositiveBigIntegerField("entries sent", default=0)
    delivered_at = models.DateTimeField("took some last", null=True)
    failing_since = models.DateTimeField(null=True)
    problem = models.CharField(max_length=200, blank=True)
    tries = models.PositiveIntegerField(default=0, help_text="That failed since it took something.")
    due_at = models.DateTimeField("tried again", null=True)
    claimed_until = models.DateTimeField(null=True, help_text="Until then one process sends, and no other.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "audit receiver"

    def __str__(self) -> str:
        return self.name
