"""A model's life: what happened to it and will, what it came from and what follows it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalogue.facts import ModelFacts
from catalogue.lifecycle.status import Status
from catalogue.published.reading import Reading
from catalogue.published.snapshot import Snapshot

_GENERATIONS = 4
_ENDING = frozenset({Status.DEPRECATED, Status.RETIRED})


@dataclass(frozen=True, slots=True)
class Stage:
    """`at` is None where the day is unknown, or where none is set."""

    word: str
    at: datetime | None
    is_past: bool
    is_present: bool
    missing: str


@dataclass(frozen=True, slots=True)
class Relative:
    """Another model of the same line, and how it stands to this one."""

    model: ModelFacts
    status: str
    relation: str


def stages(model: ModelFacts, at: datetime) -> Sequence[Stage]:
    """Announced, released, deprecated, retired."""
    status = model.status(at)
    is_out = status is not Status.ANNOUNCED
    announced = Stage("Announced", None, True, not is_out, "day unknown")
    released = Stage("Released", model.release_at, is_out, status is Status.ACTIVE, "day unknown")
    ends = [
        Stage(word, moment, moment is not None and moment <= at, status.value == word.lower(), "not planned")
        for word, moment in (("Deprecated", model.deprecation_at), ("Retired", model.retirement_at))
    ]
    return [*([] if is_out else [announced]), released, *ends]


def relatives(model: ModelFacts, reading: Reading) -> Sequence[Relative]:
    """Its forebears, oldest first, then what follows it until one is in use."""
    at = reading.at
    before = [*_before(model, reading.snapshot)]
    after = [*_after(model, reading.snapshot)]
    named = [(each, "previous version") for each in reversed(before)] + [
        (each, "next version") for each in after
    ]
    final = reading.snapshot.successor(model, at) if model.status(at) in _ENDING else None
    return [
        Relative(each, each.status(at).value, "use this instead" if each is final else relation)
        for each, relation in named
    ]


def _before(model: ModelFacts, snapshot: Snapshot) -> Iterator[ModelFacts]:
    seen, here = {model.id}, snapshot.models.get(model.previous_id or "")
    while here is not None and here.id not in seen and len(seen) <= _GENERATIONS:
        yield here
        seen.add(here.id)
        here = snapshot.models.get(here.previous_id or "")


def _after(model: ModelFacts, snapshot: Snapshot) -> Iterator[ModelFacts]:
    seen, here = {model.id}, _next(model, snapshot)
    while here is not None and here.id not in seen and len(seen) <= _GENERATIONS:
        yield here
        seen.add(here.id)
        here = _next(here, snapshot)


def _next(model: ModelFacts, snapshot: Snapshot) -> ModelFacts | None:
    """The one that curators named, else its newest follower."""
    following = model.successor_id or next(iter(snapshot.followers.get(model.id, ())), "")
    return snapshot.models.get(following)
