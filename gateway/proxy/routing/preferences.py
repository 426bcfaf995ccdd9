"""Which providers a client prefers for its call: the body's own `provider` object. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.restrictions import Restrictions
from gateway.proxy.errors import InvalidRequest
from gateway.proxy.surfaces.fields import boolean, list_of, record, refuse, text
from providers.facts import ProviderFacts

FIELD = "provider"
FORBIDDEN = "forbidden_to_key"
_MOST_NAMES = 64
_names = list_of(text(60, least=1), most=_MOST_NAMES)
_check = record(
    {
        "require_parameters": boolean,
        "allow_fallbacks": boolean,
        "only": _names,
        "ignore": _names,
        "order": _names,
    }
)
_SUPPORTED = ("require_parameters", "allow_fallbacks", "only", "ignore", "order")
_NOT_YET = frozenset({"sort", "max_price", "zdr", "data_collection", "quantizations"})


@dataclass(frozen=True, slots=True)
class ProviderPreferences:
    """Slugs of providers. `only` and `order` are None where nothing was said; an empty `only` allows nobody.

    `requires_parameters`: an offering has to declare every parameter that the request uses.
    """

    requires_parameters: bool = False
    allows_fallbacks: bool = True
    only: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    sort: str = ""
    """What its offerings are ordered by: see gateway.proxy.routing.names; empty where the client says nothing."""
    of_key: Restrictions | None = None
    """What the key that calls may use; the client has no say in it."""

    def reason_against(self, provider: str) -> str:
        """Why this provider must not be asked; "" if it may."""
        if self.of_key is not None and not self.of_key.permits_provider(provider):
            return FORBIDDEN
        if self.only is not None and provider not in self.only:
            return "excluded:only"
        if provider in self.ignore:
            return "excluded:ignore"
        if not self.allows_fallbacks and self.order and provider not in self.order:
            return "excluded:order"
        return ""

    def rank(self, provider: str) -> int:
        """Smaller is sooner. Providers that the order does not name come after those that it does."""
        return self.order.index(provider) if provider in self.order else len(self.order)


NO_PREFERENCES = ProviderPreferences()


def read_preferences(body: Mapping[str, Any], providers: Mapping[int, ProviderFacts]) -> ProviderPreferences:
    """Of a request's body. `providers` are all that there are.

    Raises InvalidRequest, also for a slug that nobody has: a typing error must not open what it was to close.
    """
    value = body.get(FIELD)
    if value is None:
        return NO_PREFERENCES
    _check(value, FIELD)
    given = {name: member for name, member in value.items() if member is not None}
    for name, member in given.items():
        _refuse_unknown(name, member)
    known = frozenset([provider.slug for provider in providers.values()])
    only, ignore, order = (_slugs(given, name, known) for name in ("only", "ignore", "order"))
    return ProviderPreferences(
        given.get("require_parameters", False),
        given.get("allow_fallbacks", True),
        only if "only" in given else None,
        ignore,
        order,
    )


def _refuse_unknown(name: str, value: object) -> None:
    param = f"{FIELD}.{name}"
    if name in _NOT_YET:
        message = f"'{param}' is not supported yet; '{FIELD}' takes {', '.join(_SUPPORTED)}."
        raise InvalidRequest(message, code="unsupported_parameter", param=param)
    if name not in _SUPPORTED:
        raise refuse(param, f"left out, because '{FIELD}' takes only {', '.join(_SUPPORTED)}", value)


def _slugs(given: Mapping[str, Any], name: str, known: frozenset[str]) -> tuple[str, ...]:
    slugs = given.get(name, ())
    for index, slug in enumerate(slugs):
        if slug not in known:
            raise refuse(f"{FIELD}.{name}[{index}]", "the slug of a provider", slug)
    return tuple(slugs)
