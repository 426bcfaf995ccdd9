"""The prices that a sheet's rows are about."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from django.utils import timezone

from catalogue.facts import EPOCH
from catalogue.models import Price
from catalogue.pricing.cost import is_valid, plain
from catalogue.publishing.compile import price_facts
from catalogue.services import doubt_of_price, price_references
from catalogue.sheets.cells import SINCE_EVER
from catalogue.sheets.columns import OFFERING_KEY, PriceSheet
from catalogue.sheets.judged import Change, Fault
from catalogue.sheets.known_base import Key, Known, Made, cell_text, offerings_of
from catalogue.sheets.upload import Row
from catalogue.words import MEANT


class KnownPrices(Known):
    """Prices are only ever added: one that is there already is passed over, and none is changed.

    One without a beginning begins when it is written, and ends the one that runs.
    """

    sheet_class = PriceSheet
    key_columns = (*OFFERING_KEY, "meter")
    is_key_unique = False

    def __init__(self, made: Made | None = None, *, has_decimal_comma: bool = False) -> None:
        super().__init__(made, has_decimal_comma=has_decimal_comma)
        self._told: set[Key] = set()
        self._others: dict[int, list[Price]] = defaultdict(list)
        self._begun: dict[Key, Price] = {}
        self._rows: dict[Key, list[Price]] = {}
        self._at = timezone.now()

    def load(self, rows: Sequence[Row]) -> None:
        named, self._at = {_key(row) for row in rows}, timezone.now()
        offerings = {
            key: each for key, each in (self.made.offerings | offerings_of(rows)).items() if key in named
        }
        self.sheet.fields["offering"].widget.rows = offerings
        saved = [offering for offering in offerings.values() if offering.pk]
        self._others = price_references({offering.model_id for offering in saved if offering.model_id})
        self._rows = defaultdict(list)
        for price in Price.objects.filter(offering__in=saved).select_related(
            "offering__model", "offering__provider"
        ):
            self._told.add(_told(price))
            self._rows[_slot(price)].append(price)

    def find(self, key: Key) -> None:  # noqa: ARG002
        return None

    def new(self, key: Key) -> Price:  # noqa: ARG002
        return Price()

    def settle(self, row: Price) -> None:
        row.begins_now = row.valid_from is None  # type: ignore[attr-defined]
        if row.valid_from == SINCE_EVER:
            row.valid_from = None

    def is_there(self, row: Price) -> bool:
        if not begins_now(row):
            return _told(row) in self._told
        running = self._begun.get(_slot(row)) or self._running(row)
        return running is not None and _same_amount(running, row) and running.valid_to == row.valid_to

    def check(self, row: Price) -> Iterator[Fault]:
        others = self._others[row.offering.model_id]
        if not row.is_meant and (  # type: ignore[attr-defined]
            doubt := doubt_of_price(row.offering, price_facts(row), others, at=self._at)
        ):
            yield Fault("amount", f"{doubt} If it is right, write {MEANT} before it.")
        if row.valid_to is not None and begins_now(row) and row.valid_to <= self._at:
            yield Fault("valid_to", "It begins now, and this has already passed.")
        if begins_now(row):
            if _slot(row) in self._begun:
                yield Fault(
                    "", "An earlier row begins now too, for the same meter, plan, currency and conditions."
                )
            return
        running, ends = self._running(row), row.valid_to
        if running is None or running.valid_from is None or (ends is not None and ends <= running.valid_from):
            return
        if row.valid_from is None or row.valid_from < running.valid_from:
            begins = f"{running.valid_from:%Y-%m-%d %H:%M}"
            yield Fault(
                "valid_from",
                f"It would never apply: another price has been running since {begins}. Leave it empty to begin now.",
            )

    def keep(self, key: Key, row: Price) -> None:  # noqa: ARG002
        self._told.add(_told(row))
        if begins_now(row):
            self._begun[_slot(row)] = row

    def changes(self, row: Price) -> Iterable[Change]:
        running = self._running(row)
        if begins_now(row):
            yield Change("valid_from", "", "now")
        if running is not None and self.ends(row, running):
            yield Change("ends", f"{plain(running.amount)} for {running.unit_size}", "when this begins")

    def superseded(self, row: Price) -> list[Price]:
        """Those that end when the row begins: what was charged stays as it was."""
        return [price for price in self._rows.get(_slot(row), ()) if self.ends(row, price)]

    def ends(self, row: Price, price: Price) -> bool:
        """One that has an end itself counts while it runs, and what ran before counts again after it."""
        if row.valid_to is not None:
            return False
        begins = self._at if begins_now(row) else row.valid_from
        has_begun = price.valid_from is None or (begins is not None and price.valid_from < begins)
        runs_then = begins is not None and (price.valid_to is None or price.valid_to > max(begins, self._at))
        return has_begun and runs_then

    def _running(self, row: Price) -> Price | None:
        """What is charged now for the same."""
        valid = [price for price in self._rows.get(_slot(row), ()) if is_valid(price_facts(price), self._at)]
        return max(valid, key=lambda each: each.valid_from or EPOCH, default=None)

    @staticmethod
    def model_id(row: Price) -> int | None:
        return row.offering.model_id


def begins_now(price: Price) -> bool:
    return bool(getattr(price, "begins_now", False))


def _key(row: Row) -> Key:
    return tuple(cell_text(row, name) for name in OFFERING_KEY)


def _slot(price: Price) -> Key:
    """What only one price can apply to at a time."""
    offering = price.offering
    place = (offering.model.public_id, offering.provider.slug, offering.upstream_name)
    conditions = json.dumps(price.conditions, sort_keys=True)
    return (*place, price.meter, price.plan, price.currency, conditions)


def _same_amount(one: Price, other: Price) -> bool:
    return one.amount * other.unit_size == other.amount * one.unit_size


def _told(price: Price) -> Key:
    """All that one price says, but for its source."""
    amount = str(price.amount.normalize())
    return (*_slot(price), str(price.unit_size), amount, str(price.valid_from), str(price.valid_to))
