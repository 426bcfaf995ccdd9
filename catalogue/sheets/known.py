"""The rows of the catalogue that a sheet's rows are about, read for many at once: what judging compares with."""

from collections.abc import Iterable, Iterator, Sequence

from catalogue.models import Alias, Model, Offering, Organisation
from catalogue.publishing.compile import place_of_offering
from catalogue.sheets.columns import OFFERING_KEY, AliasSheet, ModelSheet, OfferingSheet, OrganisationSheet
from catalogue.sheets.judged import Fault
from catalogue.sheets.known_base import Key, Known, Made, cell_texts, faults_of, offerings_of
from catalogue.sheets.known_prices import KnownPrices
from catalogue.sheets.known_routes import KnownRouteMembers
from catalogue.sheets.upload import Row
from providers.models import Provider


class KnownOrganisations(Known):
    sheet_class = OrganisationSheet
    key_columns = ("id",)

    def load(self, rows: Sequence[Row]) -> None:
        self._organisations = Organisation.objects.in_bulk(cell_texts(rows, "id"))

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
        names = cell_texts(rows, "id", "successor", "previous")
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
        if row.is_route:
            yield Fault("id", f"{row.public_id!r} is a named route: edit it on its own page.")
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
        names = cell_texts(rows, "name")
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
        self._offerings = offerings_of(rows)
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
            yield from faults_of(row.check_endpoints)
            if row.model.is_route:
                yield Fault("model", f"{row.model} is a named route: models run at providers.")

    def keep(self, key: Key, row: Offering) -> None:
        if row.pk is None:
            self.made.offerings[key] = row

    @staticmethod
    def model_id(row: Offering) -> int | None:
        return row.model_id

    @staticmethod
    def place_of(row: Offering) -> str:
        return f"{place_of_offering(row)}:"


KNOWN: dict[str, type[Known]] = {
    "organisations": KnownOrganisations,
    "models": KnownModels,
    "aliases": KnownAliases,
    "offerings": KnownOfferings,
    "prices": KnownPrices,
    "routes": KnownRouteMembers,
}
"""As `SHEETS`."""


def _models(rows: Sequence[Row], made: Made) -> dict[str, Model]:
    found = Model.objects.filter(public_id__in=cell_texts(rows, "model"))
    return made.models | {model.public_id: model for model in found}
