"""What judging a sheet compares its rows with: the base of all kinds."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.core.exceptions import ValidationError

from catalogue.models import Model, Offering
from catalogue.sheets.columns import Sheet
from catalogue.sheets.judged import Change, Fault
from catalogue.sheets.upload import Row

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
        return tuple(cell_text(row, name) for name in self.key_columns)

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


def offerings_of(rows: Sequence[Row]) -> dict[Key, Offering]:
    """Of the models that the rows name, by what tells an offering from another."""
    found = Offering.objects.filter(model__public_id__in=cell_texts(rows, "model"))
    return {
        (offering.model.public_id, offering.provider.slug, offering.upstream_name): offering
        for offering in found.select_related("model", "provider")
    }


def cell_text(row: Row, name: str) -> str:
    return str(row.cells.get(name) or "").strip()


def cell_texts(rows: Sequence[Row], *names: str) -> set[str]:
    """PostgreSQL cannot even be asked for a text with NUL; judging names such cells."""
    texts = {cell_text(row, name) for row in rows for name in names}
    return {text for text in texts if text and "\x00" not in text}


def faults_of(check: Callable[[], None]) -> Iterable[Fault]:
    """What a rule of the forms says against a row, by column."""
    try:
        check()
    except ValidationError as error:
        return [Fault(name, " ".join(told)) for name, told in error.message_dict.items()]
    return []
