"""Models and their other names."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Now

from accounts.policies import POLICY_CHOICES, LifecyclePolicy
from catalogue.models import shapes
from catalogue.models.published import PublishedModel
from catalogue.querysets.working import ModelQuerySet
from gateway.core.lines import OneLineTexts


class Model(OneLineTexts, models.Model):
    """What a client asks for, as staff edit it. Clients see the published copy."""

    class Kind(models.TextChoices):
        MODEL = "model", "Model"
        ROUTE = "route", "Named route"

    class ReasoningTier(models.TextChoices):
        LOW = "low", "Low"
        MEDIUM = "medium", "Medium"
        HIGH = "high", "High"

    kind = models.CharField(
        max_length=5, choices=Kind, default=Kind.MODEL, db_default=Kind.MODEL, editable=False
    )
    organisation = models.ForeignKey(
        "catalogue.Organisation", on_delete=models.PROTECT, related_name="models"
    )
    slug = models.CharField(
        max_length=120, validators=[shapes.slug_shape], help_text="The id is organisation/slug."
    )
    public_id = models.CharField(max_length=200, unique=True, editable=False)
    name = models.CharField(
        max_length=150,
        validators=[shapes.refuse_nul],
        help_text="As people say it, such as Claude Haiku 4.5.",
    )
    description = models.TextField(
        blank=True, validators=[shapes.refuse_nul], help_text="One or two sentences, shown in lists."
    )
    release_at = models.DateTimeField(
        "released",
        null=True,
        blank=True,
        help_text="A future date means announced, and not yet listed. Leave it empty if unknown.",
    )
    deprecation_at = models.DateTimeField(
        "deprecated",
        null=True,
        blank=True,
        help_text="From then on answers carry a deprecation notice and name the successor.",
    )
    retirement_at = models.DateTimeField(
        "retired", null=True, blank=True, help_text="From then on calls are refused and name the successor."
    )
    successor = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="predecessors",
        help_text="What to use instead once this model is deprecated.",
    )
    input_types = models.JSONField(
        default=list, blank=True, validators=[shapes.check_words], help_text="For example: text image."
    )
    output_types = models.JSONField(
        default=list, blank=True, validators=[shapes.check_words], help_text="For example: text."
    )
    previous = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="followers",
        help_text="The model before this one in its family. This one succeeds it, unless it names another successor.",
    )
    context_length = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="In tokens. Leave it empty if unknown.",
    )
    max_output_tokens = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="In tokens. Leave it empty if unknown.",
    )
    tokenizer = models.CharField(max_length=60, blank=True, validators=[shapes.refuse_nul])
    reasoning_tier = models.CharField(
        max_length=6, choices=ReasoningTier, blank=True, help_text="Leave it empty if it does not reason."
    )
    is_moderated = models.BooleanField(
        "moderated", default=False, help_text="The provider filters what goes in or comes out."
    )
    open_weights = models.BooleanField(
        null=True, blank=True, help_text="Whether its weights can be downloaded."
    )
    licence = models.CharField(
        max_length=100, blank=True, validators=[shapes.refuse_nul], help_text="Such as Apache-2.0."
    )
    knowledge_cutoff = models.DateField(
        null=True,
        blank=True,
        help_text="The last day that its training data covers. Leave it empty if unknown.",
    )
    source = models.TextField(
        blank=True,
        validators=[shapes.refuse_nul],
        help_text="Where these facts come from, with the date they were read. Clients do not see it.",
    )
    fallback_on = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        blank=True,
        validators=[shapes.check_words],
        help_text="Of a named route: troubles with a request for which its next member answers, unasked.",
    )
    created_at = models.DateTimeField("registered", auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    quarantine_reason = models.TextField(
        blank=True,
        editable=False,
        help_text="Why the working row could not be published; the last good one stays live.",
    )

    objects = ModelQuerySet.as_manager()

    class Meta:
        ordering = ["public_id"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "slug"], name="model_slug_once_per_organisation"),
            models.CheckConstraint(
                condition=models.Q(release_at__isnull=True)
                | models.Q(deprecation_at__isnull=True)
                | models.Q(deprecation_at__gte=models.F("release_at")),
                name="model_deprecated_after_release",
            ),
            models.CheckConstraint(
                condition=models.Q(release_at__isnull=True)
                | models.Q(retirement_at__isnull=True)
                | models.Q(retirement_at__gte=models.F("release_at")),
                name="model_retired_after_release",
            ),
            models.CheckConstraint(
                condition=models.Q(deprecation_at__isnull=True)
                | models.Q(retirement_at__isnull=True)
                | models.Q(retirement_at__gte=models.F("deprecation_at")),
                name="model_retired_after_deprecation",
            ),
            models.CheckConstraint(condition=models.Q(kind__in=["model", "route"]), name="model_kind_known"),
        ]

    def __str__(self) -> str:
        return self.public_id

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.public_id = self.compose_public_id()
        super().save(*args, **kwargs)

    @property
    def is_route(self) -> bool:
        return self.kind == self.Kind.ROUTE

    def compose_public_id(self) -> str:
        return f"{self.organisation_id}/{self.slug}"

    def clean(self) -> None:
        self.settle_words()
        self.check_dates()
        self._check_id()
        self._check_successor()
        if self.pk and self.previous_id == self.pk:
            raise ValidationError({"previous": "A model cannot follow itself."})

    def settle_words(self) -> None:
        """Raises ValidationError for modalities that nobody knows and that were neither there before nor meant."""
        shapes.settle_words(self, ("input_types", "output_types"))

    def check_dates(self) -> None:
        """Raises ValidationError unless release, deprecation and retirement follow each other."""
        life = [
            (name, at)
            for name in ("release_at", "deprecation_at", "retirement_at")
            if (at := getattr(self, name)) is not None
        ]
        for (earlier, begins), (later, ends) in pairwise(life):
            if ends < begins:
                label = self._meta.get_field(earlier).verbose_name  # type: ignore[union-attr]
                raise ValidationError({later: f"This is before the model is {label} ({begins:%Y-%m-%d})."})

    def _check_id(self) -> None:
        public_id = self.compose_public_id()
        if not public_id.isprintable():
            return
        if owner := owner_of_alias(public_id):
            raise ValidationError({"slug": f"“{public_id}” is an alias of {owner}. Remove it there first."})
        before = Model.objects.filter(pk=self.pk).values_list("public_id", flat=True).first()
        if before and before != public_id and PublishedModel.objects.filter(public_id=before).exists():
            raise ValidationError(
                {
                    "slug": f"“{before}” is published: clients call it by this id, so it stays. To rename "
                    "it, create the new model and name it as this one's successor."
                }
            )

    def _check_successor(self) -> None:
        seen = [self.pk]
        successor = self.successor
        while successor is not None:
            if successor.pk in seen:
                raise ValidationError({"successor": "This leads back to the model itself."})
            seen.append(successor.pk)
            successor = successor.successor


def owner_of_alias(name: str, *, besides: int | None = None) -> str | None:
    """The id of the model whose alias that is, leaving one alias aside; None: of nobody."""
    if not name.isprintable():
        return None
    found = Alias.objects.filter(name=name)
    if besides is not None:
        found = found.exclude(pk=besides)
    return found.values_list("model__public_id", flat=True).first()


class Alias(OneLineTexts, models.Model):
    """Another name of exactly one model. Never equal to a model's id nor to another alias."""

    name = models.CharField(
        max_length=200,
        unique=True,
        validators=[shapes.check_name],
        help_text="Another name that clients may send, such as gpt-4o.",
    )
    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="aliases")
    policy = models.CharField(
        "lifecycle policy",
        max_length=8,
        choices=POLICY_CHOICES,
        blank=True,
        help_text="What happens to calls by this name at the end of the model's life. "
        "Leave it empty to follow the team's policy.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "aliases"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(policy__in=["", *LifecyclePolicy]), name="alias_policy_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.name.isprintable() and self.name in self._ids_taken():
            raise ValidationError({"name": f"“{self.name}” is the id of a model, so it cannot be an alias."})
        if owner := owner_of_alias(self.name, besides=self.pk):
            raise ValidationError({"name": f"“{self.name}” is an alias of {owner} already."})

    def _ids_taken(self) -> Iterable[str]:
        """Ids that this alias would hide, that of its own unsaved model included."""
        yield from Model.objects.filter(public_id=self.name).values_list("public_id", flat=True)
        if "model" in self._state.fields_cache:
            yield self.model.compose_public_id()
