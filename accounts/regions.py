"""Which regions a word stands for, such as those that a team's calls must stay in. Pure.

A word stands for itself and for every region that begins with it and a dash: `us` for `us-east-1`, `us-east` for
`us-east-1`. `eu` alone is a group: the regions in member states of the European Union, however clouds call them; what
has the word in its name and lies elsewhere, such as London, is not one of them.
"""

import re
from collections.abc import Iterable, Sequence

from gateway.core.refusals import InvalidField

EU = "eu"
_SHAPE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_MOST = 64
_EU_PREFIXES = frozenset({"eu", "europe", "eusc"})
_COUNTRIES = "at be bg cy cz de dk ee es fi fr gr hr hu ie it lt lu lv mt nl pl pt ro se si sk"
# As Azure calls them. Source: https://learn.microsoft.com/azure/reliability/regions-list (November 2026).
_OF_AZURE = (
    "austriaeast belgiumcentral denmarkeast finlandcentral francecentral francesouth germanynorth germanywestcentral "
    "italynorth northeurope polandcentral spaincentral swedencentral swedensouth westeurope"
)
_EU_COUNTRIES, _EU_OF_AZURE = frozenset(_COUNTRIES.split()), frozenset(_OF_AZURE.split())
# London and Zurich, as AWS and Google call them.
_NOT_IN_EU = ("eu-central-2", "eu-west-2", "europe-west2", "europe-west6")


def stands_for(word: str, region: str) -> bool:
    if word == EU:
        return _is_in_eu(region)
    return region == word or region.startswith(f"{word}-")


def is_within(word: str, wider: str) -> bool:
    """Whether `wider` stands for every region that `word` stands for."""
    if word == EU:
        return wider == EU
    if wider != EU:
        return stands_for(wider, word)
    return _is_in_eu(word) and not any(stands_for(word, other) for other in _NOT_IN_EU)


def are_within(regions: Sequence[str], words: Iterable[str]) -> bool:
    """Whether one of the words stands for each of the regions; for none, it is unknown."""
    words = tuple(words)
    return bool(regions) and all(any(stands_for(word, region) for word in words) for region in regions)


def is_region(word: object) -> bool:
    return isinstance(word, str) and _SHAPE.fullmatch(word) is not None


def check_regions(regions: Sequence[object]) -> None:
    """Raises InvalidField."""
    if len(regions) > _MOST:
        raise InvalidField("regions", f"regions holds more than {_MOST} words.")
    for each in regions:
        if not is_region(each):
            raise InvalidField(
                "regions",
                f"regions holds {str(each)[:40]!r}; each is written in lower case, such as eu, us or europe-west4.",
            )


def _is_in_eu(region: str) -> bool:
    first, dash, _ = region.partition("-")
    if any(stands_for(other, region) for other in _NOT_IN_EU):
        return False
    named = region == EU or region in _EU_OF_AZURE or first in _EU_COUNTRIES
    return named or (bool(dash) and first in _EU_PREFIXES)
