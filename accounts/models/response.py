"""Answers of `/v1/responses` that a team may come back to."""

from django.db import models


class StoredResponse(models.Model):
    """One answer with all that led to it, encrypted; gone at `expires_at`. What is in it only its team may read."""

    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="stored_responses")
    response_id = models.CharField(max_length=128)
    sealed = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["team", "response_id"], name="stored_response_once_per_team")
        ]

    def __str__(self) -> str:
        return self.response_id
