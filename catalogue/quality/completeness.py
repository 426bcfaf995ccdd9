"""How complete a model's record is, from 0 to 100. Pure."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from catalogue.facts import ModelFacts
from catalogue.lifecycle.status import Status
from catalogue.quality.lint import Kind, Subject


@dataclass(frozen=True, slots=True)
class Mark:
    """`points` are given where the record `has` it; it does not count where it makes no sense for a model."""

    name: str
    points: int
    has: Callable[[Subject, Set[Kind]], bool]
    counts: Callable[[ModelFacts, datetime], bool] = lambda _model, _at: True


def _is_called(model: ModelFacts, at: datetime) -> bool:
    return model.status(at) is not Status.RETIRED


def _takes_text(model: ModelFacts, _at: datetime) -> bool:
    return not model.is_route and "text" in model.input_types


def _is_model(model: ModelFacts, _at: datetime) -> bool:
    return not model.is_route


def _is_called_route(model: ModelFacts, at: datetime) -> bool:
    return model.is_route and _is_called(model, at)


def _is_called_model(model: ModelFacts, at: datetime) -> bool:
    """What is said of offerings is said of a route's members."""
    return not model.is_route and _is_called(model, at)


def _is_leaving(model: ModelFacts, at: datetime) -> bool:
    return model.status(at) in {Status.DEPRECATED, Status.RETIRED}


def _without(*kinds: Kind) -> Callable[[Subject, Set[Kind]], bool]:
    return lambda _subject, found: found.isdisjoint(kinds)


MARKS: Sequence[Mark] = (
    Mark(
        "every offering has its prices",
        25,
        lambda subject, found: (
            bool(subject.model.offerings) and found.isdisjoint({Kind.NO_PRICE, Kind.HALF_PRICE})
        ),
        _is_called_model,
    ),
    Mark("can be called", 50, _without(Kind.UNCALLABLE), _is_called),
    Mark("every tier is served", 25, _without(Kind.EMPTY_TIER), _is_called_route),
    Mark("members stay", 10, _without(Kind.MEMBER_LEAVES), _is_called_route),
    Mark("prices were checked lately", 10, _without(Kind.STALE_PRICE), _is_called_model),
    Mark("context length", 15, _without(Kind.NO_CONTEXT), _takes_text),
    Mark("longest output", 5, lambda subject, _: bool(subject.model.max_output_tokens), _takes_text),
    Mark(
        "input and output modalities",
        10,
        lambda subject, _: bool(subject.model.input_types and subject.model.output_types),
        _is_model,
    ),
    Mark("description", 10, lambda subject, _: bool(subject.model.description)),
    Mark("release date", 10, lambda subject, _: subject.model.release_at is not None),
    Mark("successor", 15, _without(Kind.NO_SUCCESSOR, Kind.LOST_SUCCESSOR), _is_leaving),
    Mark("end of its life", 10, _without(Kind.NO_RETIREMENT, Kind.ENDED)),
    Mark("weights and licence", 5, lambda subject, found: _weights_said(subject.model, found), _is_model),
    Mark("names that providers know", 5, _without(Kind.UNSEEN_UPSTREAM), _is_called_model),
)


@dataclass(frozen=True, slots=True)
class Quality:
    """`missing` are the marks that it lacks, with their points, the dearest first."""

    score: int
    missing: Mapping[str, int]


def judge(subject: Subject, found: Set[Kind], at: datetime) -> Quality:
    """`found` are the kinds of what is to be fixed of that model."""
    counted = [mark for mark in MARKS if mark.counts(subject.model, at)]
    missing = [mark for mark in counted if not mark.has(subject, found)]
    possible, lost = sum(mark.points for mark in counted), sum(mark.points for mark in missing)
    dearest_first = sorted(missing, key=lambda mark: -mark.points)
    return Quality(
        score=round(100 * (possible - lost) / possible),
        missing={mark.name: mark.points for mark in dearest_first},
    )


def _weights_said(model: ModelFacts, found: Set[Kind]) -> bool:
    if model.open_weights is None or Kind.WEIGHTS in found:
        return False
    return model.licence is not None or not model.open_weights
