"""Any conversation and any answer keep their meaning through Gemini's format."""

import random
from dataclasses import replace

import orjson
import pytest

from providers.formats.base import AnswerFacts, Upstream
from providers.formats.gemini import GEMINI
from providers.wire.conversation import Reasoning, Thinking, ToolCall
from providers.wire.events import TextDelta
from tests.providers.formats.answers import cut, meaning, random_answer
from tests.providers.formats.conversations import random_conversation

FACTS = AnswerFacts("gen-1", 1, "google/gemini-3-pro")
LOGPROB = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}


def own_conversation(chance):
    """With what Gemini has besides; a schema bears no name there."""
    conversation = random_conversation(chance, "gemini")
    output = conversation.output
    return replace(
        conversation,
        messages=tuple(
            replace(message, parts=tuple(_signed(part, chance) for part in message.parts))
            for message in conversation.messages
        ),
        sampling=replace(
            conversation.sampling, top_k=chance.choice((None, 40)), seed=chance.choice((None, 7))
        ),
        output=output and replace(output, name=None),
        thinking=chance.choice((None, Thinking("high"), Thinking(budget_tokens=700, is_shown=True))),
        service_tier=chance.choice((None, "flex", "default")),
        metadata=chance.choice((None, {"team": "blue"})),
    )


def _signed(part, chance):
    if isinstance(part, ToolCall) and chance.random() < 0.5:
        return replace(part, signature="c2ln", origin="gemini")
    if isinstance(part, Reasoning) and chance.random() < 0.5:
        return Reasoning("Let me see.")
    return part


@pytest.mark.parametrize("seed", range(200))
def test_conversation_keeps_its_meaning(seed):
    conversation = own_conversation(random.Random(seed))
    written = GEMINI.write_request(conversation, Upstream("gemini-3-pro", is_streamed=False))
    assert GEMINI.read_request(orjson.loads(orjson.dumps(written.body))) == conversation


def own_answer(chance):
    events = random_answer(chance, "gemini")
    return [TextDelta(event.text, (LOGPROB,)) if isinstance(event, TextDelta) else event for event in events]


@pytest.mark.parametrize("seed", range(100))
def test_answer_keeps_its_meaning(seed):
    events = own_answer(random.Random(seed))
    assert meaning(GEMINI.read_answer(GEMINI.write_answer(events, FACTS))) == meaning(events)


@pytest.mark.parametrize("seed", range(100))
def test_stream_keeps_its_meaning_however_it_is_cut(seed):
    chance = random.Random(seed)
    events = own_answer(chance)
    writer, reader = GEMINI.writer(FACTS), GEMINI.reader()
    written = b"".join(writer.write([event]) for event in events) + writer.finish()
    read = [event for piece in cut(written, chance) for event in reader.feed(piece)]
    assert meaning([*read, *reader.finish()]) == meaning(events)
