"""Teams and their terms."""

from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from accounts.models.restricted import RestrictedModel, list_field
from accounts.policies import POLICY_CHOICES, LifecyclePolicy
from accounts.windows import is_zone
from gateway.core.lines import OneLineTexts

CHARGE_FACTOR_MOST = 100


def check_zone(name: str) -> None:
    """Raises django.core.exceptions.ValidationError."""
    if not is_zone(name):
        raise ValidationError("There is no time zone '%(name)s'.", params={"name": name[:40]})


def _positive(help_text: str) -> "models.PositiveIntegerField[int | None, int | None]":
    return models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text=help_text
    )


class Team(OneLineTexts, RestrictedModel):
    """The party that owns keys and is charged for calls. Switching a team off stops all of its keys.

    What it may not reach, none of its keys may. Staff switch it off; its owners can freeze it, which stops the same
    keys and is theirs to undo. Archived: it is over, and kept for the ledger.
    """

    class NewModels(models.TextChoices):
        AS_SET = "", "As set for the gateway"
        OPEN = "open", "Open: a key without a list may call every model"
        CLOSED = "closed", "Closed: only what the team or the key lists may be called"

    class LeakedKeys(models.TextChoices):
        AS_SET = "", "As set for the gateway"
        REVOKE = "revoke", "Revoke the key at once, and tell"
        TELL = "tell", "Only tell"

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=60, unique=True)
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: every key of this team is refused within a second."
    )
    lifecycle_policy = models.CharField(
        max_length=8,
        choices=POLICY_CHOICES,
        default=LifecyclePolicy.ADVISE.value,
        help_text="What its calls meet at the end of a model's life. An alias may have a policy of its own.",
    )
    keeps_responses = models.BooleanField(
        "may store responses",
        default=True,
        help_text="Answers of /v1/responses are kept, encrypted, so that clients can go on from them. "
        "A client that sends store: false has nothing kept in any case.",
    )
    cost_centre = models.CharField(
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text="Whom its bills go to, as your books name it.",
    )
    charge_factor = models.DecimalField(
        max_digits=9,
        decimal_places=4,
        default=Decimal(1),
        db_default=Decimal(1),
        validators=[MinValueValidator(0), MaxValueValidator(CHARGE_FACTOR_MOST)],
        help_text="What it is charged is what its calls cost times this: 0.9 gives a tenth off, 1.2 adds a fifth. "
        "Calls that begin from now on have it.",
    )
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        db_default="UTC",
        validators=[check_zone],
        help_text="Where its days begin at midnight in what it used, such as Europe/Berlin.",
    )
    usage_zone = models.CharField(
        max_length=64,
        default="UTC",
        db_default="UTC",
        editable=False,
        help_text="Where the days begin into which its usage is added up: the time zone, once that was done.",
    )
    frozen_at = models.DateTimeField(null=True, blank=True, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    model_patterns = list_field('Models that its keys may call, such as ["anthropic/*"]. Empty: all.')
    new_models = models.CharField(
        max_length=6,
        choices=NewModels,
        blank=True,
        default=NewModels.AS_SET,
        db_default="",
        help_text="Whether a model may be called that nobody has listed.",
    )
    allows_free_projects = models.BooleanField(
        "allows free project tags",
        default=True,
        db_default=True,
        help_text="Off: calls may name the team's own projects only.",
    )
    key_requests_per_minute = _positive("What a new key gets where nothing is said. Empty: no limit.")
    key_requests_per_minute_most = _positive(
        "No key of the team has more, older ones neither. Empty: no ceiling."
    )
    key_concurrency = _positive("What a new key gets where nothing is said. Empty: no limit.")
    key_concurrency_most = _positive("No key of the team has more, older ones neither. Empty: no ceiling.")
    key_days = _positive("After how many days a new key expires where nothing is said. Empty: never.")
    key_days_most = _positive("A key that is made or changed expires within so many days. Empty: no ceiling.")
    unused_key_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="A key that was not used for so many days expires a week after its people were told. 0: never. "
        "Empty: as set for the gateway.",
    )
    leaked_keys = models.CharField(
        max_length=6,
        choices=LeakedKeys,
        blank=True,
        default=LeakedKeys.AS_SET,
        db_default="",
        help_text="What happens to a key that somebody reports as found in public.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="teams")

    class Meta:
        ordering = ["name"]
        permissions = [("view_as_team", "Can look at the portal as a team sees it")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(lifecycle_policy__in=list(LifecyclePolicy)),
                name="team_lifecycle_policy_known",
            ),
            models.CheckConstraint(
                condition=models.Q(new_models__in=["", "open", "closed"]), name="team_new_models_known"
            ),
            models.CheckConstraint(
                condition=models.Q(charge_factor__gte=0, charge_factor__lte=CHARGE_FACTOR_MOST),
                name="team_charge_factor_sane",
            ),
            models.CheckConstraint(
                condition=models.Q(leaked_keys__in=["", "revoke", "tell"]), name="team_leaked_keys_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        FROZEN = "frozen", "Frozen"
        SWITCHED_OFF = "switched_off", "Switched off"
        ARCHIVED = "archived", "Archived"

    @property
    def state(self) -> State:
        """What its keys meet: they are let in while it is active."""
        if self.archived_at is not None:
            return self.State.ARCHIVED
        if not self.is_active:
            return self.State.SWITCHED_OFF
        return self.State.ACTIVE if self.frozen_at is None else self.State.FROZEN
