"""Whatever a client or a provider sends, nothing but the errors of translation comes of it."""

from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from random import Random

import orjson
from anthropic.types import Message

from providers.formats.anthropic.format import AnthropicFormat
from providers.formats.base import AnswerFacts, TranslationError, Upstream
from providers.wire.events import Native
from providers.wire.failure import UpstreamFailure

GOLDEN = Path(__file__).parents[3] / "golden" / "anthropic"
ANTHROPIC = AnthropicFormat()
FACTS = AnswerFacts("1", 1, "m")
REQUEST = orjson.loads((GOLDEN / "request.json").read_bytes())
ANSWER = orjson.loads((GOLDEN / "answer.json").read_bytes())
# A citation goes on as the provider wrote it, whatever it wrote.
del ANSWER["content"][2]["citations"]
MEMBERS = [
    orjson.loads(line[6:])
    for line in (GOLDEN / "stream.sse").read_bytes().splitlines()
    if line.startswith(b"data: ")
]
ODD = (None, 0, -1, 1.5, True, "", "x", [], [1], {}, {"type": "text"}, [[]])


def mangled(value, seed):
    """The same with one of its inner values replaced."""
    copy, random = deepcopy(value), Random(seed)
    places = list(_places(copy))
    container, key = random.choice(places)
    container[key] = random.choice(ODD)
    return copy


def _places(value):
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield value, key
        yield from _places(inner)


def test_mangled_request_is_translated_or_refused(subtests):
    for seed in range(400):
        with subtests.test(seed=seed):
            request = mangled(REQUEST, seed)
            with suppress(TranslationError):
                ANTHROPIC.write_request(ANTHROPIC.read_request(request), Upstream("m", is_streamed=False))
                ANTHROPIC.count_tokens(request)


def test_mangled_answer_is_passed_on_or_is_a_failure(subtests):
    for seed in range(400):
        with subtests.test(seed=seed), suppress(UpstreamFailure):
            events = ANTHROPIC.read_answer(mangled(ANSWER, seed))
            known = [event for event in events if not isinstance(event, Native)]
            Message.model_validate(ANTHROPIC.write_answer(known, FACTS))


def test_mangled_stream_is_passed_on_or_is_a_failure(subtests):
    for seed in range(400):
        with subtests.test(seed=seed):
            reader, writer = ANTHROPIC.reader(), ANTHROPIC.writer(FACTS)
            with suppress(UpstreamFailure):
                for member in mangled(MEMBERS, seed):
                    writer.write(reader.feed(b"data: %b\n\n" % orjson.dumps(member)))
                writer.write(reader.finish())
