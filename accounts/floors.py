"""What the calls of a key keep to, whatever they ask for: where they run, and what becomes of what they send. Pure.

What is not known of an offering does not fulfil it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from accounts.regions import are_within
from gateway.core.refusals import InvalidField

FLAGS = ("zero_retention", "no_data_collection")
TERMS = ("regions", "quantizations", *FLAGS)
"""Of keys and of teams, as their rows have them."""
UNKNOWN = "unknown"
"""In place of a quantization: one that nobody has told."""
_QUANTIZATION = re.compile(r"[a-z0-9][a-z0-9_.-]{0,19}")
_MOST = 64


class Handling(Protocol):
    """What is known of how an offering handles a call. None, and no region: nothing."""

    @property
    def regions(self) -> tuple[str, ...]: ...
    @property
    def quantization(self) -> str | None: ...
    @property
    def zero_retention(self) -> bool | None: ...
    @property
    def collects_data(self) -> bool | None: ...


@dataclass(frozen=True, slots=True)
class Floor:
    """Of a key and of its team together. All regions of an offering have to be in each of the lists.

    Words are sorted: keys with the same floor see the same, and their lists are kept by its text.
    """

    regions: tuple[tuple[str, ...], ...] = ()
    zero_retention: bool = False
    no_data_collection: bool = False
    quantizations: tuple[str, ...] | None = None
    """None: any; `unknown` among them: also where nobody has told."""

    def reason_against(self, offering: Handling) -> str:
        """`floor:` and what is not fulfilled; "" where all is."""
        if any(not are_within(offering.regions, words) for words in self.regions):
            return "floor:regions"
        if self.zero_retention and offering.zero_retention is not True:
            return "floor:zero_retention"
        if self.no_data_collection and offering.collects_data is not False:
            return "floor:no_data_collection"
        if self.quantizations is not None and (offering.quantization or UNKNOWN) not in self.quantizations:
            return "floor:quantizations"
        return ""

    def in_words(self) -> Iterator[str]:
        """Each thing that calls keep to, such as “regions eu”."""
        yield from (f"regions {', '.join(words)}" for words in self.regions)
        if self.zero_retention:
            yield "zero data retention"
        if self.no_data_collection:
            yield "no data collection"
        if self.quantizations is not None:
            yield f"quantizations {', '.join(self.quantizations) or 'none'}"


_NONE = Floor()


def join(
    regions: Sequence[Sequence[str]],
    quantizations: Sequence[Sequence[str]],
    flags: Sequence[tuple[bool, bool]],
) -> Floor | None:
    """What all of them ask for together, a key and its team; an empty list asks for nothing. None: nothing is."""
    named = [frozenset(words) for words in quantizations if words]
    floor = Floor(
        tuple(tuple(sorted(words)) for words in regions if words),
        any(retention for retention, _ in flags),
        any(collection for _, collection in flags),
        tuple(sorted(frozenset.intersection(*named))) if named else None,
    )
    return None if floor == _NONE else floor


def is_quantization(word: object) -> bool:
    return isinstance(word, str) and _QUANTIZATION.fullmatch(word) is not None


def check_quantizations(words: Sequence[object]) -> None:
    """Raises InvalidField."""
    if len(words) > _MOST:
        raise InvalidField("quantizations", f"quantizations holds more than {_MOST} words.")
    for each in words:
        if not is_quantization(each):
            message = f"quantizations holds {str(each)[:40]!r}; each is one lower-case word, such as fp8 or unknown."
            raise InvalidField("quantizations", message)
