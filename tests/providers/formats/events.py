"""Makes random answers as events, and says when two rows of events mean the same."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random

from providers.formats.base import EventReader
from providers.wire.events import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    ReasoningSigned,
    RefusalDelta,
    Started,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from tests.providers.formats.conversations import WORDS
from tests.used import used

_DELTAS = (TextDelta, RefusalDelta, ReasoningDelta)


def make_events(seed: int, origin: str, *, has_refusals: bool = True) -> list[Event]:
    random = Random(seed)
    events: list[Event] = [Started("answer")]
    for number in range(random.randrange(3)):
        events += _deltas(random, ReasoningDelta)
        events.append(ReasoningSigned(f"sig{number}", origin=origin, id=None))
    said = RefusalDelta if has_refusals and random.random() < 0.2 else TextDelta
    calls = random.randrange(3)
    events += _deltas(random, said) if random.random() < 0.8 or not calls else []
    for number in range(calls):
        events += _call(random, number)
    reasons = [FinishReason.TOOL_CALLS] if calls else [FinishReason.STOP, FinishReason.LENGTH]
    return [*events, Finished(random.choice(reasons)), UsageSeen(used(20, 10, 5, 3, 4))]


def _deltas(random: Random, kind: type) -> list[Event]:
    return [kind(random.choice(WORDS)) for _ in range(random.randrange(1, 5))]


def _call(random: Random, number: int) -> list[Event]:
    arguments = random.choice(('{"city":"Köln"}', "{}"))
    cut = random.randrange(1, len(arguments))
    pieces = [ToolArguments(number, arguments[:cut]), ToolArguments(number, arguments[cut:])]
    return [ToolCallStarted(number, f"call_{number}", f"tool_{number}"), *pieces]


def meaning(events: Iterable[Event]) -> list[Event]:
    """Without what may differ: how deltas are cut, the answer's id, the provider's own word for its end."""
    said: list[Event] = []
    for event in events:
        last = said[-1] if said else None
        if (isinstance(event, _DELTAS) and type(event) is type(last)) or (
            isinstance(event, ToolArguments) and isinstance(last, ToolArguments) and last.index == event.index
        ):
            said[-1] = replace(last, text=last.text + event.text)
        else:
            said.append(_bare(event))
    return said


def _bare(event: Event) -> Event:
    match event:
        case Started():
            return Started(service_tier=event.service_tier)
        case Finished():
            return replace(event, native="")
        case ReasoningSigned():
            return replace(event, id=None)
    return event


def read_in_pieces(reader: EventReader, data: bytes, cuts: Sequence[int]) -> list[Event]:
    """Feed `data` cut at these places."""
    places = [0, *sorted(cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(places)]
    events = [event for piece in pieces for event in reader.feed(piece)]
    return events + reader.finish()


def random_cuts(seed: int, size: int) -> list[int]:
    random = Random(seed)
    return [random.randrange(size) for _ in range(random.randrange(20))]
