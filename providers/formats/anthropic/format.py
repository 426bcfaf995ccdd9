"""Anthropic Messages, in both directions; see formats.base.Format."""

from collections.abc import Mapping, Sequence
from typing import Any

from providers.adapters.base import UpstreamFailure
from providers.formats.anthropic.answer_reader import read_answer
from providers.formats.anthropic.answer_writer import write_answer
from providers.formats.anthropic.count import estimate_input_tokens
from providers.formats.anthropic.failures import read_failure, write_error
from providers.formats.anthropic.request_reader import read_request
from providers.formats.anthropic.request_writer import write_request
from providers.formats.anthropic.stream_reader import AnthropicStreamReader
from providers.formats.anthropic.stream_writer import AnthropicStreamWriter
from providers.formats.anthropic.usage import write_usage
from providers.formats.base import AnswerFacts, Upstream, WrittenRequest
from providers.wire.conversation import Conversation
from providers.wire.events import Event
from providers.wire.usage import Usage


class AnthropicFormat:
    name = "anthropic"
    endpoint = "messages"
    usage_name = "usage"
    can_limit_calls = True

    def read_request(self, body: Mapping[str, Any]) -> Conversation:
        return read_request(body)

    def write_request(self, conversation: Conversation, upstream: Upstream) -> WrittenRequest:
        """`upstream.quirks`:

        - `version_2026_10_21`: the newer API, without temperature, top_p and top_k
        - `thinking_budget`: the model takes a budget of thinking, and neither effort nor adaptive thinking
        - `schema_by_tool`: the model has no output formats, and is made to call a tool instead
        """
        return write_request(conversation, upstream)

    def read_answer(self, value: Any) -> list[Event]:
        return read_answer(value)

    def write_answer(self, events: Sequence[Event], facts: AnswerFacts) -> Mapping[str, Any]:
        return write_answer(events, facts)

    def reader(self) -> AnthropicStreamReader:
        return AnthropicStreamReader()

    def writer(self, facts: AnswerFacts) -> AnthropicStreamWriter:
        return AnthropicStreamWriter(facts)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        return read_failure(status, headers, body)

    def error_body(self, error: Mapping[str, Any], request_id: str) -> Mapping[str, Any]:
        return write_error(error, request_id)

    def usage(self, usage: Usage) -> Mapping[str, Any]:
        return write_usage(usage)

    def count_tokens(self, body: Mapping[str, Any]) -> Mapping[str, int]:
        """The answer of `/v1/messages/count_tokens`, whose requests have no `max_tokens`. Raises BadRequest."""
        conversation = read_request({**body, "max_tokens": 0})
        return {"input_tokens": estimate_input_tokens(conversation)}
