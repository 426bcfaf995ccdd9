"""Setting a working row, its aliases, offerings and prices to what an older record says."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.db.models import Model as Row
from django.db.models import Q

from catalogue.facts import ModelFacts, OfferingFacts, PriceFacts
from catalogue.models import Alias, Model, Offering, Price, RouteMember
from catalogue.published.content import Content, MemberContent, OfferingContent, PriceContent, price_facts
from catalogue.publishing.compile import price_facts as working_price_facts
from catalogue.services import end_prices

_SAME = (
    "input_types",
    "output_types",
    "context_length",
    "max_output_tokens",
    "is_moderated",
    "open_weights",
)
_OFFERING_SAME = (
    "upstream_name",
    "endpoints",
    "params",
    "streams",
    "context_length",
    "max_output_tokens",
    "position",
)


_OF_MEMBERS: Mapping[str, Any] = {
    "offerings": (),
    "input_types": frozenset(),
    "output_types": frozenset(),
    "is_moderated": False,
    **dict.fromkeys(("context_length", "max_output_tokens", "tokenizer", "reasoning_tier")),
    **dict.fromkeys(("open_weights", "licence", "knowledge_cutoff")),
}


def restore(model: Model, record: Content, at: datetime) -> Model:
    """What differs is saved. Prices that the record does not have end at `at`; those that it has begin again then."""
    _restore_fields(model, record)
    _restore_aliases(model, record)
    if "members" in record:
        _restore_members(model, record["members"])
    else:
        _restore_offerings(model, record, at)
    return model


def from_now_on(facts: PriceFacts, at: datetime) -> PriceFacts:
    """What it says from `at` on: when it began before does not matter."""
    has_begun = facts.valid_from is None or facts.valid_from <= at
    return replace(facts, valid_from=None) if has_begun else facts


def without_past(model: ModelFacts, at: datetime) -> ModelFacts:
    """What rolling back compares: prices that are over are no matter of it; nor is what a route has of its members."""
    if model.is_route:
        return replace(model, **_OF_MEMBERS)
    return replace(model, offerings=tuple(_without_past(offering, at) for offering in model.offerings))


def _without_past(offering: OfferingFacts, at: datetime) -> OfferingFacts:
    prices = [
        from_now_on(facts, at) for facts in offering.prices if facts.valid_to is None or facts.valid_to > at
    ]
    return replace(offering, prices=tuple(sorted(prices, key=repr)))


def _restore_fields(model: Model, record: Content) -> None:
    others = {record["successor_id"], record["previous_id"]} - {None}
    ids = dict(Model.objects.filter(public_id__in=others).values_list("public_id", "pk"))
    of_route = {"kind": Model.Kind.ROUTE, "fallback_on": record.get("fallback_on", [])}
    own = of_route if "members" in record else _fields_of_model(record)
    _set(
        model,
        own
        | {"name": record["name"], "description": record["description"]}
        | {
            "release_at": _moment(record["release_at"]),
            "deprecation_at": _moment(record["deprecation_at"]),
            "retirement_at": _moment(record["retirement_at"]),
            "successor_id": ids.get(record["successor_id"] or ""),
            "previous_id": ids.get(record["previous_id"] or ""),
        },
    )
    created_at = datetime.fromisoformat(record["created_at"])
    if model.created_at != created_at:
        # Set by itself when a row is made: one that came back is as old as it was.
        Model.objects.filter(pk=model.pk).update(created_at=created_at)
        model.created_at = created_at


def _fields_of_model(record: Content) -> dict[str, Any]:
    """Those that a route has of its members."""
    cutoff = record["knowledge_cutoff"]
    return {name: record[name] for name in _SAME} | {  # type: ignore[literal-required]
        "tokenizer": record["tokenizer"] or "",
        "reasoning_tier": record["reasoning_tier"] or "",
        "licence": record["licence"] or "",
        "knowledge_cutoff": date.fromisoformat(cutoff) if cutoff else None,
    }


def _restore_members(route: Model, contents: list[MemberContent]) -> None:
    """Rows that say what the record says stay."""
    names = [content["model_id"] for content in contents]
    ids = dict(Model.objects.filter(public_id__in=names).values_list("public_id", "pk"))
    wanted = [_member_values(content, ids) for content in contents]
    for member in RouteMember.objects.filter(route=route):
        values = next((each for each in wanted if _says(member, each)), None)
        if values is None:
            member.delete()
        else:
            wanted.remove(values)
    for values in wanted:
        RouteMember.objects.create(route=route, **values)


def _says(member: RouteMember, values: Mapping[str, Any]) -> bool:
    return all(_is_same(getattr(member, name), value) for name, value in values.items())


def _member_values(content: MemberContent, ids: Mapping[str, int]) -> dict[str, Any]:
    provider, conditions = content["provider"], content["conditions"]
    team, project = conditions.get("team"), conditions.get("project")
    return {
        "model_id": ids[content["model_id"]],
        "provider_id": provider["id"] if provider else None,
        "weight": content["weight"],
        "tier": content["tier"],
        "canary_percent": content["canary_percent"],
        "is_streamed": conditions.get("is_streamed"),
        "has_tools": conditions.get("has_tools"),
        "input_types": conditions.get("input_types", []),
        "input_tokens_from": conditions.get("input_tokens_from"),
        "input_tokens_below": conditions.get("input_tokens_below"),
        "endpoints": conditions.get("endpoints", []),
        "team_id": team["id"] if team else None,
        "project_id": project["id"] if project else None,
    }


def _restore_aliases(model: Model, record: Content) -> None:
    known = {alias.name: alias for alias in Alias.objects.filter(model=model)}
    for name in record["aliases"]:
        alias = known.get(name) or Alias(model=model, name=name)
        _set(alias, {"policy": record["alias_policies"].get(name, "")})


def _restore_offerings(model: Model, record: Content, at: datetime) -> None:
    known = list(
        Offering.objects.filter(model=model).select_related("model", "provider").prefetch_related("prices")
    )
    kept = set()
    for content in record["offerings"]:
        offering = _find(known, content) or Offering(pk=content["id"], model=model, is_enabled=False)
        _set(offering, _offering_values(content))
        _restore_prices(offering, content["prices"], at)
        kept.add(offering.pk)
    for offering in known:
        if offering.pk not in kept:
            offering.delete()


def _find(known: list[Offering], content: OfferingContent) -> Offering | None:
    """The same one, or one that somebody added anew at the same place."""
    place = (content["provider"]["id"], content["upstream_name"])
    return next(
        (each for each in known if each.pk == content["id"]),
        next((each for each in known if (each.provider_id, each.upstream_name) == place), None),
    )


def _offering_values(content: OfferingContent) -> dict[str, Any]:
    return {name: content[name] for name in _OFFERING_SAME} | {  # type: ignore[literal-required]
        "provider_id": content["provider"]["id"],
        "quantization": content["quantization"] or "",
        "regions": content.get("regions", []),
        "zero_retention": content.get("zero_retention"),
        "collects_data": content.get("collects_data"),
        "effective_from": _moment(content["effective_from"]),
        "effective_to": _moment(content["effective_to"]),
    }


def _restore_prices(offering: Offering, contents: list[PriceContent], at: datetime) -> None:
    wanted = [facts for facts in map(price_facts, contents) if facts.valid_to is None or facts.valid_to > at]
    rows = offering.prices.filter(Q(valid_to=None) | Q(valid_to__gt=at))
    running = {row.pk: working_price_facts(row) for row in rows}
    surplus = [pk for pk, facts in running.items() if not _is_said(facts, wanted, at)]
    for price in Price.objects.filter(pk__in=surplus, valid_from__gte=at):
        # It has not begun, so nobody was charged by it.
        price.delete()
    end_prices(Price.objects.filter(pk__in=surplus), at=at)
    for facts in wanted:
        if not _is_said(facts, running.values(), at):
            _append(offering, facts, at)


def _is_said(facts: PriceFacts, others: Iterable[PriceFacts], at: datetime) -> bool:
    """Whether one of the others says the same from `at` on."""
    return any(from_now_on(facts, at) == from_now_on(other, at) for other in others)


def _append(offering: Offering, facts: PriceFacts, at: datetime) -> None:
    begins = facts.valid_from if facts.valid_from and facts.valid_from > at else at
    Price.objects.create(
        offering=offering,
        meter=facts.meter,
        plan=facts.plan,
        unit_size=facts.unit_size,
        amount=facts.amount,
        currency=facts.currency,
        conditions=list(facts.conditions),
        valid_from=begins,
        valid_to=facts.valid_to,
        source="Rolled back to an earlier edition.",
    )


def _set(row: Row, values: Mapping[str, Any]) -> None:
    """Save the row if it is new or if a value differs; lists of words are sets."""
    changed = [name for name, value in values.items() if not _is_same(getattr(row, name), value)]
    for name in changed:
        setattr(row, name, values[name])
    if changed or row._state.adding:
        row.save()


def _is_same(old: Any, new: Any) -> bool:
    if isinstance(old, list) and isinstance(new, list):
        return sorted(map(str, old)) == sorted(map(str, new))
    return bool(old == new)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
