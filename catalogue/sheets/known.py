"""The rows of the catalogue that a sheet's rows are about, read for many at once: what judging compares with."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from django.core.exceptions import ValidationError

from catalogue.models import Alias, Model, Offering, Organisation, Price
from catalogue.publishing.compile import place_of_offering
from catalogue.sheets.columns import OFFERING_KEY, ModelSheet, OfferingSheet, PriceSheet, Sheet
from catalogue.sheets.judged import Fault
from catalogue.sheets.upload import Row
from providers.models import Provider

Key = tuple[str, ...]


class Known:
    """Of one kind of sheet. What earlier rows of the same file would make is known to later ones."""

    sheet_class: ClassVar[type[Sheet]]
    key_columns: ClassVar[Sequence[str]]
    is_key_unique: ClassVar[bool] = True
    """Two rows of a sheet with the same key are about the same row."""

    def __init__(self) -> None:
        self.sheet = self.sheet_class()

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

    def check(self, row: Any) -> Iterator[Fault]:
        """What one row alone cannot say."""
        raise NotImplementedError

    def keep(self, key: Key, row: Any) -> None:
        """It is as good as saved to what follows."""

    def is_there(self, row: Any) -> bool:  # noqa: ARG002  # prices override it
        """Whether a new row says nothing that is not said already."""
        return False

    @staticmethod
    def model_id(row: Any) -> int:
        """Of the model whose record the row is part of; None for one that is not made yet."""
        raise NotImplementedError

    @staticmethod
    def place_of(row: Any) -> str | None:  # noqa: ARG004  # others override it
        """How publishing begins what it says against this row alone. None: it is new, so nothing is said of it yet."""
        return None


class KnownModels(Known):
    sheet_class = ModelSheet
    key_columns = ("id",)

    def __init__(self) -> None:
        super().__init__()
        self._models: dict[str, Model] = {}
        self._made: dict[str, Model] = {}
        self._organisations = set(Organisation.objects.values_list("pk", flat=True))
        pairs = Model.objects.exclude(successor=None).order_by()
        self._successors = dict(pairs.values_list("public_id", "successor__public_id"))
        self._aliases: set[str] = set()

    def load(self, rows: Sequence[Row]) -> None:
        names = _texts(rows, "id", "successor", "previous")
        related = Model.objects.select_related("successor", "previous").filter(public_id__in=names)
        self._models = self._made | {model.public_id: model for model in related}
        self._aliases = set(Alias.objects.filter(name__in=names).values_list("name", flat=True))
        for name in ("successor", "previous"):
            self.sheet.fields[name].widget.rows = self._models

    def find(self, key: Key) -> Model | None:
        return self._models.get(key[0])

    def new(self, key: Key) -> Model:
        organisation_id, _, slug = key[0].partition("/")
        return Model(organisation_id=organisation_id, slug=slug, public_id=key[0])

    def check(self, row: Model) -> Iterator[Fault]:
        if row.organisation_id not in self._organisations:
            yield Fault("id", f"There is no organisation {row.organisation_id!r}.")
        if row.pk is None and row.public_id in self._aliases:
            yield Fault("id", f"“{row.public_id}” is an alias already. Remove the alias first.")
        if row.previous is not None and row.previous.public_id == row.public_id:
            yield Fault("previous", "A model cannot follow itself.")
        if row.successor is not None and self._leads_back(row.public_id, row.successor.public_id):
            yield Fault("successor", "This leads back to the model itself.")

    def keep(self, key: Key, row: Model) -> None:
        if row.pk is None:
            self._made[key[0]] = self._models[key[0]] = row
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


class KnownOfferings(Known):
    sheet_class = OfferingSheet
    key_columns = OFFERING_KEY

    def __init__(self) -> None:
        super().__init__()
        self._offerings: dict[Key, Offering] = {}
        self._models: dict[str, Model] = {}
        self._providers = {provider.slug: provider for provider in Provider.objects.all()}

    def load(self, rows: Sequence[Row]) -> None:
        self._offerings = _offerings(rows)
        names = _texts(rows, "model")
        self._models = {model.public_id: model for model in Model.objects.filter(public_id__in=names)}
        self.sheet.fields["model"].widget.rows = self._models
        self.sheet.fields["provider"].widget.rows = self._providers

    def find(self, key: Key) -> Offering | None:
        return self._offerings.get(key)

    def new(self, key: Key) -> Offering:
        return Offering(upstream_name=key[2])

    def check(self, row: Offering) -> Iterator[Fault]:
        for name, told in (("model", row.model_id), ("provider", row.provider_id)):
            if told is None:
                yield Fault(name, f"It says no {name}.")
        yield from _faults_of(row.check_endpoints)

    @staticmethod
    def model_id(row: Offering) -> int:
        return row.model_id

    @staticmethod
    def place_of(row: Offering) -> str:
        return f"{place_of_offering(row)}:"


class KnownPrices(Known):
    """Prices are only ever added: one that is there already is passed over, and none is changed."""

    sheet_class = PriceSheet
    key_columns = (*OFFERING_KEY, "meter")
    is_key_unique = False

    def __init__(self) -> None:
        super().__init__()
        self._told: set[Key] = set()

    def load(self, rows: Sequence[Row]) -> None:
        named = {_key(row) for row in rows}
        offerings = {key: offering for key, offering in _offerings(rows).items() if key in named}
        self.sheet.fields["offering"].widget.rows = offerings
        prices = Price.objects.filter(offering__in=offerings.values())
        self._told |= {_told(price) for price in prices}

    def find(self, key: Key) -> None:  # noqa: ARG002
        return None

    def new(self, key: Key) -> Price:  # noqa: ARG002
        return Price()

    def check(self, row: Price) -> Iterator[Fault]:  # noqa: ARG002
        return iter(())

    def keep(self, key: Key, row: Price) -> None:  # noqa: ARG002
        self._told.add(_told(row))

    def is_there(self, row: Price) -> bool:
        return _told(row) in self._told

    @staticmethod
    def model_id(row: Price) -> int:
        return row.offering.model_id


KNOWN: dict[str, type[Known]] = {"models": KnownModels, "offerings": KnownOfferings, "prices": KnownPrices}


def _offerings(rows: Sequence[Row]) -> dict[Key, Offering]:
    """Of the models that the rows name, by what tells an offering from another."""
    found = Offering.objects.filter(model__public_id__in=_texts(rows, "model"))
    return {
        (offering.model.public_id, offering.provider.slug, offering.upstream_name): offering
        for offering in found.select_related("model", "provider")
    }


def _key(row: Row) -> Key:
    return tuple(_text(row, name) for name in OFFERING_KEY)


def _told(price: Price) -> Key:
    """All that one price says, but for its source."""
    facts = (
        price.offering_id,
        price.meter,
        price.plan,
        price.unit_size,
        price.amount.normalize(),
        price.currency,
        json.dumps(price.conditions, sort_keys=True),
        price.valid_from,
        price.valid_to,
    )
    return tuple(map(str, facts))


def _faults_of(check: Any) -> Iterable[Fault]:
    try:
        check()
    except ValidationError as error:
        return [Fault(name, " ".join(told)) for name, told in error.message_dict.items()]
    return []


def _text(row: Row, name: str) -> str:
    return str(row.cells.get(name) or "")


def _texts(rows: Sequence[Row], *names: str) -> set[str]:
    """PostgreSQL cannot even be asked for a text with NUL; judging names such cells."""
    texts = {_text(row, name) for row in rows for name in names}
    return {text for text in texts if text and "\x00" not in text}
