"""What of the overview can be switched, and the chips that take filters away: each is an address."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.portal.overview.measures import MEASURES
from gateway.portal.overview.periods import PERIODS
from gateway.portal.overview.question import DIMENSIONS, SPLITS, Asked


@dataclass(frozen=True, slots=True)
class Choice:
    label: str
    address: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Switch:
    label: str
    choices: Sequence[Choice]


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter; `address` is the page without it."""

    label: str
    title: str
    address: str


def switches_of(asked: Asked) -> Sequence[Switch]:
    return [
        Switch(
            "Measure",
            [
                Choice(each.label, replace(asked, measure=each).address, each == asked.measure)
                for each in MEASURES.values()
            ],
        ),
        Switch(
            "Split by",
            [
                Choice(label, replace(asked, by=name).address, name == asked.by)
                for name, label in SPLITS.items()
            ],
        ),
        Switch(
            "Period",
            [
                Choice(each.label, replace(asked, period=each).address, each == asked.period)
                for each in PERIODS.values()
            ],
        ),
    ]


def chips_of(asked: Asked) -> Sequence[Chip]:
    return [
        Chip(DIMENSIONS[name], each.title, asked.without(name, each).address)
        for name, chosen in asked.filters.items()
        for each in chosen
    ]
