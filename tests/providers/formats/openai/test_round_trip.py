"""Chat says any conversation and any answer so that it can be read back."""

import orjson
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from providers.formats.base import AnswerFacts, Upstream
from providers.formats.openai.format import OpenAIFormat
from tests.providers.formats.anew import in_turns
from tests.providers.formats.conversations import Ability, make_conversation
from tests.providers.formats.events import make_events, meaning, random_cuts, read_in_pieces

CHAT = OpenAIFormat()
ABILITY = Ability("openai", has_errors=False)
UPSTREAM = Upstream(
    "m", is_streamed=False, quirks=frozenset({"cache_control", "reasoning_details", "reasoning_object"})
)
FACTS = AnswerFacts("1", 1_764_000_000, "org/model")


def written(events):
    writer = CHAT.writer(FACTS)
    return b"".join(writer.write([event]) for event in events) + writer.finish()


def test_conversation_means_the_same_after_writing_and_reading(subtests):
    for seed in range(200):
        with subtests.test(seed=seed):
            conversation = make_conversation(seed, ABILITY)
            body = orjson.loads(orjson.dumps(CHAT.write_request(conversation, UPSTREAM).body))
            assert in_turns(CHAT.read_request(body)) == conversation


def test_whole_answer_means_the_same_after_writing_and_reading(subtests):
    for seed in range(100):
        with subtests.test(seed=seed):
            events = make_events(seed, "openai")
            answer = CHAT.write_answer(events, FACTS)
            ChatCompletion.model_validate(answer)
            assert meaning(CHAT.read_answer(answer)) == meaning(events)


def test_stream_means_the_same_wherever_it_is_cut(subtests):
    for seed in range(100):
        with subtests.test(seed=seed):
            events = make_events(seed, "openai")
            stream = written(events)
            assert meaning(read_in_pieces(CHAT.reader(), stream, random_cuts(seed, len(stream)))) == meaning(
                events
            )


def test_stream_means_the_same_byte_by_byte():
    events = make_events(3, "openai")
    stream = written(events)
    assert meaning(read_in_pieces(CHAT.reader(), stream, range(1, len(stream)))) == meaning(events)


def test_chunks_are_what_the_sdk_expects(subtests):
    for seed in range(20):
        with subtests.test(seed=seed):
            lines = written(make_events(seed, "openai")).split(b"\n\n")
            chunks = [ChatCompletionChunk.model_validate_json(line[6:]) for line in lines[:-2]]
            assert chunks[0].choices[0].delta.role == "assistant"
            assert [c for chunk in chunks for c in chunk.choices if c.finish_reason] == chunks[-2].choices
            assert chunks[-1].choices == []
            assert chunks[-1].usage.total_tokens == 30
            assert lines[-2:] == [b"data: [DONE]", b""]
