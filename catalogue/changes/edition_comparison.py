"""Two editions compared: which models differ, and in which fields."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from catalogue.changes.differences import FieldChange
from catalogue.changes.price_text import readable_differences
from catalogue.facts import ModelFacts
from catalogue.models import PublishedModel
from catalogue.published.content import UnreadableContentError, facts_from_content


@dataclass(frozen=True, slots=True)
class Pair:
    """The published rows of one model at an earlier and at a later edition; None where it was not there."""

    public_id: str
    before: int | None
    after: int | None

    @property
    def kind(self) -> str:
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """`changes` is empty of a model that was added or removed."""

    pair: Pair
    changes: Sequence[FieldChange]


def differing(earlier: int, later: int) -> list[Pair]:
    """Models whose record at the one edition is not the row of the other, by id. One query."""
    columns = ("pk", "public_id", "edition_from", "edition_to")
    rows = PublishedModel.objects.touched_between(earlier, later).order_by("public_id").values_list(*columns)
    before, after = dict[str, int](), dict[str, int]()
    for pk, public_id, opened, closed in rows:
        if opened <= earlier:
            before[public_id] = pk
        elif closed is None or closed > later:
            after[public_id] = pk
    return [Pair(name, before.get(name), after.get(name)) for name in sorted({*before, *after})]


def tell_differences(pairs: Iterable[Pair]) -> list[Difference]:
    """One query. Of a record that cannot be read any more nothing is told."""
    listed = list(pairs)
    wanted = [pk for pair in listed for pk in (pair.before, pair.after) if pk and pair.kind == "changed"]
    facts = dict(_read(wanted))
    return [Difference(pair, _changes(pair, facts)) for pair in listed]


def _changes(pair: Pair, facts: dict[int, ModelFacts]) -> Sequence[FieldChange]:
    before, after = facts.get(pair.before or 0), facts.get(pair.after or 0)
    return list(readable_differences(before, after)) if before and after else []


def _read(ids: Sequence[int]) -> Iterator[tuple[int, ModelFacts]]:
    for pk, content in PublishedModel.objects.filter(pk__in=ids).values_list("pk", "content"):
        try:
            yield pk, facts_from_content(content)
        except UnreadableContentError:
            continue
