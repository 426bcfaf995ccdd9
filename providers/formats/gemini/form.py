"""Google Gemini's generateContent, in both directions; see formats.base.Format."""

from collections.abc import Mapping, Sequence
from typing import Any

from providers.adapters.base import UpstreamFailure
from providers.formats.base import AnswerFacts, Upstream, WrittenRequest
from providers.formats.gemini.answer_reader import read_answer
from providers.formats.gemini.answer_writer import write_answer
from providers.formats.gemini.errors import write_error
from providers.formats.gemini.failures import read_failure
from providers.formats.gemini.request_reader import read_request
from providers.formats.gemini.request_writer import write_request
from providers.formats.gemini.stream_reader import GeminiStreamReader
from providers.formats.gemini.stream_writer import GeminiStreamWriter
from providers.formats.gemini.usage import write_usage
from providers.wire.conversation import Conversation
from providers.wire.events import Event
from providers.wire.usage import Usage


class GeminiFormat:
    name = "gemini"
    endpoint = "generate_content"
    usage_name = "usageMetadata"
    can_limit_calls = False

    def read_request(self, body: Mapping[str, Any]) -> Conversation:
        return read_request(body)

    def write_request(self, conversation: Conversation, upstream: Upstream) -> WrittenRequest:
        """`upstream.quirks`: with `thinking_budget` the model takes a budget (Gemini 2.5), without it a level."""
        return write_request(conversation, upstream)

    def read_answer(self, value: Any) -> list[Event]:
        return read_answer(value)

    def write_answer(self, events: Sequence[Event], facts: AnswerFacts) -> Mapping[str, Any]:
        return write_answer(events, facts)

    def reader(self) -> GeminiStreamReader:
        return GeminiStreamReader()

    def writer(self, facts: AnswerFacts, *, is_array: bool = False) -> GeminiStreamWriter:
        """`is_array`: one JSON array, as for a client that did not say `alt=sse`."""
        return GeminiStreamWriter(facts, is_array=is_array)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        return read_failure(status, headers, body)

    def error_body(self, error: Mapping[str, Any], request_id: str) -> Mapping[str, Any]:
        return write_error(error, request_id)

    def usage(self, usage: Usage) -> Mapping[str, Any]:
        return write_usage(usage)
