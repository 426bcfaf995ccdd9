"""OpenAI's chat completions as one of the wire formats."""

from collections.abc import Mapping, Sequence
from typing import Any

from providers.adapters.base import UpstreamFailure
from providers.adapters.openai_failures import classify
from providers.formats.base import AnswerFacts, AnswerWriter, EventReader, Upstream, WrittenRequest
from providers.formats.chat.read_answer import read_answer
from providers.formats.chat.read_request import read_request
from providers.formats.chat.stream_reader import ChatStreamReader
from providers.formats.chat.stream_writer import ChatStreamWriter
from providers.formats.chat.usage import write_usage
from providers.formats.chat.write_answer import write_answer
from providers.formats.chat.write_request import write_request
from providers.formats.error_body import error_body
from providers.wire.conversation import Conversation
from providers.wire.events import Event
from providers.wire.usage import Usage


class ChatFormat:
    """See providers.formats.base.Format."""

    name = "openai"
    endpoint = "chat.completions"
    usage_name = "usage"
    can_limit_calls = True

    def read_request(self, body: Mapping[str, Any]) -> Conversation:
        return read_request(body)

    def write_request(self, conversation: Conversation, upstream: Upstream) -> WrittenRequest:
        return write_request(conversation, upstream)

    def read_answer(self, value: Any) -> list[Event]:
        return read_answer(value)

    def write_answer(self, events: Sequence[Event], facts: AnswerFacts) -> Mapping[str, Any]:
        return write_answer(events, facts)

    def reader(self) -> EventReader:
        return ChatStreamReader()

    def writer(self, facts: AnswerFacts) -> AnswerWriter:
        return ChatStreamWriter(facts)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        return classify(status, headers, body)

    def error_body(self, error: Mapping[str, Any], request_id: str) -> Mapping[str, Any]:  # noqa: ARG002
        return error_body(error)

    def usage(self, usage: Usage) -> Mapping[str, Any]:
        return write_usage(usage)
