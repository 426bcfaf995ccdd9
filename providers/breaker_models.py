"""What staff hold of breakers, what breakers did, what came of it, and what billed probes found."""

from django.db import models
from django.utils import timezone

from providers.breaker import (
    BY_CREDENTIAL,
    BY_FAILURES,
    BY_MODEL_MISSING,
    BY_RATE,
    BY_RETRY_AFTER,
    BY_STAFF,
    CLOSED,
    HALF_OPEN,
    OPEN,
)


class Cause(models.TextChoices):
    FAILURES = BY_FAILURES, "failures in a row"
    RATE = BY_RATE, "too many of its calls fail"
    CREDENTIAL = BY_CREDENTIAL, "it refuses our credential or account"
    MODEL_MISSING = BY_MODEL_MISSING, "it does not know the model"
    RETRY_AFTER = BY_RETRY_AFTER, "it asked us to wait"
    STAFF = BY_STAFF, "staff hold it"


class BreakerHold(models.Model):
    """Staff's word on the breaker of an offering, or of all of a provider's. An offering's own goes before."""

    class Word(models.TextChoices):
        OPEN = OPEN, "open: no call goes there"
        CLOSED = CLOSED, "closed: calls go there, whatever fails"

    provider = models.OneToOneField(
        "providers.Provider", on_delete=models.CASCADE, null=True, related_name="breaker_hold"
    )
    offering = models.OneToOneField(
        "catalogue.Offering", on_delete=models.CASCADE, null=True, related_name="breaker_hold"
    )
    word = models.CharField(max_length=6, choices=Word)
    set_by = models.CharField(max_length=160, blank=True)
    set_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(provider__isnull=False, offering__isnull=True)
                | models.Q(provider__isnull=True, offering__isnull=False),
                name="breaker_hold_one_subject",
            ),
            models.CheckConstraint(
                condition=models.Q(word__in=[OPEN, CLOSED]), name="breaker_hold_word_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offering or self.provider} held {self.word}"


class HealthEvent(models.Model):
    """A breaker changed its state: one row for each time, whichever and however many processes saw it."""

    class State(models.TextChoices):
        CLOSED = CLOSED, "closed"
        OPEN = OPEN, "open"
        HALF_OPEN = HALF_OPEN, "half-open"

    provider = models.ForeignKey("providers.Provider", on_delete=models.CASCADE, related_name="health_events")
    offering = models.ForeignKey(
        "catalogue.Offering", on_delete=models.CASCADE, null=True, related_name="health_events"
    )
    credential_id = models.PositiveBigIntegerField(null=True)
    way = models.CharField(max_length=48)
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=9, choices=State)
    cause = models.CharField(max_length=14, choices=Cause, blank=True)
    at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    told_by = models.CharField(max_length=160)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["way", "number"], name="health_event_once")]
        indexes = [
            models.Index(fields=["provider", "-at"], name="health_event_by_provider"),
            models.Index(fields=["offering", "-at"], name="health_event_by_offering"),
        ]

    def __str__(self) -> str:
        return f"{self.offering or self.provider}: {self.get_state_display()} at {self.at:%Y-%m-%d %H:%M:%S}"


class Incident(models.Model):
    """A breaker was open by itself, from the first time until calls got through again."""

    provider = models.ForeignKey("providers.Provider", on_delete=models.CASCADE, related_name="incidents")
    offering = models.ForeignKey(
        "catalogue.Offering", on_delete=models.CASCADE, null=True, related_name="incidents"
    )
    way = models.CharField(max_length=48)
    cause = models.CharField(max_length=14, choices=Cause)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-began_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["way"], condition=models.Q(ended_at__isnull=True), name="incident_open_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.offering or self.provider}: {self.get_cause_display()}"


class BilledProbe(models.Model):
    """When an offering may next be asked at a cost, and what was found the last time."""

    offering = models.OneToOneField(
        "catalogue.Offering", on_delete=models.CASCADE, related_name="billed_probe"
    )
    next_at = models.DateTimeField()
    at = models.DateTimeField(null=True)
    is_healthy = models.BooleanField(null=True)
    latency_ms = models.FloatField(null=True)
    error = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"billed probe of {self.offering}"
