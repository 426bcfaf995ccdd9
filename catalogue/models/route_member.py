"""Who may answer for a named route, how often, when, and for which calls."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from catalogue.models import shapes
from catalogue.words import ROUTED_ENDPOINTS, ROUTED_INPUTS

MOST_MEMBERS = 50
WEIGHT_MOST = 1_000_000
TIER_MOST = 99
_CANARIES_MOST = 99


class RouteMember(models.Model):
    """One model that may answer for a route, as staff edit it; see catalogue.facts.RouteMember."""

    route = models.ForeignKey("catalogue.Model", on_delete=models.CASCADE, related_name="members")
    model = models.ForeignKey(
        "catalogue.Model",
        on_delete=models.CASCADE,
        related_name="memberships",
        limit_choices_to={"kind": "model"},
    )
    provider = models.ForeignKey(
        "providers.Provider",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Only there. Leave it empty for any provider of the model.",
    )
    tier = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(TIER_MOST)],
        help_text="0 is tried first; a higher one where nobody of a lower one could answer.",
    )
    weight = models.PositiveIntegerField(
        default=1,
        validators=[MaxValueValidator(WEIGHT_MOST)],
        help_text="Its share of the tier: 3 beside 1 is first for three calls of four. 0 takes no calls.",
    )
    canary_percent = models.PositiveSmallIntegerField(
        "canary",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(_CANARIES_MOST)],
        help_text="It takes so many of a hundred calls before all tiers, and its weight does not count.",
    )
    is_streamed = models.BooleanField("streaming", null=True, blank=True, help_text="Which calls it is for.")
    has_tools = models.BooleanField("tools", null=True, blank=True, help_text="Which calls it is for.")
    input_types = models.JSONField(
        "input",
        default=list,
        blank=True,
        validators=[shapes.check_words],
        help_text="Only for calls with one of these in their input; text is for those with nothing else.",
    )
    endpoints = models.JSONField(
        default=list,
        blank=True,
        validators=[shapes.check_words],
        help_text="Only for calls at one of these endpoints.",
    )
    input_tokens_from = models.PositiveIntegerField(
        "input tokens from",
        null=True,
        blank=True,
        help_text="Only for prompts of at least so many tokens, as estimated.",
    )
    input_tokens_below = models.PositiveIntegerField(
        "input tokens below",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Only for prompts of fewer tokens, as estimated.",
    )
    team = models.ForeignKey(
        "accounts.Team",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Only for keys of this team.",
    )
    project = models.ForeignKey(
        "accounts.Project",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Only for keys of this project.",
    )

    class Meta:
        ordering = ["tier", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(canary_percent__isnull=True)
                | models.Q(canary_percent__range=(1, _CANARIES_MOST)),
                name="route_canary_is_a_part",
            ),
        ]

    def __str__(self) -> str:
        place = f"{self.model} at {self.provider}" if self.provider_id else str(self.model)
        return f"{place} in {self.route}"

    @property
    def is_canary(self) -> bool:
        return self.canary_percent is not None

    def clean(self) -> None:
        self.check_member()
        self.check_conditions()

    def check_member(self) -> None:
        """Raises ValidationError for a member that is a route, or one that its provider does not offer."""
        if not self.model_id:
            return
        if self.model.is_route:
            raise ValidationError(
                {"model": f"{self.model} is a route itself. Name the models that it goes to."}
            )
        if self.provider_id and not any(
            offering.provider_id == self.provider_id for offering in self.model.offerings.all()
        ):
            raise ValidationError({"provider": f"{self.model} has no offering at {self.provider}."})

    def check_conditions(self) -> None:
        """Raises ValidationError for words that no call has, and for conditions that no call can meet."""
        faults = {
            name: f"“{word}” is none of {', '.join(known)}."
            for name, known in (("input_types", ROUTED_INPUTS), ("endpoints", ROUTED_ENDPOINTS))
            for word in getattr(self, name)
            if word not in known
        }
        begins, ends = self.input_tokens_from, self.input_tokens_below
        if begins is not None and ends is not None and ends <= begins:
            faults["input_tokens_below"] = (
                f"No prompt has at least {begins:,} and fewer than {ends:,} tokens."
            )
        if self.project_id and self.team_id and self.project and self.project.team_id != self.team_id:
            faults["project"] = f"{self.project} is no project of {self.team}."
        if self.is_canary and self.tier:
            faults["tier"] = "A canary comes before all tiers: leave it at 0."
        if faults:
            raise ValidationError(faults)


def faults_of(members: Iterable[RouteMember]) -> Iterator[str]:
    """What is wrong with a route's members together, in sentences."""
    listed = list(members)
    base = [member for member in listed if not member.is_canary]
    if not listed:
        yield "A route needs a member: a model that answers for it."
    elif not base:
        yield "A canary needs a base to fall back on: add a member without a canary percentage."
    if len(listed) > MOST_MEMBERS:
        yield f"A route has at most {MOST_MEMBERS} members."
    weights: defaultdict[int, int] = defaultdict(int)
    for member in base:
        weights[member.tier] += member.weight
    yield from (
        f"In tier {tier} no member has a weight above 0."
        for tier, sum_ in sorted(weights.items())
        if not sum_
    )
    canaries = sum(member.canary_percent or 0 for member in listed)
    if canaries > _CANARIES_MOST:
        yield f"Canaries take {canaries} of a hundred calls together: {_CANARIES_MOST} is the most."
