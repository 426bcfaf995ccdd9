"""Whatever stands in place of a value, OpenAI's two formats refuse it in their own words or read it."""

import copy
from contextlib import suppress
from pathlib import Path
from random import Random

import orjson
import pytest

from providers.formats.base import TranslationError, Upstream
from providers.formats.openai.format import OpenAIFormat
from providers.formats.responses.format import ResponsesFormat
from providers.wire.failure import UpstreamFailure
from providers.wire.sse import event
from tests.providers.formats.events import read_in_pieces

GOLDEN = Path(__file__).parents[2] / "golden"
JUNK = (None, True, -1, 1.5, "", "x", [], [1], [[]], [None], {}, {"x": 1}, [{}])
both = pytest.mark.parametrize(
    ("folder", "wire"),
    [("chat", OpenAIFormat()), ("responses", ResponsesFormat())],
    ids=["chat", "responses"],
)


def places(value, path=()):
    """Paths to every value inside."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, child in children:
        yield (*path, name)
        yield from places(child, (*path, name))


def spoilt(value):
    """Every copy with one value replaced by junk."""
    for path in places(value):
        for junk in JUNK:
            changed = copy.deepcopy(value)
            inner = changed
            for name in path[:-1]:
                inner = inner[name]
            inner[path[-1]] = junk
            yield changed


@both
def test_spoilt_requests_are_written_or_refused(folder, wire):
    upstream = Upstream("m", is_streamed=False)
    for body in spoilt(orjson.loads((GOLDEN / folder / "request.json").read_bytes())):
        with suppress(TranslationError):
            wire.write_request(wire.read_request(body), upstream)


@both
def test_spoilt_answers_are_read_or_are_failures(folder, wire):
    for value in spoilt(orjson.loads((GOLDEN / folder / "answer.json").read_bytes())):
        with suppress(UpstreamFailure):
            wire.read_answer(value)


@both
def test_spoilt_streams_are_read_or_are_failures(folder, wire):
    frames = (GOLDEN / folder / "stream.sse").read_bytes().split(b"\n\n")
    values = [orjson.loads(frame.split(b"data: ")[1]) for frame in frames if b"{" in frame]
    changes = [(place, value) for place, whole in enumerate(values) for value in spoilt(whole)]
    for place, value in Random(1).sample(changes, min(len(changes), 2000)):
        told = [*values[:place], value, *values[place + 1 :]]
        with suppress(UpstreamFailure):
            read_in_pieces(wire.reader(), b"".join(event(orjson.dumps(each)) for each in told), [])
