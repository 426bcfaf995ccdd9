"""That nobody makes a key wider than what they have: not the key that makes it, and not its team. Pure."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from accounts.patterns import is_within
from accounts.regions import is_within as is_region_within
from accounts.scopes import CATALOGUE, FEED
from gateway.core.refusals import InvalidField

_MOST_SHOWN = 10
_FLAGS = {
    "zero_retention": "its calls go only where nothing is kept",
    "no_data_collection": "its calls go only where nothing is collected",
}


class Floored(Protocol):
    """Of a key or a team, what its calls keep to."""

    regions: Sequence[str]
    quantizations: Sequence[str]
    zero_retention: bool
    no_data_collection: bool


class Terms(Protocol):
    """Of a key, as its row has them."""

    model_patterns: Sequence[str]
    denied_model_patterns: Sequence[str]
    provider_patterns: Sequence[str]
    denied_provider_patterns: Sequence[str]
    surfaces: Sequence[str]
    ip_ranges: Sequence[str]
    project_id: int | None
    expires_at: datetime | None

    @property
    def scope_set(self) -> frozenset[str]: ...


class Ceilings(Protocol):
    """Of a team, for its keys."""

    key_requests_per_minute_most: int | None
    key_concurrency_most: int | None
    key_days_most: int | None


def check_not_wider(key: Terms, maker: Terms) -> None:
    """Raises InvalidField for the first term by which the key would be wider than the one that makes or changes it."""
    # A feed reads the catalogue, and no more.
    may_give = maker.scope_set | ({FEED} if CATALOGUE in maker.scope_set else set())
    if more := key.scope_set - may_give:
        raise _wider("scopes", f"it has no {min(more)}")
    for field in ("model_patterns", "provider_patterns"):
        _check_permitted(field, getattr(key, field), getattr(maker, field))
        _check_denied(f"denied_{field}", getattr(key, f"denied_{field}"), getattr(maker, f"denied_{field}"))
    if maker.surfaces and not (key.surfaces and set(key.surfaces) <= set(maker.surfaces)):
        raise _wider("surfaces", f"it may call {', '.join(maker.surfaces)} only")
    _check_ranges(key.ip_ranges, maker.ip_ranges)
    if maker.project_id is not None and key.project_id != maker.project_id:
        raise _wider("project", "it is bound to a project")
    if maker.expires_at and (key.expires_at is None or key.expires_at > maker.expires_at):
        raise _wider("expires_at", f"it expires at {maker.expires_at.isoformat()}")


def weaker(floor: Floored, than: Floored) -> tuple[str, str] | None:
    """The first term by which a floor asks for less than another one, and what that one asks; None: by none."""
    if than.regions and not _are_all_within(floor.regions, than.regions):
        return "regions", f"its calls stay in {_listed(than.regions)}"
    if than.quantizations and not (
        floor.quantizations and set(floor.quantizations) <= set(than.quantizations)
    ):
        return "quantizations", f"its calls are answered in {_listed(than.quantizations)}"
    for flag, says in _FLAGS.items():
        if getattr(than, flag) and not getattr(floor, flag):
            return flag, says
    return None


def check_floor(key: Floored, maker: Floored) -> None:
    """Raises InvalidField for the first thing that the key's calls would not keep to, and its maker's do."""
    if missing := weaker(key, maker):
        raise _wider(*missing)


def check_ceilings(values: Mapping[str, object], team: Ceilings, at: datetime) -> None:
    """Of terms as they are given. Raises InvalidField."""
    for field in ("requests_per_minute", "concurrency"):
        most = getattr(team, f"key_{field}_most")
        if most is None or field not in values:
            continue
        value = values[field]
        if value is None or (isinstance(value, int) and value > most):
            raise InvalidField(field, f"{field} is {_said(value)}; keys of this team have at most {most}.")
    expires_at = values.get("expires_at", at)
    latest = at + timedelta(days=team.key_days_most) if team.key_days_most else None
    if latest and (expires_at is None or (isinstance(expires_at, datetime) and expires_at > latest)):
        message = (
            f"expires_at is {_said(expires_at)}; keys of this team expire within {team.key_days_most} days."
        )
        raise InvalidField("expires_at", message)


def _are_all_within(own: Sequence[str], wider: Sequence[str]) -> bool:
    return bool(own) and all(any(is_region_within(each, word) for word in wider) for each in own)


def _check_permitted(field: str, own: Iterable[str], makers: Sequence[str]) -> None:
    own = list(own)
    if not makers:
        return
    if not own or not all(any(is_within(pattern, wider) for wider in makers) for pattern in own):
        raise _wider(field, f"its own are {_listed(makers)}")


def _check_denied(field: str, own: Iterable[str], makers: Sequence[str]) -> None:
    own = list(own)
    for pattern in makers:
        if not any(is_within(pattern, wider) for wider in own):
            raise _wider(field, f"it is denied {pattern}, and so this has to be denied, too")


def _check_ranges(own: Sequence[str], makers: Sequence[str]) -> None:
    if not makers:
        return
    wider = [ipaddress.ip_network(each) for each in makers]
    narrow = [ipaddress.ip_network(each) for each in own]
    fits = [any(a.version == b.version and a.subnet_of(b) for b in wider) for a in narrow]  # type: ignore[arg-type]
    if not own or not all(fits):
        raise _wider("ip_ranges", f"its own are {_listed(makers)}")


def _wider(field: str, why: str) -> InvalidField:
    return InvalidField(field, f"{field} would be wider than the key that you use: {why}.")


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:_MOST_SHOWN])


def _said(value: object) -> str:
    if value is None:
        return "null"
    return value.isoformat() if isinstance(value, datetime) else str(value)
