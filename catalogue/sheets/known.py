"""The rows of the catalogue that a sheet's rows are about, read for many at once: what judging compares with."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.utils import timezone

from catalogue.facts import EPOCH
from catalogue.models import Alias, Model, Offering, Organisation, Price
from catalogue.pricing.cost import is_valid, plain
from catalogue.publishing.compile import place_of_offering, price_facts
from catalogue.sheets.cells import SINCE_EVER
from catalogue.sheets.columns import (
    OFFERING_KEY,
    AliasSheet,
    ModelSheet,
    OfferingSheet,
    OrganisationSheet,
    PriceSheet,
    Sheet,
)
from catalogue.sheets.judged import Change, Fault
from catalogue.sheets.upload import Row
from providers.models import Provider

Key = tuple[str, ...]


@dataclass
class Made:
    """What earlier sheets of the same workbook would make, before anything is written."""

    organisations: set[str] = field(default_factory=set)
    models: dict[str, Model] = field(default_factory=dict)
    offerings: dict[Key, Offering] = field(default_factory=dict)


class Known:
    """Of one kind of sheet. What earlier rows of the same file would make is known to later ones."""

    sheet_class: ClassVar[type[Sheet]]
    key_columns: ClassVar[Sequence[str]]
    is_key_unique: ClassVar[bool] = True
    """Two rows of a sheet with the same key are about the same row."""

    def __init__(self, made: Made | None = None, *, has_decimal_comma: bool = False) -> None:
        self.made = made or Made()
        self.sheet = self.sheet_class()
        if has_decimal_comma:
            self.sheet.read_decimal_commas()

    def load(self, rows: Sequence[Row]) -> None:
        """Read what these rows name; a fixed number of queries. Cells that SQL cannot hold are left out."""
        raise NotImplementedError

    def key_of(self, row: Row) -> Key:
        return tuple(_text(row, name) for name in self.key_columns)

    def find(self, key: Key) -> Any:
        """The row that is there; None: it would be new."""
        raise NotImplementedError

    def new(self, key: Key) -> Any:
        raise NotImplementedError

    def settle(self, row: Any) -> None:
        """What the cells of a new row mean beside what is there."""

    def check(self, row: Any) -> Iterator[Fault]:
        """What one row alone cannot say."""
        raise NotImplementedError

    def changes(self, row: Any) -> Iterable[Change]:  # noqa: ARG002  # prices override it
        """What a new row does beyond what its cells say."""
        return ()

    def keep(self, key: Key, row: Any) -> None:
        """It is as good as saved to what follows."""

    def is_there(self, row: Any) -> bool:  # noqa: ARG002  # prices override it
        """Whether a new row says nothing that is not said already."""
        return False

    @staticmethod
    def model_id(row: Any) -> int | None:
        """Of the model whose record the row is part of; None for one that is not made yet."""
        raise NotImplementedError

    def model_ids(self, rows: Iterable[Any]) -> set[int]:
        """Of all models whose records these rows are part of."""
        return {id_ for row in rows if (id_ := self.model_id(row)) is not None}

    @staticmethod
    def place_of(row: Any) -> str | None:  # noqa: ARG004  # others override it
        """How publishing begins what it says against this row alone. None: it is new, so nothing is said of it yet."""
        return None


class KnownOrganisations(Known):
    sheet_class = OrganisationSheet
    key_columns = ("id",)

    def load(self, rows: Sequence[Row]) -> None:
        self._organisations = Organisation.objects.in_bulk(_texts(rows, "id"))

    def find(self, key: Key) -> Organisation | None:
        return self._organisations.get(key[0])

    def new(self, key: Key) -> Organisation:
        return Organisation(pk=key[0])

    def check(self, row: Organisation) -> Iterator[Fault]:  # noqa: ARG002
        return iter(())

    def keep(self, key: Key, row: Organisation) -> None:  # noqa: ARG002
        self.made.organisations.add(key[0])

    @staticmethod
    def model_id(row: Organisation) -> None:  # noqa: ARG004
        return None

    def model_ids(self, rows: Iterable[Organisation]) -> set[int]:
        """Their names and colours are in the records of all their models."""
        return set(Model.objects.filter(organisation__in=list(rows)).values_list("pk", flat=True))


class KnownModels(Known):
    sheet_class = ModelSheet
    key_columns = ("id",)

    def __init__(self, made: Made | None = None, *, has_decimal_comma: bool = False) -> None:
        super().__init__(made, has_decimal_comma=has_decimal_comma)
        self._models: dict[str, Model] = {}
        self._organisations = set(Organisation.objects.values_list("pk", flat=True))
        pairs = Model.objects.exclude(successor=None).order_by()
        self._successors = dict(pairs.values_list("public_id", "successor__public_id"))
        self._aliases: set[str] = set()

    def load(self, rows: Sequence[Row]) -> None:
        names = _texts(rows, "id", "successor", "previous")
        related = Model.objects.select_related("successor", "previous").filter(public_id__in=names)
        self._models = self.made.models | {model.public_id: model for model in related}
        self._aliases = set(Alias.objects.filter(name__in=names).values_list("name", flat=True))
        for name in ("successor", "previous"):
            self.sheet.fields[name].widget.rows = self._models

    def find(self, key: Key) -> Model | None:
        return self._models.get(key[0])

    def new(self, key: Key) -> Model:
        organisation_id, _, slug = key[0].partition("/")
        return Model(organisation_id=organisation_id, slug=slug, public_id=key[0])

    def check(self, row: Model) -> Iterator[Fault]:
        if row.organisation_id not in self._organisations | self.made.organisations:
            yield Fault("id", f"There is no organisation {row.organisation_id!r}.")
        if row.pk is None and row.public_id in self._aliases:
            yield Fault("id", f"“{row.public_id}” is an alias already. Remove the alias first.")
        if row.previous is not None and row.previous.public_id == row.public_id:
            yield Fault("previous", "A model cannot follow itself.")
        if row.successor is not None and self._leads_back(row.public_id, row.successor.public_id):
            yield Fault("successor", "This leads back to the model itself.")

    def keep(self, key: Key, row: Model) -> None:
        if row.pk is None:
            self.made.models[key[0]] = self._models[key[0]] = row
        if row.successor is None:
            self._successors.pop(key[0], None)
        else:
            self._successors[key[0]] = row.successor.public_id

    @staticmethod
    def model_id(row: Model) -> int:
        return row.pk

    @staticmethod
    def place_of(row: Model) -> str:  # noqa: ARG004
        return "model:"

    def _leads_back(self, begin: str, name: str | None) -> bool:
        seen = {begin}
        while name is not None:
            if name in seen:
                return True
            seen.add(name)
            name = self._successors.get(name)
        return False


class KnownAliases(Known):
    sheet_class = AliasSheet
    key_columns = ("name",)

    def load(self, rows: Sequence[Row]) -> None:
        names = _texts(rows, "name")
        found = Alias.objects.filter(name__in=names).select_related("model")
        self._aliases = {alias.name: alias for alias in found}
        self._ids = set(Model.objects.filter(public_id__in=names).values_list("public_id", flat=True))
        self.sheet.fields["model"].widget.rows = _models(rows, self.made)

    def find(self, key: Key) -> Alias | None:
        return self._aliases.get(key[0])

    def new(self, key: Key) -> Alias:
        return Alias(name=key[0])

    def check(self, row: Alias) -> Iterator[Fault]:
        if row.name in self._ids or row.name in self.made.models:
            yield Fault("name", f"“{row.name}” is the id of a model, so it cannot be an alias.")
        known = self._aliases.get(row.name)
        if known is not None and known.model.public_id != row.model.public_id:
            yield Fault("model", f"“{row.name}” is an alias of {known.model} already. Remove it there first.")

    @staticmethod
    def model_id(row: Alias) -> int | None:
        return row.model_id

    @staticmethod
    def place_of(row: Alias) -> str:
        return f"alias {row.name}:"


class KnownOfferings(Known):
    sheet_class = OfferingSheet
    key_columns = OFFERING_KEY

    def __init__(self, made: Made | None = None, *, has_decimal_comma: bool = False) -> None:
        super().__init__(made, has_decimal_comma=has_decimal_comma)
        self._offerings: dict[Key, Offering] = {}
        self._providers = {provider.slug: provider for provider in Provider.objects.all()}

    def load(self, rows: Sequence[Row]) -> None:
        self._offerings = _offerings(rows)
        self.sheet.fields["model"].widget.rows = _models(rows, self.made)
        self.sheet.fields["provider"].widget.rows = self._providers

    def find(self, key: Key) -> Offering | None:
        return self._offerings.get(key)

    def new(self, key: Key) -> Offering:
        return Offering(upstream_name=key[2])

    def check(self, row: Offering) -> Iterator[Fault]:
        missing = [name for name in ("model", "provider") if row._state.fields_cache.get(name) is None]
        yield from (Fault(name, f"It has no {name}.") for name in missing)
        if not missing:
            yield from _faults_of(row.check_endpoints)

    def keep(self, key: Key, row: Offering) -> None:
        if row.pk is None:
            self.made.offerings[key] = row

    @staticmethod
    def model_id(row: Offering) -> int | None:
        return row.model_id

    @staticmethod
    def place_of(row: Offering) -> str:
        return f"{place_of_offering(row)}:"


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
        self._begun: dict[Key, Price] = {}
        self._rows: dict[Key, list[Price]] = {}
        self._at = timezone.now()

    def load(self, rows: Sequence[Row]) -> None:
        named, self._at = {_key(row) for row in rows}, timezone.now()
        offerings = {
            key: each for key, each in (self.made.offerings | _offerings(rows)).items() if key in named
        }
        self.sheet.fields["offering"].widget.rows = offerings
        saved = [offering for offering in offerings.values() if offering.pk]
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


KNOWN: dict[str, type[Known]] = {
    "organisations": KnownOrganisations,
    "models": KnownModels,
    "aliases": KnownAliases,
    "offerings": KnownOfferings,
    "prices": KnownPrices,
}
"""As `SHEETS`."""


def begins_now(price: Price) -> bool:
    return bool(getattr(price, "begins_now", False))


def _models(rows: Sequence[Row], made: Made) -> dict[str, Model]:
    found = Model.objects.filter(public_id__in=_texts(rows, "model"))
    return made.models | {model.public_id: model for model in found}


def _offerings(rows: Sequence[Row]) -> dict[Key, Offering]:
    """Of the models that the rows name, by what tells an offering from another."""
    found = Offering.objects.filter(model__public_id__in=_texts(rows, "model"))
    return {
        (offering.model.public_id, offering.provider.slug, offering.upstream_name): offering
        for offering in found.select_related("model", "provider")
    }


def _key(row: Row) -> Key:
    return tuple(_text(row, name) for name in OFFERING_KEY)


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


def _faults_of(check: Any) -> Iterable[Fault]:
    try:
        check()
    except ValidationError as error:
        return [Fault(name, " ".join(told)) for name, told in error.message_dict.items()]
    return []


def _text(row: Row, name: str) -> str:
    return str(row.cells.get(name) or "").strip()


def _texts(rows: Sequence[Row], *names: str) -> set[str]:
    """PostgreSQL cannot even be asked for a text with NUL; judging names such cells."""
    texts = {_text(row, name) for row in rows for name in names}
    return {text for text in texts if text and "\x00" not in text}
