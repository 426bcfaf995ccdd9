"""What is closed to a key beyond its own model patterns, as values. Pure; the data plane uses it too."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.floors import check_quantizations
from accounts.patterns import check_patterns, matches_any
from accounts.regions import check_regions
from gateway.core.client_address import Network
from gateway.core.refusals import InvalidField

SURFACES = (
    "chat.completions",
    "completions",
    "embeddings",
    "generate_content",
    "messages",
    "responses",
)
"""The APIs that clients call, in the published vocabulary."""
LISTS = (
    "model_patterns",
    "denied_model_patterns",
    "provider_patterns",
    "denied_provider_patterns",
    "surfaces",
    "ip_ranges",
    "regions",
    "quantizations",
)
"""What narrows, of keys and of teams."""
RANGES_MAX = 100
_SHOWN = 64


@dataclass(frozen=True, slots=True)
class Restrictions:
    """Of a key and of its team together: a plain key has none, and its calls pay nothing for them.

    `team_models`, each list of `providers` and each of `networks` has to have a match, where it is not empty. What is
    denied wins. `surfaces` is None where all are open.
    """

    lacks_scopes: bool = False
    """It may not do both: call models and read the catalogue."""
    is_closed: bool = False
    """New models are closed: where neither the team nor the key lists models, there are none."""
    team_models: tuple[str, ...] = ()
    denied_models: tuple[str, ...] = ()
    providers: tuple[tuple[str, ...], ...] = ()
    denied_providers: tuple[str, ...] = ()
    surfaces: tuple[str, ...] | None = None
    networks: tuple[tuple[Network, ...], ...] = ()
    project: str = ""
    """What all calls of the key are for."""
    has_free_projects: bool = True

    def permits_model(self, names: Sequence[str], key_patterns: Sequence[str]) -> bool:
        """`names` are a model's id and its aliases; `key_patterns` what the key itself lists."""
        if self.denied_models and matches_any(names, self.denied_models):
            return False
        if self.team_models:
            return matches_any(names, self.team_models)
        return not self.is_closed or bool(key_patterns)

    def permits_provider(self, slug: str) -> bool:
        if matches_any((slug,), self.denied_providers):
            return False
        return all(matches_any((slug,), permitted) for permitted in self.providers)

    @property
    def narrows_providers(self) -> bool:
        return bool(self.providers or self.denied_providers)

    def permits_address(self, address: str) -> bool:
        """Whether each list of networks has the client's address; one that cannot be read is in none."""
        if not self.networks:
            return True
        try:
            read = ipaddress.ip_address(address)
        except ValueError:
            return False
        return all(any(read in network for network in networks) for networks in self.networks)


PLAIN = Restrictions()


def read_networks(ranges: Iterable[str]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(each) for each in ranges)


def check_ip_ranges(ranges: Sequence[object]) -> None:
    """Raises InvalidField."""
    if len(ranges) > RANGES_MAX:
        raise InvalidField("ip_ranges", f"ip_ranges holds more than {RANGES_MAX} ranges.")
    for each in ranges:
        if (fault := _fault_of(each)) is not None:
            raise InvalidField(
                "ip_ranges",
                f"ip_ranges holds {str(each)[:_SHOWN]!r}, which {fault}; each is an address or a network, "
                "such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32.",
            )


def check_surfaces(surfaces: Sequence[object]) -> None:
    """Raises InvalidField."""
    for each in surfaces:
        if each not in SURFACES:
            message = f"surfaces holds {str(each)[:_SHOWN]!r}; use any of {', '.join(SURFACES)}."
            raise InvalidField("surfaces", message)


def check_lists(lists: Mapping[str, Any]) -> None:
    """Of those in LISTS that are there. Raises InvalidField."""
    for field, values in lists.items():
        if field == "surfaces":
            check_surfaces(values)
        elif field == "ip_ranges":
            check_ip_ranges(values)
        elif field == "regions":
            check_regions(values)
        elif field == "quantizations":
            check_quantizations(values)
        elif field in LISTS:
            check_patterns(values, field)


def _fault_of(each: object) -> str | None:
    if not isinstance(each, str):
        return "is not an address"
    try:
        ipaddress.ip_network(each)
    except ValueError as error:
        return "has bits behind its mask" if "host bits" in str(error) else "is not an address"
    return None
