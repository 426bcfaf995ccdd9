"""What an import has to say about its folder: errors, irregularities, and members that are not kept. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """An error stops the import before it writes; with everything else it goes on."""

    ERROR = "error"
    REPEATED_OFFER_ID = "repeated offer id"
    OFFER_WITHOUT_MODEL = "offer without model_id"
    CARD_WITHOUT_OFFER = "price card without an offer row"
    UNKNOWN_PREVIOUS = "previous model unknown"
    DATES_OUT_OF_ORDER = "dates out of order"
    RETIRED_WITHOUT_DATE = "retired without a date"
    UNRELEASED_WITHOUT_DATE = "not released, without a date"
    UNKNOWN_SUCCESSOR = "replacement model unknown"
    OTHER_ORGANISATION = "id names another organisation"
    UNCLEAR_DAY = "day not exact"
    OFFER_REPEATED = "offer said twice"
    OFFER_WITHOUT_ENDPOINT = "offer without a known endpoint"
    OFFER_NEVER_IN_FORCE = "offer ends before it begins"
    RULE_CONTRADICTED = "price overruled by another"
    RULE_NEVER_IN_FORCE = "price ends before it begins"
    PRICE_FAR = "price far from others"
    RULE_WITHOUT_PLACE = "price without an offering"
    ALIAS_TAKEN = "alias taken"
    NO_ADDRESS = "provider without a usable address"
    NO_CREDENTIAL = "provider without an allowed key variable"
    NOT_KEPT = "member not kept"


KNOWN_IRREGULARITIES = (
    Kind.REPEATED_OFFER_ID,
    Kind.OFFER_WITHOUT_MODEL,
    Kind.CARD_WITHOUT_OFFER,
    Kind.UNKNOWN_PREVIOUS,
    Kind.DATES_OUT_OF_ORDER,
    Kind.RETIRED_WITHOUT_DATE,
)
"""Those that the data is known for, always counted in the report."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`row` is the line in the file, 0 where it is about the whole file or a row that is only here."""

    kind: Kind
    file: str
    row: int
    field: str
    reason: str

    def __str__(self) -> str:
        place = ":".join(filter(None, [self.file, str(self.row or ""), self.field]))
        return f"{place}: {self.reason}"


class Findings:
    """Collects them in the order in which they were made."""

    def __init__(self) -> None:
        self._all: list[Finding] = []

    def add(self, kind: Kind, file: str, row: int, field: str, reason: str) -> None:
        self._all.append(Finding(kind, file, row, field, reason))

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._all)

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self._all if finding.kind is Kind.ERROR]

    def counts(self) -> Counter[Kind]:
        return Counter(finding.kind for finding in self._all)

    def members_not_kept(self) -> Counter[tuple[str, str]]:
        """By file and member, numbers of nested rows left out."""
        kept_out = (finding for finding in self._all if finding.kind is Kind.NOT_KEPT)
        return Counter((finding.file, member_of(finding.field)) for finding in kept_out)


def member_of(field: str) -> str:
    """Such as rules.price for rules.3.price."""
    return ".".join(part for part in field.split(".") if not part.isdigit())
