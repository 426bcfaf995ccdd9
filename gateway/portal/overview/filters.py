"""The form that narrows the overview: to one of each dimension, and to days. It works without a script."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from accounts.usage.reader import Row
from gateway.portal.overview.question import DIMENSIONS, KEPT, PICK, Asked, Filter

_MOST = 300
"""Choices of one field; further ones are reached by the table's links."""
_MAY_LACK = frozenset({"project", "member", "service_account"})
_LATELY: Mapping[str, int] = {"model": 1, "provider": 2}
"""Where rows of what was used lately have it in their keys."""


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    title: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    label: str
    choices: Sequence[Choice]
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Form:
    """`hidden` is what a sent form says besides: names and values."""

    fields: Sequence[Field]
    hidden: Sequence[tuple[str, str]]
    first: str
    last: str

    @property
    def is_used(self) -> bool:
        return bool(self.first) or any(field.is_chosen for field in self.fields)


def form_of(asked: Asked, lately: Sequence[Row]) -> Form:
    days = dict(asked.time)
    hidden = [("team", asked.team.slug), ("measure", asked.measure.name), ("by", asked.by)]
    if "period" in days:
        hidden.append(("period", days["period"]))
    # One field shows one of several; they stay unless another one is chosen.
    hidden += [
        (name, each.name) for name, chosen in asked.filters.items() if len(chosen) > 1 for each in chosen
    ]
    fields = [_field(name, label, asked, lately) for name, label in DIMENSIONS.items()]
    return Form(fields, hidden, days.get("first", ""), days.get("last", ""))


def _field(name: str, label: str, asked: Asked, lately: Sequence[Row]) -> Field:
    chosen = asked.filters.get(name, ())
    return Field(PICK + name, label, list(_choices(name, chosen, asked, lately)), bool(chosen))


def _choices(name: str, chosen: Sequence[Filter], asked: Asked, lately: Sequence[Row]) -> Iterator[Choice]:
    yield Choice("", "Any", is_chosen=False)
    if len(chosen) > 1:
        yield Choice(KEPT, f"{len(chosen)} of them", is_chosen=True)
    known = {each.name: each.title for each in chosen}
    if name in _MAY_LACK:
        known.setdefault("", f"no {DIMENSIONS[name].lower()}")
    if place := _LATELY.get(name):
        used = sorted({row.key[place] for row in lately} - {""})
        known |= {value: value for value in used[:_MOST]}
    known |= {named: title for _, named, title in asked.names.named(name)[:_MOST]}
    picked = {each.name for each in chosen} if len(chosen) == 1 else set()
    for value, title in known.items():
        yield Choice(f"={value}", title, value in picked)
