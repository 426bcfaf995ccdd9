"""Requests that may be sent again."""

from django.db import models


class KeyRequest(models.Model):
    """A request that issued a key under an `Idempotency-Key`, so that it is answered with the same key when it comes
    again. The key's own text is kept for a few minutes only, sealed; then `sealed` is empty."""

    name = models.CharField(max_length=64, unique=True, help_text="A digest of who asked, and of the header.")
    asked = models.CharField(max_length=64, help_text="A digest of what was asked.")
    key = models.ForeignKey("accounts.Key", on_delete=models.CASCADE, related_name="+")
    sealed = models.TextField(blank=True)
    made_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"request for {self.key_id}"
