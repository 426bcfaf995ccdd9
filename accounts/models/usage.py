"""What was used, added up: the ledger in sums by quarter of an hour and by day, for whoever asks over long times."""

from django.db import models


def _sum(help_text: str = "") -> "models.BigIntegerField[int | None, int | None]":
    return models.BigIntegerField(null=True, help_text=help_text)


class UsageSeries(models.Model):
    """All attempts that share whose, what and how they were. Its id is a digest of its members, so nobody looks it up.

    A number of 0 and an empty text mean none. Rows are only ever added.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    team_id = models.BigIntegerField(help_text="0: the operator itself.")
    project = models.CharField(max_length=64, blank=True)
    project_id = models.BigIntegerField()
    lineage_id = models.BigIntegerField(help_text="The first key of the key's lineage.")
    member_id = models.BigIntegerField()
    service_account_id = models.BigIntegerField()
    model = models.CharField(max_length=200)
    provider = models.CharField(max_length=60)
    endpoint = models.CharField(max_length=40)
    outcome = models.CharField(max_length=12)
    surface = models.CharField(max_length=20, blank=True)
    kind = models.CharField(max_length=10)

    class Meta:
        verbose_name_plural = "usage series"
        indexes = [models.Index(fields=["team_id"], name="usage_series_by_team")]

    def __str__(self) -> str:
        return f"{self.model} at {self.provider}, {self.outcome}"


class _Sums(models.Model):
    """Of one series, from `starts_at` on. What corrects an entry counts with its money alone.

    Empty is 0: most sums are, and so a row takes half the
    room. Money is in 10^-10 USD. `latency_us` and `first_token_us` are sums over as many attempts as `…_told` says.
    """

    pk = models.CompositePrimaryKey("series_id", "starts_at")
    series_id = models.UUIDField()
    starts_at = models.BigIntegerField(help_text="Unix seconds.")
    calls = _sum("Attempts that were not failed over.")
    attempts = _sum()
    input_tokens = _sum()
    output_tokens = _sum()
    cached_read_tokens = _sum()
    cached_write_tokens = _sum()
    cached_write_1h_tokens = _sum()
    reasoning_tokens = _sum()
    input_audio_tokens = _sum()
    output_audio_tokens = _sum()
    input_image_tokens = _sum()
    output_image_tokens = _sum()
    web_searches = _sum()
    cost = _sum()
    charge = _sum()
    loss = _sum()
    own_cost = _sum()
    latency_us = _sum()
    latency_told = _sum()
    first_token_us = _sum()
    first_token_told = _sum()
    estimated = _sum("Attempts whose usage was estimated.")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.series_id} from {self.starts_at}"


class UsageQuarter(_Sums):
    """A quarter of an hour of UTC. It is written with the rows of the ledger that it adds up, in one transaction."""

    class Meta:
        verbose_name_plural = "usage by quarter of an hour"
        indexes = [models.Index(fields=["starts_at"], name="usage_quarter_by_start")]


class UsageDay(_Sums):
    """A day, from midnight in the zone that its team's days are in (`Team.usage_zone`)."""

    class Meta:
        verbose_name_plural = "usage by day"
        indexes = [models.Index(fields=["starts_at"], name="usage_day_by_start")]


class UsageBackfill(models.Model):
    """How far usage is added up of what was in the ledger before it was added up as it came; one row."""

    before = models.BigIntegerField(
        default=0, help_text="Days of UTC that begin earlier are still to be added up; 0: none. Unix seconds."
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="usage_backfill_one_row")]

    def __str__(self) -> str:
        return str(self.before)
