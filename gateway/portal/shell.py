"""The column that stands beside every page of somebody who belongs to a team: where things are, and whose they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject, cached_property

from accounts.acting import Acting
from accounts.models import Team
from accounts.rights import Right
from gateway.portal.acting import acted_as, acted_everywhere
from gateway.public.access import is_open_to


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the console; `pages` are the names of the addresses that stand in it, besides its own."""

    label: str
    view: str
    pages: frozenset[str] = frozenset()
    right: Right = Right.READ


def _section(label: str, view: str, *pages: str, right: Right = Right.READ) -> Section:
    return Section(label, view, frozenset({view, *pages}), right)


_MODELS = _section("Models", "public:models", "public:model", "public:compare", "public:retirements")
SECTIONS: Sequence[Section] = (
    _section("Overview", "portal:overview", "portal:overview-sheet", "portal:overview-start"),
    _section("Requests", "portal:requests", "portal:receipt"),
    _section("Playground", "portal:playground", right=Right.CALL),
    _MODELS,
    _section(
        "Keys",
        "portal:keys",
        "portal:key",
        "portal:revoke",
        "portal:rotate",
        "portal:key-limits",
        "portal:key-budgets",
    ),
    _section(
        "Members",
        "portal:members",
        "portal:member",
        "portal:member-role",
        "portal:suspend-member",
        "portal:left-behind",
        "portal:leave-team",
        "portal:invite",
        "portal:withdraw-invitation",
    ),
    _section(
        "Projects",
        "portal:projects",
        "portal:project",
        "portal:archive-project",
        "portal:service-account",
        "portal:switch-account",
    ),
    _section(
        "Limits & budgets",
        "portal:limits",
        "portal:budget",
        "portal:remove-limit",
        "portal:end-raise",
        "portal:remove-allowance",
    ),
    _section(
        "Provider keys",
        "portal:credentials",
        "portal:credential",
        "portal:credential-test",
        "portal:credential-remove",
        right=Right.CREDENTIALS,
    ),
    _section("Alerts", "portal:alerts", "portal:channel", "portal:channel-remove"),
    _section("Feeds", "portal:feeds"),
    _section(
        "Access requests",
        "portal:access-requests",
        "portal:ask",
        "portal:withdraw-request",
        "portal:end-request",
    ),
    _section("Statements", "portal:statements", "portal:statement"),
    _section("Audit", "portal:audit", right=Right.AUDIT),
    _section(
        "Settings",
        "portal:team",
        "portal:team-freeze",
        "portal:team-archive",
    ),
)


_FIRST = next(each for each in SECTIONS if each.right is Right.READ and each.view.startswith("portal:"))


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    address: str
    is_current: bool


class Console:
    """What the column shows. Asks SQL once, and only where a template asks."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        match = request.resolver_match
        self._page = match.view_name if match is not None else ""

    @cached_property
    def _everywhere(self) -> Sequence[Acting]:
        return acted_everywhere(self._request)

    @cached_property
    def _acting(self) -> Acting | None:
        """As the page found it; elsewhere the team that the address names, or the first."""
        if (here := acted_as(self._request)) is not None:
            return here
        named = self._request.GET.get("team")
        first = next(iter(self._everywhere), None)
        return next((each for each in self._everywhere if each.team.slug == named), first)

    def __bool__(self) -> bool:
        return self._acting is not None

    @property
    def team(self) -> Team | None:
        return self._acting.team if self._acting else None

    @cached_property
    def others(self) -> Sequence[Link]:
        """The same section for the person's other teams."""
        section = next((each for each in SECTIONS if self._page in each.pages), _FIRST)
        return [
            Link(each.team.name, _address(_open_to(each, section).view, each.team), is_current=False)
            for each in self._everywhere
            if each.team != self.team
        ]

    @cached_property
    def sections(self) -> Sequence[Link]:
        """What the person may open, in the column's order."""
        here = self._acting
        if here is None:
            return []
        return [
            Link(each.label, _address(each.view, here.team), self._page in each.pages)
            for each in SECTIONS
            if here.may(each.right) and (each is not _MODELS or is_open_to(self._request))
        ]


def console(request: HttpRequest) -> Mapping[str, Any]:
    """For every template: the column's content; false where nobody who belongs to a team is signed in."""

    def look() -> Console | None:
        user = getattr(request, "user", None)
        return Console(request) if user is not None and user.is_authenticated else None

    return {"console": SimpleLazyObject(look)}


def _open_to(acting: Acting, section: Section) -> Section:
    return section if acting.may(section.right) else _FIRST


def _address(view: str, team: Team) -> str:
    return f"{reverse(view)}?team={team.slug}"
