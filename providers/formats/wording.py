"""Says what a client said to a provider of the client's own format: in its words, but for what was changed since.

Prompt caches depend on it: a byte more or less and the whole prompt is paid for again. An edit of a conversation puts
a value in another one's place; that one is written anew, into the words of the one that it came from. Whatever else a
format's writer does to a conversation (leave out what another model signed, say) is such an edit too.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, Protocol, TypeVar

from providers.wire.conversation import Conversation, Json, Native, Text, ToolResult, Wording

T = TypeVar("T", bound="_Worded")
# What an answer tells of its text, and may repeat of it.
_OF_THE_TEXT = frozenset({"citations", "annotations", "logprobs"})


class _Worded(Protocol):
    wording: Wording | None


class _Readers(dict[type, Callable[[Any], tuple[Any, ...]]]):
    """By kind of value: its kind and its members, but for the wording, which is the last of all that have one."""

    def __missing__(self, kind: type) -> Callable[[Any], tuple[Any, ...]]:
        names = [member.name for member in fields(kind)[:-1]]
        reader: Callable[[Any], tuple[Any, ...]] = attrgetter("__class__", *names)
        self[kind] = reader
        return reader


_readers = _Readers()


def as_read(thing: T, origin: str, value: Json, own: Mapping[str, Json]) -> T:
    """The very same, which nobody else has yet, with how its client put it; see Wording."""
    # To build each value of a request once more, to put that in, was a tenth of what a translation took.
    thing.wording = Wording(origin, value, _readers[type(thing)](thing), own)
    return thing


def give_wording(thing: Any, wording: Wording) -> Any:
    thing.wording = wording
    return thing


def members_of(thing: Any) -> tuple[Any, ...]:
    """As a wording has them."""
    return _readers[type(thing)](thing)


def was(wording: Wording) -> Any:
    """What was read from it, told by nobody."""
    kind, *members = wording.read
    return kind(*members)


def is_unchanged(thing: Any, wording: Wording) -> bool:
    return _readers[type(thing)](thing) == wording.read


@cache
def _places_in(kind: type) -> Mapping[str, int]:
    """Of members in `Wording.read`."""
    return {member.name: place for place, member in enumerate(fields(kind), 1)}


def wording_in(thing: Any, origin: str) -> Wording | None:
    """How a client of that format put it; None where it was not read from one."""
    wording: Wording | None = thing.wording
    return wording if wording is not None and wording.origin == origin else None


def is_as_read(thing: Any, origin: str, *names: str) -> bool:
    """Whether a client of that format said it, and nobody changed these members since."""
    wording: Wording | None = thing.wording
    if wording is None or wording.origin != origin:
        return False
    kind: Any = type(thing)
    places = _places_in(kind)
    for name in names:  # noqa: SIM110  # `all` takes as long again, and this is asked of every message
        if getattr(thing, name) is not wording.read[places[name]]:
            return False
    return True


def unchanged(
    conversation: Conversation, origin: str, members: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """What of these members a client of that format said, where nobody changed since what was read from them.

    `members` are by name; to each, what of a conversation it is read into.
    """
    wording = wording_in(conversation, origin)
    original = wording.value if wording else {}
    return {
        name: original[name]
        for name, read in members.items()
        if original.get(name) is not None and is_as_read(conversation, origin, *read)
    }


def in_wording(thing: Any, origin: str, write: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """A part, a tool or a message for a provider of that format. `write` says it anew."""
    if isinstance(thing, Native):
        native: dict[str, Any] = thing.value
        return native
    wording = thing.wording
    if wording is None or wording.origin != origin:
        return write(thing)
    original: dict[str, Any] = wording.value
    if _readers[type(thing)](thing) == wording.read:
        return original
    before = was(wording)
    if isinstance(thing, Text) and thing.text != before.text:
        original = {name: value for name, value in original.items() if name not in _OF_THE_TEXT}
    return merged(original, write(before), write(thing))


def merged(value: Json, before: Mapping[str, Json], now: Mapping[str, Json]) -> dict[str, Any]:
    """`value` with what differs between two things that were written anew: as it was said, and as it is.

    So members stay that no writer knows, and those that say the same in other words. Where a change is in what was
    said under another name, all is written anew: nothing of what was changed may stay.
    """
    changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if not isinstance(value, dict) or any(name in before and name not in value for name in changed):
        return dict(now)
    kept = {name: member for name, member in value.items() if name not in before or name in now}
    for name in changed:
        if name in now:
            kept[name] = _merged_member(kept.get(name), before.get(name), now[name])
    return kept


def _merged_member(original: Json, was: Json, is_now: Json) -> Json:
    """Merged only where it was said in the very words in which it would be written."""
    are_objects = isinstance(original, dict) and isinstance(was, dict) and isinstance(is_now, dict)
    if are_objects and all(name in original and original[name] == value for name, value in was.items()):
        return merged(original, was, is_now)
    return is_now


def in_order(written: Mapping[str, Any], original: Json) -> dict[str, Any]:
    """The members in the order in which a client has them, then those that it has not; so inside them, too."""
    if not isinstance(original, dict):
        return dict(written)
    ordered = {name: _in_order(written[name], original[name]) for name in original if name in written}
    return ordered | {name: value for name, value in written.items() if name not in ordered}


def _in_order(written: Any, original: Json) -> Any:
    return in_order(written, original) if isinstance(written, dict) and written is not original else written


def natives_of(conversation: Conversation) -> Iterator[tuple[str, Json]]:
    """All that only the client's format knows, by path: members of settings, tools, then what stands in messages.

    Of what is no member the name of its kind is given, where it has one.
    """
    yield from conversation.extra.items()
    for tool in conversation.tools:
        yield from _natives_in(tool)
    for message in conversation.messages:
        if (wording := message.wording) is not None and wording.own:
            yield from wording.own.items()
        for part in message.parts:
            # Of nearly all parts there is nothing to tell, and to ask each for it would cost more than its turn.
            if isinstance(part, (Native, ToolResult)) or (
                (wording := part.wording) is not None and wording.own
            ):
                yield from _natives_in(part)


def _natives_in(thing: Any) -> Iterator[tuple[str, Json]]:
    if isinstance(thing, Native):
        is_kind = thing.path.endswith(".type") and isinstance(thing.value, dict)
        yield thing.path, thing.value.get("type") if is_kind else thing.value
        return
    if (wording := thing.wording) is not None and wording.own:
        yield from wording.own.items()
    if isinstance(thing, ToolResult):
        for part in thing.parts:
            yield from _natives_in(part)
