"""Fits an answer to its client's format: what that has no place for is told, and never lost in silence."""

import re
from collections.abc import Iterator, Sequence

from providers.formats.base import Format
from providers.wire.events import (
    CitationAdded,
    Event,
    FileGenerated,
    Finished,
    Native,
    Rare,
    ReasoningDelta,
    Started,
    TextDelta,
    UsageSeen,
)
from providers.wire.failure import FailureKind, UpstreamFailure

_UNFIT = re.compile(r"[^ -~]")
_LONGEST, _MOST_NOTES = 120, 20
# Members beside the content of a chat message say nothing by themselves.
_BESIDE = re.compile(r"message\.[^.]*")
_RARE = frozenset({CitationAdded, FileGenerated, Native})
_SAYS_NOTHING = frozenset({Started, Finished, UsageSeen})


class Fitter:
    """One answer, read after read. `left_out` names what its client was not given.

    A file is told in its place by a line of text, since an answer that speaks of a picture and has none is false.
    Where the file comes before anything else, or nothing comes but what only its provider's clients know, the answer
    is refused, so that the next offering may give another one.
    """

    def __init__(self, client: Format) -> None:
        self.left_out: list[str] = []
        self._client = client
        self.has_said = False
        """Something came that is part of an answer."""
        self._lacks = ""
        """What was left out of the answer itself."""

    def fit(self, events: Sequence[Event]) -> Sequence[Event]:
        """Raises UpstreamFailure."""
        kinds = {*map(type, events)}
        if kinds.isdisjoint(_RARE) and not self.left_out:
            self.has_said = self.has_said or not kinds <= _SAYS_NOTHING
            return events
        return [fitted for event in events for fitted in self._fit(event)]

    def _fit(self, event: Event) -> Iterator[Event]:
        if isinstance(event, CitationAdded | FileGenerated | Native) and not self._client.can_tell(event):
            yield from self._leave_out(event)
        elif isinstance(event, Finished) and self._lacks and not self.has_said:
            raise _refusal(self._lacks)
        else:
            self.has_said = self.has_said or type(event) not in _SAYS_NOTHING
            yield event

    def _leave_out(self, event: Rare) -> Iterator[Event]:
        match event:
            case CitationAdded():
                self._note("citation -> left out")
            case Native():
                if not _BESIDE.fullmatch(event.path):
                    self._lacks = self._lacks or _line_of(event.path)
                self._note(f"{event.path} -> left out")
            case FileGenerated(is_thought=True):
                self._note(f"{_kind(event)} -> reasoning")
                yield ReasoningDelta(_line(event))
            case FileGenerated():
                if not self.has_said:
                    raise _refusal(_kind(event))
                self._note(f"{_kind(event)} -> text")
                yield TextDelta(_line(event))

    def _note(self, what: str) -> None:
        what = _line_of(what)
        if what not in self.left_out and len(self.left_out) < _MOST_NOTES:
            self.left_out.append(what)


def _line_of(words: str) -> str:
    """One line that can stand in a header, in a comment and in a message, since a provider chose the words."""
    return _UNFIT.sub("?", words[:_LONGEST])


def _kind(file: FileGenerated) -> str:
    return _line_of(file.media_type or "image")


def _line(file: FileGenerated) -> str:
    """In a paragraph of its own."""
    what = f"{_kind(file)}, {file.name}" if file.name else _kind(file)
    if file.url:
        return f"\n\n[Generated file ({what}): {file.url}]\n\n"
    draft = "draft " if file.is_thought else ""
    return f"\n\n[Generated {draft}file ({what}), which this API cannot carry]\n\n"


def _refusal(what: str) -> UpstreamFailure:
    message = (
        f"The model answered with '{what}', for which this API has no form. Chat completions, Responses and "
        "generateContent can carry pictures; what a provider's own tools did only the API of that provider can."
    )
    return UpstreamFailure(FailureKind.UNSUPPORTED, message, code="unsupported_output", status=400)
