"""Reads a client's chat request."""

from collections.abc import Mapping
from typing import Any

from providers.formats.base import BadRequest
from providers.formats.fields import Fields
from providers.formats.openai.content_reader import ORIGIN
from providers.formats.openai.messages_reader import read_messages
from providers.formats.openai.settings import read_output, read_reasoning_config
from providers.formats.openai.tools import read_tool_choice, read_tools
from providers.formats.turns import says_something
from providers.formats.wording import as_read
from providers.wire.conversation import Conversation, Message, Sampling

# The gateway's part of a request, and how its answer is delivered.
_NOT_TRANSLATED = ("model", "stream", "stream_options")


def read_request(body: Mapping[str, Any]) -> Conversation:
    fields = Fields(body)
    fields.skip(*_NOT_TRANSLATED)
    messages = read_messages(fields.things("messages"))
    if not any(map(_says_something, messages)):
        raise BadRequest("'messages' has to hold at least one message that says something.", param="messages")
    most, most_before = fields.integer("max_completion_tokens"), fields.integer("max_tokens")
    user, user_before = fields.text("safety_identifier"), fields.text("user")
    conversation = Conversation(
        messages=messages,
        source=ORIGIN,
        max_output_tokens=most_before if most is None else most,
        sampling=_read_sampling(fields),
        tools=read_tools(fields),
        tool_choice=read_tool_choice(fields),
        parallel_tool_calls=fields.flag("parallel_tool_calls"),
        output=read_output(fields),
        reasoning=read_reasoning_config(fields),
        verbosity=fields.text("verbosity"),
        service_tier=fields.text("service_tier"),
        user_id=user or user_before,
        metadata=fields.mapping("metadata"),
        extra=fields.rest() | fields.own,
    )
    return as_read(conversation, ORIGIN, body, {})


def _says_something(message: Message) -> bool:
    return says_something(message) or bool(message.wording and message.wording.own)


def _read_sampling(fields: Fields) -> Sampling:
    return Sampling(
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.integer("top_k"),
        frequency_penalty=fields.number("frequency_penalty"),
        presence_penalty=fields.number("presence_penalty"),
        seed=fields.integer("seed"),
        stop=_read_stop(fields),
        logit_bias=fields.mapping("logit_bias"),
        logprobs=fields.flag("logprobs"),
        top_logprobs=fields.integer("top_logprobs"),
    )


def _read_stop(fields: Fields) -> tuple[str, ...]:
    value = fields.any("stop")
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(text, str) for text in value):
        return tuple(value)
    raise fields.wrong("stop", "has to be a string or a list of strings")
