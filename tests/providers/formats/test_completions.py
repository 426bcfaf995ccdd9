"""Legacy completions: one prompt in, texts out."""

import orjson
import pytest
from openai.types import Completion

from providers.formats.base import AnswerFacts, BadRequest
from providers.formats.completions import CompletionsStreamWriter, read_request, write_answer
from providers.wire.conversation import Message, Role, Text
from providers.wire.events import Finished, FinishReason, Started, TextDelta, UsageSeen
from tests.used import used

FACTS = AnswerFacts("1", 1_764_000_000, "org/model")
EVENTS = [
    Started(),
    TextDelta("Once "),
    TextDelta("upon"),
    Finished(FinishReason.LENGTH),
    UsageSeen(used(3, 2)),
]


def test_prompt_is_one_message_of_the_user():
    conversation = read_request({"model": "m", "prompt": "Tell", "max_tokens": 5, "stop": "."})
    assert conversation.messages == (Message(Role.USER, (Text("Tell"),)),)
    assert conversation.max_output_tokens == 5
    assert conversation.sampling.stop == (".",)


@pytest.mark.parametrize("prompt", [["a", "b"], [1, 2], [[1], [2]], None, ""])
def test_prompt_that_is_no_single_text_is_refused(prompt):
    with pytest.raises(BadRequest) as refused:
        read_request({"prompt": prompt})
    assert refused.value.param == "prompt"


@pytest.mark.parametrize(
    "field", [{"echo": True}, {"best_of": 2}, {"suffix": "x"}, {"logprobs": 1}, {"n": 2}]
)
def test_what_a_conversation_cannot_do_is_refused_by_name(field):
    with pytest.raises(BadRequest) as refused:
        read_request({"prompt": "x"} | field)
    assert refused.value.param in field


def test_answer_is_a_text_completion():
    answer = Completion.model_validate(write_answer(EVENTS, FACTS))
    assert answer.object == "text_completion"
    assert answer.choices[0].text == "Once upon"
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.total_tokens == 5


def test_stream_is_text_completions_with_usage_last():
    writer = CompletionsStreamWriter(FACTS)
    frames = (writer.write(EVENTS) + writer.finish()).split(b"\n\n")
    choices = [orjson.loads(frame[6:])["choices"][0] for frame in frames[:3]]
    assert [choice["text"] for choice in choices] == ["Once ", "upon", ""]
    assert [choice["finish_reason"] for choice in choices] == [None, None, "length"]
    assert b'"total_tokens":5' in frames[3]
    assert frames[4] == b"data: [DONE]"
