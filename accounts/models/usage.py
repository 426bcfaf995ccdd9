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


class _Measures(models.Model):
    """From `starts_at` on. What corrects an entry counts with its money alone.

    Empty is 0: most sums are, and so a row takes half the
    room. Money is in 10^-10 USD. `latency_us` and `first_token_us` are sums over as many attempts as `…_told` says.
    """

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


class _Sums(_Measures):
    """Of one series."""

    pk = models.CompositePrimaryKey("series_id", "starts_at")
    series_id = models.UUIDField()

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


class UsageCoarse(_Measures):
    """Sums of a team's days once more, of few members together or over a month, so that long times are read from few.

    Made in the background of days that are closed (`UsageClosed`); rows of others are left over, and are not read.
    """

    team_id = models.BigIntegerField()
    face = models.CharField(max_length=4, help_text="Which members tell its rows apart: others are empty.")
    grain = models.CharField(
        max_length=6, help_text="closed and month: from a midnight of the team's zone; utc: of UTC."
    )
    project = models.CharField(max_length=64, null=True)  # noqa: DJ001  # else what a face has not takes room
    project_id = models.BigIntegerField(null=True)
    lineage_id = models.BigIntegerField(null=True)
    member_id = models.BigIntegerField(null=True)
    service_account_id = models.BigIntegerField(null=True)
    model = models.CharField(max_length=200, null=True)  # noqa: DJ001
    provider = models.CharField(max_length=60, null=True)  # noqa: DJ001
    endpoint = models.CharField(max_length=40, null=True)  # noqa: DJ001
    outcome = models.CharField(max_length=12, null=True)  # noqa: DJ001
    surface = models.CharField(max_length=20, null=True)  # noqa: DJ001
    kind = models.CharField(max_length=10, null=True)  # noqa: DJ001
    errors = _sum("Calls that nobody who called is to blame for not ending well.")

    class Meta:
        verbose_name_plural = "usage summed up coarsely"
        indexes = [
            models.Index(fields=["team_id", "face", "grain", "starts_at"], name="usage_coarse_by_team"),
            models.Index(fields=["face", "grain", "starts_at"], name="usage_coarse_by_start"),
        ]

    def __str__(self) -> str:
        return f"{self.face} by {self.grain} of team {self.team_id} from {self.starts_at}"


class UsageClosed(models.Model):
    """Up to where a team's days are summed up coarsely. Whoever changes sums of before sets it back."""

    team = models.OneToOneField(
        "accounts.Team", on_delete=models.CASCADE, primary_key=True, related_name="usage_closed"
    )
    zone = models.CharField(max_length=64, help_text="In which those days begin.")
    closed_to = models.BigIntegerField(help_text="A midnight there. Unix seconds.")

    class Meta:
        verbose_name_plural = "usage that is closed"

    def __str__(self) -> str:
        return f"team {self.team_id} to {self.closed_to}"


class UsageBackfill(models.Model):
    """How far usage is added up of what was in the ledger before it was added up as it came; one row."""

    before = models.BigIntegerField(
        default=0, help_text="Days of UTC that begin earlier are still to be added up; 0: none. Unix seconds."
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="usage_backfill_one_row")]

    def __str__(self) -> str:
        return str(self.before)
