"""Providers, what opens them, and how much of them there is."""

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from accounts.models.limit import MeasuredModel
from gateway.core.lines import OneLineTexts
from gateway.core.outbound import OutboundPolicy
from providers import validators
from providers.breaker_models import BilledProbe, BreakerHold, HealthEvent, Incident, IncidentNote
from providers.formats.registry import formats_with_list
from providers.operations.registry import KNOWN_QUIRKS
from providers.probe_models import Alarm, ProbeResult, UpstreamList
from providers.querysets import CredentialQuerySet, ProviderQuerySet
from providers.reconciling.models import AdministratorCredential, Bill, BillMapping
from providers.status_models import StatusDay, StatusProgress

__all__ = [
    "AdministratorCredential",
    "Alarm",
    "Bill",
    "BillMapping",
    "BilledProbe",
    "BreakerHold",
    "Credential",
    "HealthEvent",
    "Incident",
    "IncidentNote",
    "ProbeResult",
    "Provider",
    "ProviderCredential",
    "Quota",
    "StatusDay",
    "StatusProgress",
    "UpstreamList",
]


class Provider(OneLineTexts, models.Model):
    """A company or server that we call. On or off is operational: within a second, outside editions."""

    class WireFormat(models.TextChoices):
        OPENAI = "openai", "OpenAI (chat completions, embeddings)"
        RESPONSES = "responses", "OpenAI Responses (and embeddings)"
        ANTHROPIC = "anthropic", "Anthropic Messages"
        GEMINI = "gemini", "Google Gemini (generateContent, embeddings)"
        VOYAGE = "voyage", "Voyage (embeddings only)"
        COHERE = "cohere", "Cohere, version 2 (embeddings only)"

    class Health(models.TextChoices):
        UNKNOWN = "unknown", "Not probed yet"
        HEALTHY = "healthy", "Healthy"
        UNHEALTHY = "unhealthy", "Unhealthy"

    slug = models.SlugField(
        max_length=60, unique=True, allow_unicode=False, help_text="Shown to clients, such as “groq”."
    )
    name = models.CharField(max_length=100)
    wire_format = models.CharField(
        max_length=20,
        choices=WireFormat,
        default=WireFormat.OPENAI,
        help_text="The protocol at the base URL. "
        "A vendor with two protocols is two providers, unless a quirk covers the second.",
    )
    base_url = models.CharField(
        "base URL",
        max_length=300,
        blank=True,
        help_text="Up to and including the version, such as https://api.groq.com/openai/v1.",
    )
    quirks = models.JSONField(
        default=list, blank=True, help_text="Named departures from the wire format. Usually empty."
    )
    family = models.SlugField(
        max_length=60,
        blank=True,
        default="",
        db_default="",
        db_index=False,
        help_text="Providers of one family take each other's proofs of reasoning (signatures, encrypted thoughts), "
        "such as one vendor's models at several addresses. Leave it empty if it takes only its own.",
    )
    patience_s = models.PositiveSmallIntegerField(
        "patience",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="How many seconds a stream may be silent, also before its first event; at most "
        "GATEWAY_TOTAL_TIMEOUT_S. Leave it empty for the gateway's own limits, "
        "which are longer for models that reason.",
    )
    local_address = models.CharField(
        "allowed on this machine",
        max_length=300,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="A superuser's word that calls may go to this host:port of the machine itself.",
    )
    website = models.URLField(blank=True)
    zero_retention = models.BooleanField(
        "zero data retention",
        null=True,
        blank=True,
        help_text="Whether nothing of a call is kept once it is answered, by contract or by the provider's word. "
        "Of offerings that say nothing themselves. Unknown: calls that must not be kept do not go there.",
    )
    collects_data = models.BooleanField(
        null=True,
        blank=True,
        help_text="Whether what it is sent is used for the provider's own ends, such as training. Of offerings that "
        "say nothing themselves. Unknown: calls of which nothing may be collected do not go there.",
    )
    is_enabled = models.BooleanField(
        "enabled", default=True, help_text="Once it is switched off, calls stop going there within a second."
    )
    is_demo = models.BooleanField("demo", default=False, editable=False)
    is_probed = models.BooleanField(
        "probed",
        default=True,
        help_text="Ask for its model list regularly. Voyage has none: its health stays unknown.",
    )
    probe_budget_usd = models.DecimalField(
        "probes may cost",
        max_digits=8,
        decimal_places=4,
        default=0,
        db_default=0,
        validators=[MinValueValidator(0)],
        help_text="US dollars a day (UTC) for asking models that nobody called lately for one token. 0: never.",
    )
    health = models.CharField(max_length=10, choices=Health, default=Health.UNKNOWN, editable=False)
    health_changed_at = models.DateTimeField(null=True, editable=False)
    next_probe_at = models.DateTimeField(null=True, editable=False, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProviderQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    wire_format__in=["openai", "responses", "anthropic", "gemini", "voyage", "cohere"]
                ),
                name="provider_wire_format_known",
            ),
            models.CheckConstraint(
                condition=models.Q(health__in=["unknown", "healthy", "unhealthy"]),
                name="provider_health_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_model_list(self) -> bool:
        """There is something to ask for that costs nothing; else its health stays unknown."""
        return self.wire_format in formats_with_list()

    def clean(self) -> None:
        self.base_url = self.base_url.strip().rstrip("/")
        policy = validators.policy_for(
            Provider.objects.demo_addresses(), {*Provider.objects.local_addresses(), self.local_address}
        )
        refusals = {
            "base_url": self._address_refusal(policy),
            "quirks": validators.quirks_refusal(self.quirks, KNOWN_QUIRKS),
        }
        _raise_refusals(refusals)

    def _address_refusal(self, policy: OutboundPolicy) -> str | None:
        if self.base_url:
            return validators.base_url_refusal(self.base_url, policy)
        return "Calls need an address: give one, or switch the provider off." if self.is_enabled else None


class Credential(OneLineTexts, models.Model):
    """What opens a provider: a secret kept encrypted, or the name of an environment variable that holds it.

    The secret is write-only. A new origin asks for it again, so that it never goes to a new place unseen; a variable
    goes to origins that settings or a superuser bound it to.
    """

    class Kind(models.TextChoices):
        STORED = "stored", "Stored here, encrypted"
        ENVIRONMENT = "env", "From an environment variable"
        NONE = "none", "None: the provider needs no key"

    provider = models.OneToOneField(Provider, on_delete=models.CASCADE, related_name="credential")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.STORED)
    variable = models.CharField(
        max_length=100, blank=True, help_text="Name of the environment variable, such as GROQ_API_KEY."
    )
    approval = models.CharField(
        max_length=500,
        blank=True,
        db_default="",
        editable=False,
        help_text="A superuser's word that this variable may be sent to this origin.",
    )
    ciphertext = models.TextField(blank=True, editable=False)
    is_enabled = models.BooleanField("enabled", default=True)
    rotated_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(kind="env") | ~models.Q(variable=""),
                name="credential_env_names_its_variable",
            ),
        ]

    def __str__(self) -> str:
        return f"credential of {self.provider}"

    def clean(self) -> None:
        """A variable is of this kind only: on any other it is forgotten."""
        if self.kind != self.Kind.ENVIRONMENT:
            self.variable = ""
            return
        _raise_refusals({"variable": validators.variable_refusal(self.variable)})


class ProviderCredential(OneLineTexts, models.Model):
    """A further secret that opens a provider: a team's own, or one more of the operator's (without a team).

    Calls on a team's own are paid by the team to the provider. Write-only and encrypted as the operator's main one is;
    a new origin forgets it.
    """

    class Place(models.TextChoices):
        BEFORE = "before", "Before the gateway's"
        AFTER = "after", "After the gateway's"
        ONLY = "only", "In place of the gateway's"

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="credentials")
    team = models.ForeignKey(
        "accounts.Team", on_delete=models.CASCADE, null=True, blank=True, related_name="provider_credentials"
    )
    label = models.CharField(max_length=60, help_text="Which one it is, such as “research account”.")
    ciphertext = models.TextField(blank=True, editable=False)
    hint = models.CharField(
        max_length=4, blank=True, editable=False, help_text="The last characters of the secret."
    )
    place = models.CharField(max_length=6, choices=Place, default=Place.BEFORE)
    position = models.PositiveSmallIntegerField(
        default=0,
        help_text="Of several in the same place, the lowest is tried first. Those of the operator with the same number "
        "share the calls, by their quotas where all have one.",
    )
    model_patterns = models.JSONField(
        null=True, blank=True, help_text="For which models it is, such as anthropic/*; null: all."
    )
    base_url = models.CharField(
        "base URL",
        max_length=300,
        blank=True,
        default="",
        db_default="",
        help_text="Where its calls go, up to and including the version. Leave it empty for the provider's own address. "
        "A new one asks for the secret again.",
    )
    region = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text="Where its calls are run, such as eu or us-east-1. Leave it empty where the offerings' regions hold.",
    )
    lineages = models.JSONField(
        null=True,
        blank=True,
        editable=False,
        help_text="For which keys, by the first of each lineage; null: all.",
    )
    is_enabled = models.BooleanField("enabled", default=True)
    set_by = models.CharField(max_length=160, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    rotated_at = models.DateTimeField(null=True, editable=False)
    tested_at = models.DateTimeField(
        null=True, editable=False, help_text="When the provider took it; empty: it has nothing to test with."
    )
    failed_at = models.DateTimeField(
        null=True, editable=False, help_text="When the provider last refused it."
    )
    failure = models.CharField(max_length=600, blank=True, editable=False)

    objects = CredentialQuerySet.as_manager()

    class Meta:
        ordering = ["provider__name", "place", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "provider", "label"], name="provider_credential_label_once"
            ),
            models.UniqueConstraint(
                fields=["provider", "label"],
                condition=models.Q(team__isnull=True),
                name="provider_credential_label_once_of_operator",
            ),
            models.CheckConstraint(
                condition=models.Q(place__in=["before", "after"])
                | models.Q(place="only", team__isnull=False),
                name="provider_credential_place_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} at {self.provider}"

    @property
    def address(self) -> str:
        """Where it is sent."""
        return self.base_url or self.provider.base_url

    @property
    def masked(self) -> str:
        return f"…{self.hint}" if self.hint else "…" if self.ciphertext else "forgotten"


class Quota(MeasuredModel):
    """A limit of ours at a vendor: what may be sent to a provider, to an offering, or by a further credential of ours.

    A provider that is full is passed over, within a second outside editions; no client is refused in its name.
    """

    provider = models.ForeignKey(
        Provider, on_delete=models.CASCADE, null=True, blank=True, related_name="quotas"
    )
    offering = models.ForeignKey(
        "catalogue.Offering", on_delete=models.CASCADE, null=True, blank=True, related_name="quotas"
    )
    credential = models.ForeignKey(
        ProviderCredential, on_delete=models.CASCADE, null=True, blank=True, related_name="quotas"
    )

    class Meta:
        ordering = ["unit", "window", "id"]
        constraints = [
            *MeasuredModel.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(provider__isnull=False, offering__isnull=True, credential__isnull=True)
                | models.Q(provider__isnull=True, offering__isnull=False, credential__isnull=True)
                | models.Q(provider__isnull=True, offering__isnull=True, credential__isnull=False),
                name="quota_of_one_subject",
            ),
            models.UniqueConstraint(fields=["provider", "unit", "window"], name="quota_once_per_provider"),
            models.UniqueConstraint(fields=["offering", "unit", "window"], name="quota_once_per_offering"),
            models.UniqueConstraint(
                fields=["credential", "unit", "window"], name="quota_once_per_credential"
            ),
        ]


def _raise_refusals(refusals: dict[str, str | None]) -> None:
    errors = {name: refusal for name, refusal in refusals.items() if refusal}
    if errors:
        raise ValidationError(errors)
