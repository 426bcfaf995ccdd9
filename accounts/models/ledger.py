"""The ledger: what every attempt at a provider used and cost."""

from decimal import Decimal

from django.db import models

from accounts.querysets import LedgerQuerySet

TROUBLED = (
    ~models.Q(outcome="finished")
    | models.Q(number__gt=1)
    | models.Q(status__gte=300)
    | ~models.Q(error_code="")
)
"""Attempts that did not go as most do: few rows, which have indexes of their own. Queries say it word for word."""
_OF_TROUBLE = ("-started_at", "status", "error_code", "outcome", "number", "key")


class LedgerEntry(models.Model):
    """One attempt that a provider saw, exactly once, however it ended, or what was put right about one later.

    An entry is never changed: another one corrects it, with the difference, at the instant at which that one started,
    so that it counts where that one did; when it was booked is its `ended_at`. The row pins what it needs by value, so
    it outlives keys, models and providers; references carry no database constraint for the same reason. Team and key
    are 0 where the operator itself asked.
    """

    class Kind(models.TextChoices):
        ATTEMPT = "attempt", "Attempt"
        CORRECTION = "correction", "Correction"
        REPRICE = "reprice", "Priced anew"
        REFUND = "refund", "Refund"

    class Outcome(models.TextChoices):
        FINISHED = "finished", "Finished"
        FAILED = "failed", "Failed"
        FAILED_OVER = "failed_over", "Failed, next offering tried"
        CUT = "cut", "Cut by the provider"
        CANCELLED = "cancelled", "Ended before it was whole"
        UNKNOWN = "unknown", "Unknown: our process died"

    class Lane(models.TextChoices):
        WORKER = "worker", "Worker"
        DIRECT = "direct", "Direct"

    attempt_id = models.UUIDField(primary_key=True)
    call_id = models.UUIDField(db_index=True)
    request_id = models.CharField(max_length=64)
    number = models.PositiveSmallIntegerField(help_text="1 for the first attempt of a call.")
    lane = models.CharField(max_length=8, choices=Lane)
    endpoint = models.CharField(max_length=40)
    team = models.ForeignKey(
        "accounts.Team", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    key = models.ForeignKey(
        "accounts.Key",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="ledger_entries",
    )
    project = models.CharField(max_length=64, blank=True)
    requested_model = models.CharField(max_length=200)
    redirected_from = models.CharField(
        max_length=200,
        blank=True,
        help_text="The retired model that was asked for, where its successor answered.",
    )
    model = models.CharField(max_length=200)
    provider = models.CharField(max_length=60)
    upstream_name = models.CharField(max_length=200)
    is_streamed = models.BooleanField()
    started_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, choices=Outcome)
    status = models.PositiveSmallIntegerField(
        null=True, help_text="The provider's HTTP status; empty if none came."
    )
    error_code = models.CharField(max_length=60, blank=True)
    input_tokens = models.PositiveBigIntegerField(null=True)
    output_tokens = models.PositiveBigIntegerField(null=True)
    usage = models.JSONField(default=dict, help_text="Token counts by kind, in the ledger's own names.")
    is_estimated = models.BooleanField(default=False)
    prices = models.JSONField(default=list, help_text="The price rows that applied, by value.")
    cost_usd = models.DecimalField(
        max_digits=20, decimal_places=10, help_text="By the price list, where the team answers for it."
    )
    loss_usd = models.DecimalField(max_digits=20, decimal_places=10, help_text="Borne by the operator.")
    latency_ms = models.FloatField(null=True)
    first_token_ms = models.FloatField(null=True)
    end_user = models.CharField(  # noqa: DJ001  # rows of before it are not written anew
        max_length=32,
        null=True,
        blank=True,
        help_text="Whose request it was, as the client says it: hashed with the team.",
    )
    lineage_id = models.BigIntegerField(
        null=True,
        editable=False,
        help_text="The first key of the key's lineage. 0: of before this was kept. Empty: not in the sums yet.",
    )
    member_id = models.BigIntegerField(
        null=True, editable=False, help_text="The membership whose key it was."
    )
    service_account_id = models.BigIntegerField(null=True, editable=False)
    project_id = models.BigIntegerField(
        null=True, editable=False, help_text="The row of the project, if any."
    )
    own_credential_id = models.BigIntegerField(
        null=True,
        editable=False,
        help_text="The credential of the team's own that opened the provider, if one did: the team pays there.",
    )
    own_cost_usd = models.DecimalField(
        max_digits=20,
        decimal_places=10,
        default=Decimal(0),
        db_default=Decimal(0),
        help_text="What a call on the team's own credential would have cost.",
    )
    kind = models.CharField(
        max_length=10, choices=Kind, default=Kind.ATTEMPT.value, db_default=Kind.ATTEMPT.value
    )
    corrects_id = models.UUIDField(null=True, editable=False, help_text="The entry that it puts right.")
    charge_factor = models.DecimalField(
        max_digits=9,
        decimal_places=4,
        default=Decimal(1),
        db_default=Decimal(1),
        help_text="The team's, when the attempt began.",
    )
    charge_usd = models.DecimalField(
        max_digits=20,
        decimal_places=10,
        null=True,
        help_text="Charged to the team: the cost times the factor. Empty: the cost.",
    )
    surface = models.CharField(
        max_length=20, blank=True, default="", db_default="", help_text="The format that the client speaks."
    )
    recorded_at = models.DateTimeField(
        null=True, editable=False, help_text="When it was recorded, where that was long after its end."
    )
    note = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="Why an entry was put right."
    )

    objects = LedgerQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "ledger entries"
        permissions = [("correct_ledgerentry", "Can put entries of the ledger right")]
        ordering = ["-started_at"]
        indexes = [
            models.Index(fields=["team", "-started_at"], name="ledger_by_team"),
            models.Index(fields=["key", "-started_at"], name="ledger_by_key"),
            models.Index(fields=["request_id"], name="ledger_by_request"),
            models.Index(
                fields=["project", "-started_at"],
                condition=~models.Q(project=""),
                name="ledger_by_project",
            ),
            models.Index(
                fields=["attempt_id"], condition=models.Q(lineage_id__isnull=True), name="ledger_not_in_sums"
            ),
            models.Index(
                fields=["corrects_id"],
                condition=models.Q(corrects_id__isnull=False),
                name="ledger_by_corrected",
            ),
            models.Index(fields=_OF_TROUBLE, condition=TROUBLED, name="ledger_troubled"),
            models.Index(fields=("team", *_OF_TROUBLE), condition=TROUBLED, name="ledger_troubled_by_team"),
            models.Index(
                fields=["end_user", "-started_at"],
                condition=models.Q(end_user__isnull=False),
                name="ledger_by_end_user",
            ),
            models.Index(
                fields=["team", "-started_at"],
                condition=models.Q(own_credential_id__isnull=False),
                name="ledger_by_own",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(kind="attempt") | models.Q(cost_usd__gte=0, charge_usd__gte=0),
                name="ledger_attempt_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} at {self.provider}, {self.outcome}"

    @property
    def charged_usd(self) -> Decimal:
        """What the team was charged."""
        return self.cost_usd if self.charge_usd is None else self.charge_usd
