"""What a named route's record says of itself, from the records of its members. Pure, but for reading those."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from catalogue.endpoints import answered
from catalogue.models import Model, PublishedModel, RouteMember
from catalogue.published.content import Content, MemberContent, OfferingContent

_TIERS = ("low", "medium", "high")


def published_members(rows: Iterable[Model]) -> dict[str, Content]:
    """What is live of all models that these routes name, by id. One query; none where no row is a route."""
    names = {member.model.public_id for row in rows if row.is_route for member in row.members.all()}
    live = PublishedModel.objects.current().filter(public_id__in=names).values_list("public_id", "content")
    return dict(live) if names else {}


def compile_members(route: Model) -> list[MemberContent]:
    """Of a route fetched by complete()."""
    return [compile_member(member) for member in route.members.all()]


def with_members(record: Content, members: list[MemberContent], published: Mapping[str, Content]) -> Content:
    """The record of a route whose own fields are there. `published` are the records of its members.

    What it takes is what each member takes that is for any call, and what others are there for; its offerings are
    theirs, as long as the members live.
    """
    taking = [each for each in members if each["weight"] or each["canary_percent"]]
    known = [(each, published[each["model_id"]]) for each in taking if each["model_id"] in published]
    general = [content for member, content in known if not member["conditions"]]
    return {
        **record,
        **_shared(general or [content for _, content in known]),  # type: ignore[typeddict-item]
        "input_types": _types("input_types", general, known),
        "output_types": _types("output_types", general, known),
        "members": members,
        "offerings": [{**offering, "position": place} for place, offering in enumerate(_offered(known))],
    }


def compile_member(member: RouteMember) -> MemberContent:
    provider = member.provider
    return {
        "model_id": member.model.public_id,
        "provider": {"id": provider.pk, "slug": provider.slug, "name": provider.name} if provider else None,
        "weight": member.weight,
        "tier": member.tier,
        "canary_percent": member.canary_percent,
        "conditions": dict(_conditions(member)),  # type: ignore[typeddict-item]
    }


def _conditions(member: RouteMember) -> Iterator[tuple[str, Any]]:
    """Those that are said."""
    for name in ("is_streamed", "has_tools", "input_tokens_from", "input_tokens_below"):
        if (value := getattr(member, name)) is not None:
            yield name, value
    for name in ("input_types", "endpoints"):
        if words := getattr(member, name):
            yield name, sorted(words)
    for name, row in (("team", member.team), ("project", member.project)):
        if row is not None:
            yield name, {"id": row.pk, "slug": row.slug}


def _shared(contents: Sequence[Content]) -> dict[str, Any]:
    """What is true of whichever answers."""
    cutoffs, tiers = _all(contents, "knowledge_cutoff"), _all(contents, "reasoning_tier")
    return {
        "context_length": min(filter(None, map(_context, contents)), default=None),
        "max_output_tokens": min(_known(contents, "max_output_tokens"), default=None),
        "tokenizer": _same(contents, "tokenizer"),
        "reasoning_tier": min(tiers, key=_TIERS.index) if tiers else None,
        "is_moderated": any(content["is_moderated"] for content in contents),
        "open_weights": _same(contents, "open_weights"),
        "licence": _same(contents, "licence"),
        "knowledge_cutoff": min(cutoffs) if cutoffs else None,
    }


def _types(
    name: str, general: Sequence[Content], known: Sequence[tuple[MemberContent, Content]]
) -> list[str]:
    read: Callable[[Content], set[str]] = lambda content: set(content[name])  # type: ignore[literal-required] # noqa: E731
    shared = list(map(read, general or [content for _, content in known]))
    found = set.intersection(*shared) if shared else set()
    if name == "input_types":
        found.update(
            *(read(content) & set(each["conditions"].get("input_types", ())) for each, content in known)
        )
    return sorted(found)


def _offered(known: Sequence[tuple[MemberContent, Content]]) -> Iterator[OfferingContent]:
    """Of a lower tier only what the first one is asked for, too: the route is listed for that."""
    in_order = sorted(known, key=lambda pair: (pair[0]["tier"], pair[0]["canary_percent"] or 0))
    first = min((member["tier"] for member, _ in known if not member["canary_percent"]), default=0)
    asked = frozenset[str]()
    seen: set[int] = set()
    for member, content in in_order:
        for offering in _meant(member, content):
            endpoints = answered(offering["endpoints"])
            asked |= endpoints if member["tier"] <= first else frozenset()
            if endpoints & asked and offering["id"] not in seen:
                seen.add(offering["id"])
                yield from _listed(offering, content, endpoints & asked)


def _meant(member: MemberContent, content: Content) -> list[OfferingContent]:
    provider = member["provider"]
    return [
        each for each in content["offerings"] if provider is None or each["provider"]["id"] == provider["id"]
    ]


def _listed(
    offering: OfferingContent, content: Content, endpoints: frozenset[str]
) -> Iterator[OfferingContent]:
    """With the limits that its model stands for elsewhere, inside the model's life; nothing where that is none.

    Texts of instants, all in UTC, are in the order of the instants.
    """
    begins = max(filter(None, (offering["effective_from"], content["release_at"])), default=None)
    ends = min(filter(None, (offering["effective_to"], content["retirement_at"])), default=None)
    if begins and ends and ends <= begins:
        return
    yield {
        **offering,
        "endpoints": sorted(endpoints),
        "context_length": offering["context_length"] or content["context_length"],
        "max_output_tokens": offering["max_output_tokens"] or content["max_output_tokens"],
        "effective_from": begins,
        "effective_to": ends,
    }


def _context(content: Content) -> int | None:
    """The model's own, else the smallest of its offerings'."""
    lengths = [offering["context_length"] for offering in content["offerings"]]
    return content["context_length"] or min(filter(None, lengths), default=None)


def _known(contents: Iterable[Content], name: str) -> list[Any]:
    return [value for content in contents if (value := content[name])]  # type: ignore[literal-required]


def _all(contents: Sequence[Content], name: str) -> list[Any]:
    """What each says; nothing where one says nothing."""
    found = _known(contents, name)
    return found if len(found) == len(contents) else []


def _same(contents: Iterable[Content], name: str) -> Any:
    """What all say alike; else None."""
    values = [content[name] for content in contents]  # type: ignore[literal-required]
    return values[0] if values and all(value == values[0] for value in values) else None
