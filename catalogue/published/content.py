"""The published record as it is stored, and what the snapshot keeps of it. Pure."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, NotRequired, TypedDict

from catalogue.endpoints import answered
from catalogue.facts import MemberConditions, ModelFacts, OfferingFacts, PriceFacts, RouteMember


class OrganisationContent(TypedDict):
    id: str
    name: str
    colour: str


class ProviderContent(TypedDict):
    """`zero_retention` and `collects_data` are what it says of offerings that say nothing themselves."""

    id: int
    slug: str
    name: str
    zero_retention: NotRequired[bool]
    collects_data: NotRequired[bool]


class PriceContent(TypedDict):
    """`amount`, a decimal string in plain notation, buys `unit_size` units. Instants are ISO 8601 in UTC."""

    meter: str
    plan: str
    unit_size: int
    amount: str
    currency: str
    conditions: list[dict[str, Any]]
    valid_from: str | None
    valid_to: str | None


class OfferingContent(TypedDict):
    """`endpoints`, `params` and `regions` are sorted; prices come by meter, plan and beginning.

    Without `regions` they are unknown; without `zero_retention` and `collects_data` they are as its provider says.
    """

    id: int
    provider: ProviderContent
    upstream_name: str
    endpoints: list[str]
    params: list[str]
    streams: bool
    context_length: int | None
    max_output_tokens: int | None
    quantization: str | None
    regions: NotRequired[list[str]]
    zero_retention: NotRequired[bool]
    collects_data: NotRequired[bool]
    position: int
    effective_from: str | None
    effective_to: str | None
    prices: list[PriceContent]


class OwnerContent(TypedDict):
    """A team, or a project of one."""

    id: int
    slug: str


class ConditionsContent(TypedDict, total=False):
    """Those that are said; words are sorted. See catalogue.facts.MemberConditions."""

    is_streamed: bool
    has_tools: bool
    input_types: list[str]
    input_tokens_from: int
    input_tokens_below: int
    endpoints: list[str]
    team: OwnerContent
    project: OwnerContent


class MemberContent(TypedDict):
    """Of a named route. See catalogue.facts.RouteMember."""

    model_id: str
    provider: ProviderContent | None
    weight: int
    tier: int
    canary_percent: int | None
    conditions: ConditionsContent


class Content(TypedDict):
    """What a published model says: facts that do not change with time. Unknown is None or empty.

    `created_at` is its registration here; `successor_id` and `previous_id` are public ids. `alias_policies` has
    the aliases with a policy of their own. Offerings come in static order: position, then id. Only a named route has
    `members`: its offerings, types and limits are made from theirs; and `fallback_on`, sorted, where it says any.
    """

    id: str
    name: str
    description: str
    organisation: OrganisationContent
    created_at: str
    release_at: str | None
    deprecation_at: str | None
    retirement_at: str | None
    successor_id: str | None
    previous_id: str | None
    aliases: list[str]
    alias_policies: dict[str, str]
    input_types: list[str]
    output_types: list[str]
    context_length: int | None
    max_output_tokens: int | None
    tokenizer: str | None
    reasoning_tier: str | None
    is_moderated: bool
    open_weights: bool | None
    licence: str | None
    knowledge_cutoff: str | None
    offerings: list[OfferingContent]
    members: NotRequired[list[MemberContent]]
    fallback_on: NotRequired[list[str]]


class UnreadableContentError(ValueError):
    """A published record that does not have the shape of Content."""


def facts_from_content(content: Content) -> ModelFacts:
    """What routing and lists need of a published record, all offerings on. Raises UnreadableContentError."""
    try:
        return _model_facts(content)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise UnreadableContentError(f"{type(error).__name__}: {error}") from error


def price_facts(content: PriceContent) -> PriceFacts:
    return PriceFacts(
        meter=content["meter"],
        plan=content["plan"],
        unit_size=content["unit_size"],
        amount=Decimal(content["amount"]),
        currency=content["currency"],
        conditions=tuple(content["conditions"]),
        valid_from=_moment(content["valid_from"]),
        valid_to=_moment(content["valid_to"]),
    )


def _model_facts(content: Content) -> ModelFacts:
    cutoff = content["knowledge_cutoff"]
    return ModelFacts(
        id=content["id"],
        name=content["name"],
        description=content["description"],
        organisation_name=content["organisation"]["name"],
        organisation_colour=content["organisation"]["colour"],
        created_at=datetime.fromisoformat(content["created_at"]),
        input_types=frozenset(content["input_types"]),
        output_types=frozenset(content["output_types"]),
        aliases=tuple(content["aliases"]),
        alias_policies=content["alias_policies"],
        context_length=content["context_length"],
        max_output_tokens=content["max_output_tokens"],
        tokenizer=content["tokenizer"],
        reasoning_tier=content["reasoning_tier"],
        is_moderated=content["is_moderated"],
        open_weights=content["open_weights"],
        licence=content["licence"],
        knowledge_cutoff=None if cutoff is None else date.fromisoformat(cutoff),
        release_at=_moment(content["release_at"]),
        deprecation_at=_moment(content["deprecation_at"]),
        retirement_at=_moment(content["retirement_at"]),
        successor_id=content["successor_id"],
        previous_id=content["previous_id"],
        offerings=tuple(map(_offering_facts, content["offerings"])),
        members=tuple(map(member_facts, content.get("members", ()))),
        fallback_on=tuple(content.get("fallback_on", ())),
    )


def member_facts(content: MemberContent) -> RouteMember:
    provider, conditions = content["provider"], content["conditions"]
    return RouteMember(
        model_id=content["model_id"],
        provider_slug=provider["slug"] if provider else "",
        weight=content["weight"],
        tier=content["tier"],
        canary_percent=content["canary_percent"],
        conditions=_condition_facts(conditions) if conditions else None,
    )


def _condition_facts(content: ConditionsContent) -> MemberConditions:
    team, project = content.get("team"), content.get("project")
    return MemberConditions(
        is_streamed=content.get("is_streamed"),
        has_tools=content.get("has_tools"),
        input_types=frozenset(content.get("input_types", ())),
        input_tokens_from=content.get("input_tokens_from"),
        input_tokens_below=content.get("input_tokens_below"),
        endpoints=frozenset(content.get("endpoints", ())),
        team_id=team["id"] if team else None,
        project_id=project["id"] if project else None,
    )


def _offering_facts(content: OfferingContent) -> OfferingFacts:
    return OfferingFacts(
        id=content["id"],
        provider_id=content["provider"]["id"],
        provider_slug=content["provider"]["slug"],
        provider_name=content["provider"]["name"],
        upstream_name=content["upstream_name"],
        endpoints=answered(content["endpoints"]),
        params=frozenset(content["params"]),
        streams=content["streams"],
        context_length=content["context_length"],
        max_output_tokens=content["max_output_tokens"],
        quantization=content["quantization"],
        regions=tuple(content.get("regions", ())),
        zero_retention=content.get("zero_retention", content["provider"].get("zero_retention")),
        collects_data=content.get("collects_data", content["provider"].get("collects_data")),
        position=content["position"],
        effective_from=_moment(content["effective_from"]),
        effective_to=_moment(content["effective_to"]),
        prices=tuple(map(price_facts, content["prices"])),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
