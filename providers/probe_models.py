"""What probes and calls found of providers: whether they answer, what they refuse, and which models they list."""

from django.db import models

from providers.querysets import AlarmQuerySet


class ProbeResult(models.Model):
    """What one probe of a provider found."""

    provider = models.ForeignKey("providers.Provider", on_delete=models.CASCADE, related_name="probe_results")
    at = models.DateTimeField()
    is_healthy = models.BooleanField()
    status = models.PositiveSmallIntegerField(null=True)
    latency_ms = models.FloatField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["provider", "-at"], name="probe_by_provider")]

    def __str__(self) -> str:
        return (
            f"{self.provider} {'healthy' if self.is_healthy else 'unhealthy'} at {self.at:%Y-%m-%d %H:%M:%S}"
        )


class Alarm(models.Model):
    """A provider refuses our credential or account: somebody has to act. Open until calls get through again.

    `upstream_name` is empty where all of the provider is concerned, not one of its models.
    """

    provider = models.ForeignKey("providers.Provider", on_delete=models.CASCADE, related_name="alarms")
    upstream_name = models.CharField(max_length=200, blank=True)
    code = models.CharField(max_length=60)
    status = models.PositiveSmallIntegerField(null=True)
    message = models.CharField(
        max_length=600, help_text="What the provider said, without secrets and places."
    )
    calls = models.PositiveIntegerField(default=0, help_text="Attempts that were refused.")
    began_at = models.DateTimeField()
    last_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    objects = AlarmQuerySet.as_manager()

    class Meta:
        ordering = ["-began_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "upstream_name"],
                condition=models.Q(cleared_at__isnull=True),
                name="alarm_open_once",
            )
        ]

    def __str__(self) -> str:
        what = f"{self.provider}, {self.upstream_name}" if self.upstream_name else str(self.provider)
        return f"{what}: {self.code}"


class UpstreamList(models.Model):
    """The names that a provider gave its models when a probe last asked for its list."""

    provider = models.OneToOneField(
        "providers.Provider", on_delete=models.CASCADE, related_name="upstream_list"
    )
    names = models.JSONField(default=list)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{len(self.names)} models at {self.provider}"
