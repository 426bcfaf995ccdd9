"""Which providers a client prefers for its call: the body's own `provider` object. Pure.

Source of its members: https://openrouter.ai/docs/guides/routing/provider-selection (November 2026). What is not known
of an offering does not fulfil a wish; `preferred_*` only order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from accounts.floors import UNKNOWN, Floor, Handling, is_quantization
from accounts.keys import KeyFacts
from accounts.regions import are_within, is_region
from accounts.restrictions import Restrictions
from catalogue.facts import OfferingFacts
from gateway.proxy.routing.names import LATENCY, PRICE, THROUGHPUT
from gateway.proxy.routing.prices import UNITS, MaxPrice, price, read_max_price
from gateway.proxy.surfaces.fields import (
    Check,
    boolean,
    either,
    list_of,
    number,
    one_of,
    record,
    refuse,
    text,
)
from providers.facts import ProviderFacts
from providers.operations.base import Requirements
from providers.tallies import Tally, percentile

FIELD = "provider"
FORBIDDEN = "forbidden_to_key"
SORTS = (PRICE, LATENCY, THROUGHPUT)
PREFERRED_OVER_S = 300
"""The time over which speeds are looked at that a client prefers."""
_MOST_NAMES = 64
_names = list_of(text(60, least=1), most=_MOST_NAMES)
_PERCENTILES = {"p50": 50, "p75": 75, "p90": 90, "p99": 99}


def _word(is_word: Any, allowed: str) -> Check:
    def check(value: Any, param: str) -> None:
        if not is_word(value):
            raise refuse(param, allowed, value)

    return check


def _object(fields: Mapping[str, Check]) -> Check:
    """Of these members and no others."""
    known = record(fields)

    def check(value: Any, param: str) -> None:
        known(value, param)
        for name, member in value.items():
            if name not in fields:
                raise refuse(
                    f"{param}.{name}", f"left out, because '{param}' takes only {', '.join(fields)}", member
                )

    return check


def _threshold(least: float, most: float) -> Check:
    limit = number(least, most)
    return either(
        f"a number from {least:g} to {most:g}, or an object of {', '.join(_PERCENTILES)}",
        limit,
        _object(dict.fromkeys(_PERCENTILES, limit)),
    )


_sort = one_of(*SORTS)
_check = _object(
    {
        "require_parameters": boolean,
        "allow_fallbacks": boolean,
        "only": _names,
        "ignore": _names,
        "order": _names,
        "sort": either(
            f"one of {', '.join(SORTS)}, or an object of by and partition",
            _sort,
            _object({"by": _sort, "partition": one_of("model", "none")}),
        ),
        "max_price": _object(dict.fromkeys(UNITS, price)),
        "zdr": boolean,
        "data_collection": one_of("allow", "deny"),
        "quantizations": list_of(
            _word(is_quantization, "one lower-case word, such as fp8 or unknown"), least=1, most=_MOST_NAMES
        ),
        "regions": list_of(
            _word(is_region, "written in lower case, such as eu, us or europe-west4"),
            least=1,
            most=_MOST_NAMES,
        ),
        "preferred_min_throughput": _threshold(0, 1e6),
        "preferred_max_latency": _threshold(0, 86_400),
    }
)


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
    """By what the order goes before all else: one of SORTS."""
    sorts_all: bool = False
    """That order is over all models which may answer, and not over each one's offerings."""
    max_price: MaxPrice | None = None
    zero_retention: bool = False
    no_data_collection: bool = False
    quantizations: tuple[str, ...] = ()
    """Empty: any."""
    regions: tuple[str, ...] = ()
    """Empty: anywhere."""
    min_throughput: tuple[tuple[int, float], ...] = ()
    """Tokens a second, by percentile: that many of a hundred calls are at least so fast."""
    max_latency: tuple[tuple[int, float], ...] = ()
    """Seconds to the first token, likewise."""
    of_key: Restrictions | None = None
    """What the key that calls may use; the client has no say in it."""
    floor: Floor | None = None
    """What its calls keep to; likewise."""

    def narrowed_by(self, key: KeyFacts) -> "ProviderPreferences":
        """With what the key may use and keeps to; itself for most keys."""
        rules = key.restrictions
        if key.floor is None and (rules is None or not rules.narrows_providers):
            return self
        return replace(self, of_key=rules, floor=key.floor)

    def reason_against(
        self, provider: str, offering: OfferingFacts, required: Requirements, at: datetime
    ) -> str:
        """Why this offering of that provider must not be asked; "" if it may. What the key may comes first."""
        if self.floor is not None and (reason := self.floor.reason_against(offering)):
            return reason
        if self.of_key is not None and not self.of_key.permits_provider(provider):
            return FORBIDDEN
        wish = self._wish_against(provider) or self._fact_against(offering)
        if not wish and self.max_price is not None and not self.max_price.permits(offering, required, at):
            wish = "max_price"
        return f"excluded:{wish}" if wish else ""

    @property
    def says_where(self) -> bool:
        """Whether it says how a call is to be handled."""
        return self.floor is not None or bool(
            self.regions or self.quantizations or self.zero_retention or self.no_data_collection
        )

    def beyond_regions(self) -> "ProviderPreferences":
        """The same, wherever it is."""
        floor = replace(self.floor, regions=()) if self.floor is not None else None
        return replace(self, regions=(), floor=floor)

    def reason_against_place(self, vouched: Iterable[Handling], told: Handling) -> str:
        """Why a call must not be handled so. The floor is held against all that is `vouched` for, wishes against what
        is `told`.
        """
        floor = self.floor
        floors = (floor.reason_against(each) for each in vouched) if floor is not None else ()
        if reason := next(filter(None, floors), ""):
            return reason
        wish = self._fact_against(told)
        return f"excluded:{wish}" if wish else ""

    def _wish_against(self, provider: str) -> str:
        if self.only is not None and provider not in self.only:
            return "only"
        if provider in self.ignore:
            return "ignore"
        return "order" if not self.allows_fallbacks and self.order and provider not in self.order else ""

    def _fact_against(self, offering: Handling) -> str:
        if self.zero_retention and offering.zero_retention is not True:
            return "zdr"
        if self.no_data_collection and offering.collects_data is not False:
            return "data_collection"
        if self.quantizations and (offering.quantization or UNKNOWN) not in self.quantizations:
            return "quantizations"
        return "regions" if self.regions and not are_within(offering.regions, self.regions) else ""

    def is_slower(self, tally: Tally) -> bool:
        """Whether it was slower than the client prefers, or nobody knows: then it comes later, and is not left out."""
        latency = [(percentile(tally.first_token_ms, part / 100), most) for part, most in self.max_latency]
        # So many of a hundred calls are at least so fast: the others are the slowest.
        speed = [
            (percentile(tally.tokens_per_s, 1 - part / 100), least) for part, least in self.min_throughput
        ]
        return any(found is None or found > most * 1_000 for found, most in latency) or any(
            found is None or found < least for found, least in speed
        )

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
    known = frozenset([provider.slug for provider in providers.values()])
    only, ignore, order = (_slugs(given, name, known) for name in ("only", "ignore", "order"))
    sort = given.get("sort", "")
    by, partition = (sort.get("by"), sort.get("partition")) if isinstance(sort, Mapping) else (sort, None)
    return ProviderPreferences(
        given.get("require_parameters", False),
        given.get("allow_fallbacks", True),
        only if "only" in given else None,
        ignore,
        order,
        sort=by or "",
        sorts_all=partition == "none",
        max_price=read_max_price(given["max_price"], body) if "max_price" in given else None,
        zero_retention=given.get("zdr", False),
        no_data_collection=given.get("data_collection") == "deny",
        quantizations=tuple(given.get("quantizations", ())),
        regions=tuple(given.get("regions", ())),
        min_throughput=_thresholds(given.get("preferred_min_throughput")),
        max_latency=_thresholds(given.get("preferred_max_latency")),
    )


def _thresholds(value: Any) -> tuple[tuple[int, float], ...]:
    """A number alone is of the half of the calls."""
    if value is None:
        return ()
    given = value if isinstance(value, Mapping) else {"p50": value}
    return tuple((_PERCENTILES[name], limit) for name, limit in sorted(given.items()) if limit is not None)


def _slugs(given: Mapping[str, Any], name: str, known: frozenset[str]) -> tuple[str, ...]:
    slugs = given.get(name, ())
    for index, slug in enumerate(slugs):
        if slug not in known:
            raise refuse(f"{FIELD}.{name}[{index}]", "the slug of a provider", slug)
    return tuple(slugs)
