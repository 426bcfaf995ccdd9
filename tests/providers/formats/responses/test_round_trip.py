"""Responses says any conversation and any answer so that it can be read back."""

from dataclasses import replace

import orjson
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from providers.formats.base import AnswerFacts, Upstream
from providers.formats.responses.format import ResponsesFormat
from providers.formats.responses.signatures import read_signature
from providers.wire.conversation import File, Image, Text
from providers.wire.events import ReasoningSigned, Started, UsageSeen
from tests.providers.formats.anew import in_turns
from tests.providers.formats.conversations import Ability, make_conversation
from tests.providers.formats.events import make_events, meaning, random_cuts, read_in_pieces

RESPONSES = ResponsesFormat()
ABILITY = Ability(
    "responses",
    parts=frozenset({Text, Image, File}),
    results=frozenset({Text, Image, File}),
    sampling=frozenset({"temperature", "top_p", "logprobs", "top_logprobs"}),
    has_signatures=False,
    has_plain_thoughts=False,
    has_ids=True,
    mark_ttls=(None, "30m", "12h"),
)
UPSTREAM = Upstream("m", is_streamed=False)
FACTS = AnswerFacts("1", 1_764_000_000, "org/model")
STREAM_EVENT = TypeAdapter(ResponseStreamEvent)


def written(events):
    writer = RESPONSES.writer(FACTS)
    return b"".join(writer.write([event]) for event in events) + writer.finish()


def opened(events):
    """With signatures taken out of what clients carry them in, and no tier where none was told: it has to be said."""
    return [as_told(event) for event in meaning(events)]


def as_told(event):
    match event:
        case ReasoningSigned():
            return open_signature(event)
        case Started(service_tier="default"):
            return replace(event, service_tier=None)
        case UsageSeen() if event.usage.service_tier == "default":
            return replace(event, usage=replace(event.usage, service_tier=""))
    return event


def open_signature(event):
    thought = read_signature("", event.encrypted, event.id)
    return replace(event, signature=thought.signature, encrypted=thought.encrypted, origin=thought.origin)


def steps(events):
    return [orjson.loads(frame.split(b"data: ")[1]) for frame in written(events).split(b"\n\n")[:-1]]


def test_conversation_means_the_same_after_writing_and_reading(subtests):
    for seed in range(200):
        with subtests.test(seed=seed):
            conversation = make_conversation(seed, ABILITY)
            body = orjson.loads(orjson.dumps(RESPONSES.write_request(conversation, UPSTREAM).body))
            again = in_turns(RESPONSES.read_request(body))
            # Asking for encrypted thoughts is not asking for thoughts.
            reasoning = again.reasoning if conversation.reasoning else None
            # Providers are always told to keep nothing.
            assert again.extra == {"store": False}
            assert replace(again, reasoning=reasoning, extra={}) == conversation


def test_whole_answer_means_the_same_after_writing_and_reading(subtests):
    for seed in range(100):
        with subtests.test(seed=seed):
            events = make_events(seed, "anthropic")
            answer = RESPONSES.write_answer(events, FACTS)
            Response.model_validate(answer)
            assert opened(RESPONSES.read_answer(answer)) == meaning(events)


def test_stream_means_the_same_wherever_it_is_cut(subtests):
    for seed in range(100):
        with subtests.test(seed=seed):
            events = make_events(seed, "anthropic")
            stream = written(events)
            read = read_in_pieces(RESPONSES.reader(), stream, random_cuts(seed, len(stream)))
            assert opened(read) == meaning(events)


def test_events_are_what_the_sdk_expects_and_are_counted(subtests):
    for seed in range(30):
        with subtests.test(seed=seed):
            told = steps(make_events(seed, "anthropic"))
            for step in told:
                STREAM_EVENT.validate_python(step)
            assert [step["sequence_number"] for step in told] == list(range(len(told)))
            assert [step["type"] for step in told[:2]] == ["response.created", "response.in_progress"]


def test_last_event_holds_what_the_whole_answer_holds(subtests):
    for seed in range(30):
        with subtests.test(seed=seed):
            events = make_events(seed, "anthropic")
            assert steps(events)[-1]["response"] == RESPONSES.write_answer(events, FACTS)
